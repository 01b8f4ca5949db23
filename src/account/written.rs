//! The record as it stands in JSON, where an operator has written it or the ledger has kept it.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::account::record::{AccountRecord, PaymentFailure, Status};
use crate::quota::store::MAX_UNITS;
use crate::strict_json::StrictValue;
use crate::time::Timestamp;

impl TryFrom<StrictValue> for AccountRecord {
    type Error = String;

    fn try_from(StrictValue(value): StrictValue) -> Result<Self, String> {
        let Value::Object(fields) = value else {
            return Err("expected an object such as {\"plan\":\"pro\"}".to_owned());
        };
        let mut fields = Fields { fields, known: Vec::new() };
        let record = Self {
            plan: fields.optional("plan", "a string", text)?,
            status: fields.take("status", STATUS, |value| one_of(value, &STATUSES))?,
            cycle_anchor: fields.time("cycle_anchor")?,
            current_period_ends_at: fields.time("current_period_ends_at")?,
            trial_ends_at: fields.time("trial_ends_at")?,
            ends_at: fields.time("ends_at")?,
            payment_failed_at: fields.time("payment_failed_at")?,
            payment_failure: fields
                .optional("payment_failure", FAILURE, |value| one_of(value, &FAILURES))?,
            entitlements: fields.texts("entitlements")?,
            suspended: fields.take("suspended", "true or false", Value::as_bool)?,
            limits: fields.take("limits", &limits_expected(), limits)?,
            tokens_revoked_before: fields.time("tokens_revoked_before")?,
            revoked_tokens: fields.texts("revoked_tokens")?,
        };
        fields.finish()?;
        Ok(record)
    }
}

/// What stands in the object and was not read yet.
struct Fields {
    fields: Map<String, Value>,
    known: Vec<&'static str>,
}

impl Fields {
    /// A field as `read` reads it; the default where it was left out.
    fn take<T: Default>(
        &mut self,
        name: &'static str,
        expected: &str,
        read: impl FnOnce(&Value) -> Option<T>,
    ) -> Result<T, String> {
        self.known.push(name);
        let Some(value) = self.fields.remove(name) else { return Ok(T::default()) };
        read(&value).ok_or_else(|| format!("{name}: expected {expected}, found {value}"))
    }

    /// The same, where null says what leaving it out says.
    fn optional<T>(
        &mut self,
        name: &'static str,
        expected: &str,
        read: impl FnOnce(&Value) -> Option<T>,
    ) -> Result<Option<T>, String> {
        if self.fields.get(name).is_some_and(Value::is_null) {
            self.fields.remove(name);
        }
        self.take(name, expected, |value| read(value).map(Some))
    }

    fn texts(&mut self, name: &'static str) -> Result<Vec<String>, String> {
        let read = |value: &Value| value.as_array()?.iter().map(text).collect();
        self.take(name, "a list of strings", read)
    }

    fn time(&mut self, name: &'static str) -> Result<Option<Timestamp>, String> {
        self.optional(name, TIME, |value| Timestamp::parse_rfc3339(value.as_str()?))
    }

    /// Refuses what nobody has asked for.
    fn finish(self) -> Result<(), String> {
        match self.fields.keys().next() {
            Some(name) => Err(format!(
                "unknown field `{name}`, expected one of `{}`",
                self.known.join("`, `")
            )),
            None => Ok(()),
        }
    }
}

const TIME: &str = "an RFC 3339 time such as \"2026-12-01T00:00:00Z\"";

const STATUS: &str =
    "none, trialing, incomplete, active, past_due, unpaid, paused or ended, as a string";
const STATUSES: [(&str, Status); 8] = [
    ("none", Status::None),
    ("trialing", Status::Trialing),
    ("incomplete", Status::Incomplete),
    ("active", Status::Active),
    ("past_due", Status::PastDue),
    ("unpaid", Status::Unpaid),
    ("paused", Status::Paused),
    ("ended", Status::Ended),
];

const FAILURE: &str = "card_expired, declined or provider_outage, as a string";
const FAILURES: [(&str, PaymentFailure); 3] = [
    ("card_expired", PaymentFailure::CardExpired),
    ("declined", PaymentFailure::Declined),
    ("provider_outage", PaymentFailure::ProviderOutage),
];

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

fn one_of<T: Copy>(value: &Value, choices: &[(&str, T)]) -> Option<T> {
    let word = value.as_str()?;
    choices.iter().find(|(choice, _)| *choice == word).map(|(_, chosen)| *chosen)
}

/// What is beyond [`MAX_UNITS`] could not be counted to.
fn limits(value: &Value) -> Option<BTreeMap<String, u64>> {
    let limit = |value: &Value| value.as_u64().filter(|limit| *limit <= MAX_UNITS);
    value.as_object()?.iter().map(|(name, value)| Some((name.clone(), limit(value)?))).collect()
}

fn limits_expected() -> String {
    format!("an object of whole numbers up to {MAX_UNITS}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(json: &str) -> String {
        serde_json::from_str::<AccountRecord>(json).unwrap_err().to_string()
    }

    #[test]
    fn everything_may_be_left_out() {
        let record: AccountRecord = serde_json::from_str("{}").unwrap();
        assert_eq!(record, AccountRecord::default());
        assert_eq!(serde_json::to_string(&record).unwrap(), r#"{"status":"none"}"#);
        let nulls = r#"{"plan":null,"ends_at":null,"payment_failure":null}"#;
        assert_eq!(serde_json::from_str::<AccountRecord>(nulls).unwrap(), record);
    }

    #[test]
    fn a_full_record_is_written_as_it_was_read() {
        let json = concat!(
            r#"{"plan":"pro","status":"past_due","cycle_anchor":"2026-01-31T15:00:00Z","#,
            r#""current_period_ends_at":"2026-02-28T15:00:00Z","#,
            r#""trial_ends_at":"2026-01-31T15:00:00Z","ends_at":"2026-12-01T00:00:00Z","#,
            r#""payment_failed_at":"2026-02-28T15:00:00.250Z","payment_failure":"card_expired","#,
            r#""entitlements":["export"],"suspended":true,"limits":{"api/month":5},"#,
            r#""tokens_revoked_before":"2026-01-01T00:00:00Z","revoked_tokens":["t1"]}"#,
        );
        let record: AccountRecord = serde_json::from_str(json).unwrap();
        assert_eq!(record.status, Status::PastDue);
        assert_eq!(serde_json::to_string(&record).unwrap(), json);
    }

    #[test]
    fn words_are_written_as_they_are_read() {
        for (word, status) in STATUSES {
            assert_eq!(serde_json::to_value(status).unwrap(), word);
            assert!(STATUS.contains(word));
        }
        for (word, failure) in FAILURES {
            assert_eq!(serde_json::to_value(failure).unwrap(), word);
            assert!(FAILURE.contains(word));
        }
    }

    #[test]
    fn mistakes_are_named() {
        for (json, said) in [
            (r#"["pro","active"]"#, ["expected an object", "plan"]),
            (r#"{"plan":7}"#, ["plan: expected a string", "found 7"]),
            (r#"{"trial_ends_at":"tomorrow"}"#, ["trial_ends_at", "\"tomorrow\""]),
            (r#"{"ends_at":1796083200}"#, ["ends_at", "found 1796083200"]),
            (r#"{"trial_end":null}"#, ["unknown field `trial_end`", "`trial_ends_at`"]),
            (r#"{"status":"canceled"}"#, ["status: expected none, trialing", "\"canceled\""]),
            (r#"{"status":null}"#, ["status", "found null"]),
            (r#"{"payment_failure":"stolen_card"}"#, ["payment_failure", "declined"]),
            (r#"{"plan":"a","plan":"b"}"#, ["\"plan\"", "stands twice"]),
            (r#"{"entitlements":"beta"}"#, ["entitlements: expected a list", "\"beta\""]),
            (r#"{"revoked_tokens":["a",7]}"#, ["revoked_tokens", "[\"a\",7]"]),
            (r#"{"suspended":"yes"}"#, ["suspended: expected true or false", "\"yes\""]),
            (r#"{"limits":{"api/day":-1}}"#, ["limits", "-1"]),
            (r#"{"limits":{"api/day":9007199254740992}}"#, ["api/day", "up to 9007199254740991"]),
        ] {
            let error = error(json);
            assert!(said.iter().all(|part| error.contains(part)), "{json}: {error}");
        }
    }
}
