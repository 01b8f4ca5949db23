//! A pack of credits as an operator writes it.

use crate::json_object::{JsonObject, ReadError, time};
use crate::quota::CreditPack;
use crate::store::MAX_UNITS;
use crate::time::Timestamp;

impl CreditPack {
    /// Reads `{"id": "invoice-17", "units": 500, "expires_at": "2027-01-01T00:00:00Z"}`; the last
    /// may be left out.
    ///
    /// # Errors
    ///
    /// The mistake in it.
    pub fn parse(body: &str, now: Timestamp) -> Result<Self, ReadError> {
        let to_come = |value: &_| time(value).filter(|time| *time > now);
        JsonObject::parse(body, PACK, |object| {
            let id = object.needed_line("id")?;
            let units = object.needed_whole("units", 1..=MAX_UNITS)?;
            let expires_at = object.optional("expires_at", TIME_TO_COME, to_come)?;
            Ok(Self { id, units, left: units, added_at: now, expires_at })
        })
    }

    /// Whether both are the same purchase.
    pub fn is_same_purchase(&self, other: &Self) -> bool {
        (&self.id, self.units, self.expires_at) == (&other.id, other.units, other.expires_at)
    }
}

const PACK: &str = "an object such as {\"id\":\"invoice-17\",\"units\":500}";
const TIME_TO_COME: &str = "an RFC 3339 time to come such as \"2027-01-01T00:00:00Z\"";

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
            ("", "no JSON"),
            ("[]", "expected an object"),
            (r#"["a",5]"#, "expected an object"),
            (r#"{"id":"a"}"#, "units: expected a whole number from 1 to 9007199254740991"),
            (r#"{"units":5}"#, "id: expected a text of 1 to 200 bytes on one line, found nothing"),
            (r#"{"id":"","units":5}"#, "id:"),
            (r#"{"id":7,"units":5}"#, "id:"),
            (r#"{"id":"a\n","units":5}"#, "id:"),
            (&long, "1 to 200 bytes"),
            (r#"{"id":"a","units":0}"#, "found 0"),
            (r#"{"id":"a","units":-5}"#, "found -5"),
            (r#"{"id":"a","units":1.5}"#, "found 1.5"),
            (r#"{"id":"a","units":"5"}"#, "found \"5\""),
            (r#"{"id":"a","units":9007199254740992}"#, "found 9007199254740992"),
            (r#"{"id":"a","units":5,"left":3}"#, "unknown field \"left\""),
            (r#"{"id":"a","units":5,"units":6}"#, "units"),
            (r#"{"id":"a","units":5,"expires_at":"tomorrow"}"#, "found \"tomorrow\""),
            (r#"{"id":"a","units":5,"expires_at":1827619200}"#, "found 1827619200"),
            (r#"{"id":"a","units":5,"expires_at":"2026-12-01T00:00:00Z"}"#, "to come"),
        ] {
            let reason = CreditPack::parse(body, NOW).unwrap_err().to_string();
            assert!(reason.contains(said), "{body}: {reason}");
        }
    }
}
