//! A record as the gate shows it: with the parts of payment providers and the keys. The command
//! line and the tests read such a one; the Worker never does.

use serde_json::Value;

use super::{EXPECTED, operators_part, payment_failure, status, subscription};
use crate::account::{
    AccountRecord, ApiKey, Customer, Dispute, Failure, LastReport, Payment, Provider,
    ProviderSubscription,
};
use crate::json_object::{JsonObject, ReadError};

/// Reads a record that was parsed before, strictly.
///
/// # Errors
///
/// The mistake in it.
pub fn read(value: Value) -> Result<AccountRecord, ReadError> {
    JsonObject::read(value, EXPECTED, |object| {
        let record = operators_part(object)?;
        Ok(AccountRecord {
            billed: object.objects("subscriptions", billed)?,
            customers: object.objects("customers", customer)?,
            purchases: object.objects("purchases", payment)?,
            disputes: object.objects("disputes", dispute)?,
            keys: object.objects("keys", key)?,
            ..record
        })
    })
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

fn provider(object: &mut JsonObject) -> Result<Provider, ReadError> {
    object.needed("provider", PROVIDER, |value| Provider::from_word(value.as_str()?))
}

const PROVIDER: &str = "stripe, paddle, lemonsqueezy or standard, as a string";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_others_are_read() {
        let json = serde_json::json!({
            "plan": "pro", "status": "active",
            "subscriptions": [{
                "provider": "stripe", "id": "sub_1", "customer": "cus_1", "by_address": true,
                "plan": "team", "status": "past_due", "payment_failure": "declined",
                "told": {"at": "2026-01-31T15:00:00Z", "status": "past_due", "is_in_doubt": true},
                "paid_at": "2026-01-01T00:00:00Z", "paid_until": "2026-02-01T00:00:00Z",
                "failures": [{"at": "2026-01-31T15:00:00Z", "reason": "declined"}],
                "payments": [{"at": "2026-01-01T00:00:00Z", "provider": "stripe", "id": "ch_1"}],
            }],
            "customers": [{"provider": "paddle", "id": "ctm_1", "entitlements": ["export"]}],
            "purchases": [{"at": "2026-01-01T00:00:00Z", "provider": "stripe", "id": "ch_2"}],
            "disputes": [{
                "provider": "stripe", "id": "dp_1", "at": "2026-01-02T00:00:00Z", "is_open": true,
                "payments": ["ch_1"],
            }],
            "keys": [{"id": "abcdefgh", "created_at": "2026-01-01T00:00:00Z", "scopes": ["a"]}],
        });
        let record = read(json.clone()).unwrap();
        assert_eq!(read(serde_json::to_value(&record).unwrap()).unwrap(), record);
        assert_eq!((record.billed.len(), record.keys.len()), (1, 1));
        assert!(record.billed[0].last_report.as_ref().unwrap().is_in_doubt);
    }

    #[test]
    fn mistakes_in_them_are_named() {
        for (json, said) in [
            (r#"{"plan":7}"#, ["plan: expected a string", "found 7"]),
            (r#"{"subscriptions":[{"id":"a"}]}"#, ["subscriptions[0].provider", "found nothing"]),
            (
                r#"{"subscriptions":[{"provider":"stripe","id":"a","told":7}]}"#,
                ["[0].told", "found 7"],
            ),
            (
                r#"{"keys":[{"id":"a"},{"id":"b","owner":"c"}]}"#,
                ["keys[1]: unknown", "or replaces"],
            ),
        ] {
            let error = read(serde_json::from_str(json).unwrap()).unwrap_err().to_string();
            assert!(said.iter().all(|part| error.contains(part)), "{json}: {error}");
        }
        assert!(PROVIDER.starts_with(&Provider::words()));
    }
}
