//! A pack of credits as an operator writes it.

use serde_json::Value;

use crate::quota::CreditPack;
use crate::store::MAX_UNITS;
use crate::strict_json;
use crate::time::Timestamp;

impl CreditPack {
    /// Reads `{"id": "invoice-17", "units": 500, "expires_at": "2027-01-01T00:00:00Z"}`; the last
    /// may be left out.
    ///
    /// # Errors
    ///
    /// The mistake, as a sentence.
    pub fn parse(body: &str, now: Timestamp) -> Result<Self, String> {
        let value =
            strict_json::parse(body).map_err(|error| format!("The body isn't JSON: {error}."))?;
        read(value, now).map_err(|reason| format!("The pack: {reason}."))
    }

    /// Whether both are the same purchase.
    pub fn is_same_purchase(&self, other: &Self) -> bool {
        (&self.id, self.units, self.expires_at) == (&other.id, other.units, other.expires_at)
    }
}

fn read(value: Value, now: Timestamp) -> Result<CreditPack, String> {
    let Value::Object(mut fields) = value else {
        return Err("expected an object such as {\"id\":\"invoice-17\",\"units\":500}".to_owned());
    };
    let mut take = |name: &str| fields.remove(name).unwrap_or_default();
    let (id, units, expires_at) = (take("id"), take("units"), take("expires_at"));
    if let Some(name) = fields.keys().next() {
        return Err(format!("unknown field `{name}`, expected `id`, `units` or `expires_at`"));
    }
    let units =
        units.as_u64().filter(|units| (1..=MAX_UNITS).contains(units)).ok_or_else(|| {
            format!("units: expected a whole number from 1 to {MAX_UNITS}, found {units}")
        })?;
    let is_name = |id: &&str| {
        (1..=MAX_ID_BYTES).contains(&id.len()) && !id.contains(|one: char| one.is_control())
    };
    let id = id.as_str().filter(is_name).ok_or_else(|| {
        format!("id: expected your name for the purchase, of at most {MAX_ID_BYTES} bytes")
    })?;
    let expires_at = match expires_at {
        Value::Null => None,
        value => Some(read_expiry(&value, now)?),
    };
    Ok(CreditPack { id: id.to_owned(), units, left: units, added_at: now, expires_at })
}

fn read_expiry(value: &Value, now: Timestamp) -> Result<Timestamp, String> {
    let time = value.as_str().and_then(Timestamp::parse_rfc3339);
    time.filter(|time| *time > now).ok_or_else(|| {
        format!(
            "expires_at: expected an RFC 3339 time to come such as \"2027-01-01T00:00:00Z\", \
             found {value}"
        )
    })
}

/// It stands in the ledger, in the audit trail and in answers.
const MAX_ID_BYTES: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_796_083_200);

    #[test]
    fn reads_a_pack() {
        let pack = CreditPack::parse(r#"{"id":"a","units":5}"#, NOW).unwrap();
        let expected =
            CreditPack { id: "a".into(), units: 5, left: 5, added_at: NOW, expires_at: None };
        assert_eq!(pack, expected);
        let ending = r#"{"expires_at":"2027-01-01T01:00:00+01:00","units":1,"id":"ü"}"#;
        let ending = CreditPack::parse(ending, NOW).unwrap();
        assert_eq!(ending.expires_at.map(Timestamp::rfc3339).unwrap(), "2027-01-01T00:00:00Z");
        assert!(!ending.is_same_purchase(&pack) && pack.is_same_purchase(&pack));
        assert!(CreditPack::parse(r#"{"id":"a","units":9007199254740991}"#, NOW).is_ok());
        assert!(CreditPack::parse(r#"{"id":"a","units":1,"expires_at":null}"#, NOW).is_ok());
    }

    #[test]
    fn mistakes_are_named() {
        let long = format!(r#"{{"id":"{}","units":1}}"#, "x".repeat(201));
        for (body, said) in [
            ("", "isn't JSON"),
            ("[]", "expected an object"),
            (r#"["a",5]"#, "expected an object"),
            (r#"{"id":"a"}"#, "units: expected a whole number from 1 to 9007199254740991"),
            (r#"{"units":5}"#, "id: expected your name"),
            (r#"{"id":"","units":5}"#, "id:"),
            (r#"{"id":7,"units":5}"#, "id:"),
            (r#"{"id":"a\n","units":5}"#, "id:"),
            (&long, "at most 200 bytes"),
            (r#"{"id":"a","units":0}"#, "found 0"),
            (r#"{"id":"a","units":-5}"#, "found -5"),
            (r#"{"id":"a","units":1.5}"#, "found 1.5"),
            (r#"{"id":"a","units":"5"}"#, "found \"5\""),
            (r#"{"id":"a","units":9007199254740992}"#, "found 9007199254740992"),
            (r#"{"id":"a","units":5,"left":3}"#, "unknown field `left`"),
            (r#"{"id":"a","units":5,"units":6}"#, "units"),
            (r#"{"id":"a","units":5,"expires_at":"tomorrow"}"#, "found \"tomorrow\""),
            (r#"{"id":"a","units":5,"expires_at":1827619200}"#, "found 1827619200"),
            (r#"{"id":"a","units":5,"expires_at":"2026-12-01T00:00:00Z"}"#, "to come"),
        ] {
            let reason = CreditPack::parse(body, NOW).unwrap_err();
            assert!(reason.contains(said) && reason.ends_with('.'), "{body}: {reason}");
        }
    }
}
