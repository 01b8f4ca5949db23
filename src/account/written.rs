//! The record as it stands in JSON, where an operator has written it or the ledger has kept it.
//!
//! It is read by hand, since serde can't both flatten the operator's subscription into the record
//! and refuse unknown fields.

use serde_json::Value;

use crate::account::{
    AccountRecord, ApiKey, Customer, Dispute, Failure, LastReport, Payment, Provider,
    ProviderSubscription, Status, Subscription,
};
use crate::cause::PaymentFailure;
use crate::json_object::{JsonObject, ReadError};
use crate::store::MAX_UNITS;
use crate::strict_json::StrictValue;

impl TryFrom<StrictValue> for AccountRecord {
    type Error = ReadError;

    fn try_from(StrictValue(value): StrictValue) -> Result<Self, ReadError> {
        JsonObject::read(value, RECORD, |object| {
            Ok(Self {
                own: subscription(object)?,
                entitlements: object.texts("entitlements")?,
                suspended: object.flag("suspended")?,
                limits: object.wholes("limits", 0..=MAX_UNITS)?,
                tokens_revoked_before: object.time("tokens_revoked_before")?,
                revoked_tokens: object.texts("revoked_tokens")?,
                billed: object.objects("subscriptions", billed)?,
                customers: object.objects("customers", customer)?,
                purchases: object.objects("purchases", payment)?,
                disputes: object.objects("disputes", dispute)?,
                keys: object.objects("keys", key)?,
            })
        })
    }
}

fn billed(object: &mut JsonObject) -> Result<ProviderSubscription, ReadError> {
    Ok(ProviderSubscription {
        provider: provider(object)?,
        id: object.needed_text("id")?,
        customer: object.text("customer")?,
        by_address: object.flag("by_address")?,
        subscription: subscription(object)?,
        last_report: object.object("told", |object| {
            Ok(LastReport {
                at: object.needed_time("at")?,
                status: status(object)?,
                current_period_ends_at: object.time("current_period_ends_at")?,
                ends_at: object.time("ends_at")?,
                is_in_doubt: object.flag("is_in_doubt")?,
            })
        })?,
        paid_at: object.time("paid_at")?,
        paid_until: object.time("paid_until")?,
        failures: object.objects("failures", failure)?,
        payments: object.objects("payments", payment)?,
    })
}

fn payment(object: &mut JsonObject) -> Result<Payment, ReadError> {
    Ok(Payment {
        at: object.needed_time("at")?,
        provider: provider(object)?,
        id: object.needed_text("id")?,
    })
}

fn failure(object: &mut JsonObject) -> Result<Failure, ReadError> {
    Ok(Failure { at: object.needed_time("at")?, reason: payment_failure(object, "reason")? })
}

fn customer(object: &mut JsonObject) -> Result<Customer, ReadError> {
    Ok(Customer {
        provider: provider(object)?,
        id: object.needed_text("id")?,
        deleted_at: object.time("deleted_at")?,
        entitlements: object.texts("entitlements")?,
        entitlements_at: object.time("entitlements_at")?,
        partial_entitlements: object.texts("partial_entitlements")?,
        partial_at: object.time("partial_at")?,
        decline: object.object("decline", failure)?,
    })
}

fn dispute(object: &mut JsonObject) -> Result<Dispute, ReadError> {
    Ok(Dispute {
        provider: provider(object)?,
        id: object.needed_text("id")?,
        at: object.needed_time("at")?,
        is_open: object.flag("is_open")?,
        subscription: object.text("subscription")?,
        payments: object.texts("payments")?,
    })
}

fn key(object: &mut JsonObject) -> Result<ApiKey, ReadError> {
    Ok(ApiKey {
        id: object.needed_text("id")?,
        name: object.text("name")?,
        member: object.text("member")?,
        scopes: object.texts("scopes")?,
        created_at: object.time("created_at")?,
        expires_at: object.time("expires_at")?,
        revoked_at: object.time("revoked_at")?,
        replaces: object.text("replaces")?,
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

fn provider(object: &mut JsonObject) -> Result<Provider, ReadError> {
    object.needed("provider", PROVIDER, |value| Provider::from_word(value.as_str()?))
}

const RECORD: &str = "a record, an object such as {\"plan\":\"pro\"}";
const STATUS: &str =
    "none, incomplete, trialing, active, past_due, unpaid, paused or ended, as a string";
const FAILURE: &str = "card_expired, card_data, authentication_required, insufficient_funds, \
     declined, try_later, merchant or provider_outage, as a string";
const PROVIDER: &str = "stripe, paddle, lemonsqueezy or standard, as a string";

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
        assert_eq!(record.own.status, Status::PastDue);
        assert_eq!(serde_json::to_string(&record).unwrap(), json);
    }

    #[test]
    fn every_word_is_named_where_one_is_expected() {
        assert!(Status::ALL.iter().all(|one| STATUS.contains(one.word())));
        assert!(PaymentFailure::ALL.iter().all(|one| FAILURE.contains(one.word())));
        assert!(PROVIDER.starts_with(&Provider::words()));
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
            (r#"{"subscriptions":[{"id":"a"}]}"#, ["subscriptions[0].provider", "found nothing"]),
            (
                r#"{"subscriptions":[{"provider":"stripe","id":"a","told":7}]}"#,
                ["[0].told", "found 7"],
            ),
            (
                r#"{"keys":[{"id":"a"},{"id":"b","owner":"c"}]}"#,
                ["keys[1]: unknown", "or replaces"],
            ),
            (r#"{"limits":{"api/day":9007199254740992}}"#, ["api/day", "to 9007199254740991"]),
        ] {
            let error = error(json);
            assert!(said.iter().all(|part| error.contains(part)), "{json}: {error}");
        }
    }
}
