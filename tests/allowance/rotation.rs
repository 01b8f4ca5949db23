//! The secret is changed for another: nobody's count starts anew, and no page is counted twice.

use tollgate::allowance::{AllowanceKey, Page, Reader, ReaderMemory, Verdict};
use tollgate::request::{RequestFacts, readings};

use crate::site::{HOST, NOW, allowance, value};

/// The steps of a rotation, each a release.
fn releases() -> [AllowanceKey; 4] {
    let (old, new) = ("the-old-one-of-32-bytes-and-more", "the-new-one-of-32-bytes-and-more");
    [vec![old], vec![old, new], vec![new, old], vec![new]].map(|values| {
        let values: Vec<_> = values.into_iter().map(str::to_owned).collect();
        AllowanceKey::of_values(&values).unwrap()
    })
}

/// A view in a fresh isolate of a release: how many pages were used after it, and the cookie.
fn view(key: &AllowanceKey, cookie: Option<&str>, number: u32) -> Option<(u8, String, bool)> {
    let mut watch = ReaderMemory::default();
    let allowance = allowance("5 per month");
    let known = cookie.map(|value| Reader::read(value, key, HOST, NOW));
    let mut reader = known.unwrap_or_else(|| Some(Reader::new(key.reader_id("one"))))?;
    let facts = RequestFacts::from_lines(&format!("GET\nhttps://{HOST}/{number}")).unwrap();
    let names = Page::names(&facts, &readings(&facts.path).unwrap(), &reader.id(), key);
    let page = watch.name_of(&reader, allowance, &names, NOW)?;
    let view = watch.view(&mut reader, allowance, page, NOW);
    let is_counted = matches!(view.verdict, Verdict::Counted(_));
    let cookie = value(&reader.set_cookie(key, HOST, NOW));
    Some((reader.used(allowance, NOW), cookie, is_counted))
}

#[test]
fn a_count_goes_through_every_step_of_a_rotation() {
    let [before, added, first, after] = releases();
    let (used, cookie, _) = view(&before, None, 1).unwrap();
    assert_eq!(used, 1);
    // Two releases serve at once for a while: a reader goes to and fro between them.
    let mut cookie = cookie;
    let pairs = [(&before, &added), (&added, &first), (&first, &after)];
    for (pair, number) in pairs.into_iter().zip(2..) {
        let (used, counted, is_counted) = view(pair.0, Some(&cookie), number).unwrap();
        assert_eq!((u32::from(used), is_counted), (number, true));
        cookie = counted;
        for key in [pair.1, pair.0, pair.1] {
            let (used, again, is_counted) = view(key, Some(&cookie), number).unwrap();
            assert_eq!((u32::from(used), is_counted), (number, false), "seen before");
            cookie = again;
        }
    }
    let (used, last, _) = view(&after, Some(&cookie), 5).unwrap();
    assert_eq!(used, 5);
    assert_eq!(view(&before, Some(&last), 5), None, "the old value opens nothing of the new one");
}

#[test]
fn pages_seen_under_the_old_value_stay_free_for_as_long_as_it_stands_there() {
    let [before, _, first, after] = releases();
    let (_, cookie, _) = view(&before, None, 1).unwrap();
    let (_, cookie, _) = view(&before, Some(&cookie), 2).unwrap();
    let (used, signed_anew, is_counted) = view(&first, Some(&cookie), 1).unwrap();
    assert_eq!((used, is_counted), (2, false));
    let (used, _, is_counted) = view(&first, Some(&signed_anew), 2).unwrap();
    assert_eq!((used, is_counted), (2, false), "also behind a signature of the new one");
    assert_eq!(view(&after, Some(&cookie), 1), None, "gone too early: that reader starts anew");
    assert!(view(&after, Some(&signed_anew), 3).is_some());
}

#[test]
fn what_the_isolate_knows_goes_by_the_same_names() {
    let [before, _, first, _] = releases();
    let allowance = allowance("5 per month");
    let (_, one, _) = view(&before, None, 1).unwrap();
    let (_, two, _) = view(&before, Some(&one), 2).unwrap();
    let mut watch = ReaderMemory::default();
    let mut look = |cookie: &str, number: u32| {
        let mut reader = Reader::read(cookie, &first, HOST, NOW).unwrap();
        let facts = RequestFacts::from_lines(&format!("GET\nhttps://{HOST}/{number}")).unwrap();
        let names = Page::names(&facts, &readings(&facts.path).unwrap(), &reader.id(), &first);
        let page = watch.name_of(&reader, allowance, &names, NOW).unwrap();
        watch.view(&mut reader, allowance, page, NOW).verdict
    };
    assert_eq!(look(&two, 2), Verdict::AlreadySeen);
    assert_eq!(look(&one, 2), Verdict::AlreadySeen, "an older cookie, a page known here");
}
