//! Objects, and the sentences about their mistakes.

use super::*;

type Read = (Option<String>, u64, Vec<String>, Option<Timestamp>, Vec<bool>);

fn read(json: &str) -> Result<Read, ReadError> {
    JsonObject::parse(json, "an object such as {\"units\":5}", |object| {
        Ok((
            object.line("id")?,
            object.needed_whole("units", 1..=10)?,
            object.texts("words")?,
            object.time("at")?,
            object.objects("flags", |flag| flag.flag("is_on"))?,
        ))
    })
}

#[test]
fn reads_every_kind_of_field() {
    let (id, units, words, at, flags) = read(
        r#"{"id":"ü","units":10,"words":["a"],"at":"1970-01-01T00:00:01Z","flags":[{},{"is_on":true}]}"#,
    )
    .unwrap();
    assert_eq!((id.as_deref(), units, words), (Some("ü"), 10, vec!["a".to_owned()]));
    assert_eq!((at, flags), (Some(Timestamp::from_seconds(1)), vec![false, true]));
    let least = (None, 1, Vec::new(), None, Vec::new());
    assert_eq!(read(r#"{"units":1}"#), Ok(least.clone()));
    assert_eq!(read(r#"{"units":1,"id":null,"at":null}"#), Ok(least));
}

#[test]
fn a_mistake_names_field_expectation_and_finding() {
    let line = "expected a text of 1 to 200 bytes on one line, found";
    let (long, cut) = ("x".repeat(201), "x".repeat(79));
    for (json, code, sentence) in [
        ("{", "not-json", "no JSON: EOF while parsing an object at line 1 column 1".to_owned()),
        ("[]", "wrong-value", "expected an object such as {\"units\":5}, found []".to_owned()),
        (
            "{}",
            "field-missing",
            "units: expected a whole number from 1 to 10, found nothing".to_owned(),
        ),
        (
            r#"{"units":null}"#,
            "field-missing",
            "units: expected a whole number from 1 to 10, found nothing".to_owned(),
        ),
        (
            r#"{"units":11}"#,
            "wrong-value",
            "units: expected a whole number from 1 to 10, found 11".to_owned(),
        ),
        (r#"{"id":""}"#, "wrong-value", format!("id: {line} \"\"")),
        (r#"{"id":"a\nb"}"#, "wrong-value", format!("id: {line} \"a\\nb\"")),
        (&format!(r#"{{"id":"{long}"}}"#), "wrong-value", format!("id: {line} \"{cut}…")),
        (
            r#"{"units":1,"words":["a",7]}"#,
            "wrong-value",
            "words[1]: expected a string, found 7".to_owned(),
        ),
        (
            r#"{"units":1,"words":null}"#,
            "wrong-value",
            "words: expected a list of strings, found null".to_owned(),
        ),
        (
            r#"{"units":1,"flags":[{},{"is_on":1}]}"#,
            "wrong-value",
            "flags[1].is_on: expected true or false, found 1".to_owned(),
        ),
        (
            r#"{"units":1,"flags":[{"on":true}]}"#,
            "unknown-field",
            "flags[0]: unknown field \"on\", expected is_on".to_owned(),
        ),
        (
            r#"{"units":1,"unit":1}"#,
            "unknown-field",
            "unknown field \"unit\", expected id, units, words, at or flags".to_owned(),
        ),
    ] {
        let error = read(json).unwrap_err();
        assert_eq!((error.code(), error.to_string()), (code, sentence), "{json}");
    }
}

#[test]
fn numbers_have_names() {
    let read = |json| JsonObject::parse(json, OBJECT, |object| object.wholes("limits", 0..=5));
    assert_eq!(read("{}"), Ok(BTreeMap::new()));
    let two = BTreeMap::from([("a/day".to_owned(), 0), ("b".to_owned(), 5)]);
    assert_eq!(read(r#"{"limits":{"b":5,"a/day":0}}"#), Ok(two));
    for (json, sentence) in [
        (r#"{"limits":{"a/day":6}}"#, "limits.a/day: expected a whole number from 0 to 5, found 6"),
        (r#"{"limits":{"a":null}}"#, "limits.a: expected a whole number from 0 to 5, found null"),
        (r#"{"limits":[]}"#, "limits: expected an object of whole numbers, found []"),
    ] {
        assert_eq!(read(json).unwrap_err().to_string(), sentence);
    }
}

#[test]
fn an_object_without_members_takes_none() {
    let read = |json| JsonObject::parse(json, OBJECT, |_| Ok(()));
    assert_eq!(read("{}"), Ok(()));
    let error = read(r#"{"a":1}"#).unwrap_err();
    assert_eq!(error.to_string(), "unknown field \"a\", expected none");
}
