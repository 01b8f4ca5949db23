//! The operator's part of an account's record, as it stands in JSON.
//!
//! It is read by hand, since serde can't both flatten the subscription into the record and refuse
//! unknown fields.

pub mod shown;

use serde_json::Value;

use crate::account::{AccountRecord, Status, Subscription};
use crate::cause::PaymentFailure;
use crate::json_object::{JsonObject, ReadError};
use crate::store::MAX_UNITS;

/// Reads the body of a write. The parts of payment providers and the keys may stand in it, so that
/// a record that was read can be put back; they are left out.
///
/// # Errors
///
/// The mistake in it.
pub fn parse(body: &str) -> Result<AccountRecord, ReadError> {
    JsonObject::parse(body, EXPECTED, |object| {
        for name in ["subscriptions", "customers", "purchases", "disputes", "keys"] {
            object.optional(name, "a list", |value| value.is_array().then_some(()))?;
        }
        operators_part(object)
    })
}

fn operators_part(object: &mut JsonObject) -> Result<AccountRecord, ReadError> {
    Ok(AccountRecord {
        own: subscription(object)?,
        entitlements: object.texts("entitlements")?,
        suspended: object.flag("suspended")?,
        limits: object.wholes("limits", 0..=MAX_UNITS)?,
        tokens_revoked_before: object.time("tokens_revoked_before")?,
        revoked_tokens: object.texts("revoked_tokens")?,
        ..AccountRecord::default()
    })
}

fn subscription(object: &mut JsonObject) -> Result<Subscription, ReadError> {
    Ok(Subscription {
        plan: object.text("plan")?,
        add_ons: object.texts("add_ons")?,
        status: status(object)?,
        cycle_anchor: object.time("cycle_anchor")?,
        current_period_ends_at: object.time("current_period_ends_at")?,
        trial_ends_at: object.time("trial_ends_at")?,
        ends_at: object.time("ends_at")?,
        payment_failed_at: object.time("payment_failed_at")?,
        payment_failure: payment_failure(object, "payment_failure")?,
    })
}

fn status(object: &mut JsonObject) -> Result<Status, ReadError> {
    object.or_default("status", STATUS, |value| Status::from_word(value.as_str()?))
}

fn payment_failure(
    object: &mut JsonObject,
    name: &'static str,
) -> Result<Option<PaymentFailure>, ReadError> {
    object.optional(name, FAILURE, |value: &Value| PaymentFailure::from_word(value.as_str()?))
}

const EXPECTED: &str = "a record, an object such as {\"plan\":\"pro\"}";
const STATUS: &str =
    "none, incomplete, trialing, active, past_due, unpaid, paused or ended, as a string";
const FAILURE: &str = "card_expired, card_data, authentication_required, insufficient_funds, \
     declined, try_later, merchant or provider_outage, as a string";

#[cfg(test)]
mod tests {
    use super::*;

    fn error(json: &str) -> String {
        parse(json).unwrap_err().to_string()
    }

    #[test]
    fn everything_may_be_left_out() {
        let record = parse("{}").unwrap();
        assert_eq!(record, AccountRecord::default());
        assert_eq!(serde_json::to_string(&record).unwrap(), r#"{"status":"none"}"#);
        let nulls = r#"{"plan":null,"ends_at":null,"payment_failure":null}"#;
        assert_eq!(parse(nulls).unwrap(), record);
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
        let record = parse(json).unwrap();
        assert_eq!(record.own.status, Status::PastDue);
        assert_eq!(serde_json::to_string(&record).unwrap(), json);
    }

    #[test]
    fn parts_of_others_are_left_out() {
        let json = r#"{"plan":"pro","subscriptions":[{"id":7}],"keys":[{"id":"a"}],"disputes":[]}"#;
        assert_eq!(parse(json).unwrap(), parse(r#"{"plan":"pro"}"#).unwrap());
    }

    #[test]
    fn every_word_is_named_where_one_is_expected() {
        assert!(Status::ALL.iter().all(|one| STATUS.contains(one.word())));
        assert!(PaymentFailure::ALL.iter().all(|one| FAILURE.contains(one.word())));
    }

    #[test]
    fn mistakes_are_named() {
        for (json, said) in [
            (r#"["pro","active"]"#, ["expected a record, an object", "plan"]),
            (r#"{"plan":7}"#, ["plan: expected a string", "found 7"]),
            (r#"{"trial_ends_at":"tomorrow"}"#, ["trial_ends_at", "\"tomorrow\""]),
            (r#"{"ends_at":1796083200}"#, ["ends_at", "found 1796083200"]),
            (r#"{"trial_end":null}"#, ["unknown field \"trial_end\"", " trial_ends_at,"]),
            (r#"{"status":"canceled"}"#, ["status: expected none, incomplete", "\"canceled\""]),
            (r#"{"status":null}"#, ["status", "found null"]),
            (r#"{"payment_failure":"stolen_card"}"#, ["payment_failure", "declined"]),
            (r#"{"plan":"a","plan":"b"}"#, ["\"plan\"", "stands twice"]),
            (
                r#"{"entitlements":"beta"}"#,
                ["entitlements: expected a list of strings", "\"beta\""],
            ),
            (r#"{"revoked_tokens":["a",7]}"#, ["revoked_tokens[1]: expected a string", "found 7"]),
            (r#"{"suspended":"yes"}"#, ["suspended: expected true or false", "\"yes\""]),
            (
                r#"{"limits":{"api/day":-1}}"#,
                ["limits.api/day: expected a whole number", "found -1"],
            ),
            (r#"{"subscriptions":{}}"#, ["subscriptions: expected a list", "found"]),
            (r#"{"limits":{"api/day":9007199254740992}}"#, ["api/day", "to 9007199254740991"]),
        ] {
            let error = error(json);
            assert!(said.iter().all(|part| error.contains(part)), "{json}: {error}");
        }
    }
}
