//! The record as it stands in JSON, where an operator has written it or the ledger has kept it.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::account::{
    AccountRecord, ApiKey, Customer, Dispute, Failure, LastReport, Payment, Provider,
    ProviderSubscription, Status, Subscription,
};
use crate::cause::PaymentFailure;
use crate::store::MAX_UNITS;
use crate::strict_json::StrictValue;
use crate::time::Timestamp;

impl TryFrom<StrictValue> for AccountRecord {
    type Error = String;

    fn try_from(StrictValue(value): StrictValue) -> Result<Self, String> {
        let mut fields = Fields::of(value).ok_or(OBJECT)?;
        let record = Self {
            own: fields.subscription()?,
            entitlements: fields.texts("entitlements")?,
            suspended: fields.flag("suspended")?,
            limits: fields.take("limits", &limits_expected(), limits)?,
            tokens_revoked_before: fields.time("tokens_revoked_before")?,
            revoked_tokens: fields.texts("revoked_tokens")?,
            billed: fields.list("subscriptions", billed)?,
            customers: fields.list("customers", customer)?,
            purchases: fields.list("purchases", payment)?,
            disputes: fields.list("disputes", dispute)?,
            keys: fields.list("keys", key)?,
        };
        fields.finish()?;
        Ok(record)
    }
}

fn billed(fields: &mut Fields) -> Result<ProviderSubscription, String> {
    Ok(ProviderSubscription {
        provider: fields.provider()?,
        id: fields.needed_text("id")?,
        customer: fields.text("customer")?,
        by_address: fields.flag("by_address")?,
        subscription: fields.subscription()?,
        last_report: fields.inner("told", |fields| {
            Ok(LastReport {
                at: fields.instant("at")?,
                status: fields.status()?,
                current_period_ends_at: fields.time("current_period_ends_at")?,
                ends_at: fields.time("ends_at")?,
                is_in_doubt: fields.flag("is_in_doubt")?,
            })
        })?,
        paid_at: fields.time("paid_at")?,
        paid_until: fields.time("paid_until")?,
        failures: fields.list("failures", failure)?,
        payments: fields.list("payments", payment)?,
    })
}

fn payment(fields: &mut Fields) -> Result<Payment, String> {
    Ok(Payment {
        at: fields.instant("at")?,
        provider: fields.provider()?,
        id: fields.needed_text("id")?,
    })
}

fn failure(fields: &mut Fields) -> Result<Failure, String> {
    Ok(Failure { at: fields.instant("at")?, reason: fields.failure("reason")? })
}

fn customer(fields: &mut Fields) -> Result<Customer, String> {
    Ok(Customer {
        provider: fields.provider()?,
        id: fields.needed_text("id")?,
        deleted_at: fields.time("deleted_at")?,
        entitlements: fields.texts("entitlements")?,
        entitlements_at: fields.time("entitlements_at")?,
        partial_entitlements: fields.texts("partial_entitlements")?,
        partial_at: fields.time("partial_at")?,
        decline: fields.inner("decline", failure)?,
    })
}

fn dispute(fields: &mut Fields) -> Result<Dispute, String> {
    Ok(Dispute {
        provider: fields.provider()?,
        id: fields.needed_text("id")?,
        at: fields.instant("at")?,
        is_open: fields.flag("is_open")?,
        subscription: fields.text("subscription")?,
        payments: fields.texts("payments")?,
    })
}

fn key(fields: &mut Fields) -> Result<ApiKey, String> {
    Ok(ApiKey {
        id: fields.needed_text("id")?,
        name: fields.text("name")?,
        member: fields.text("member")?,
        scopes: fields.texts("scopes")?,
        created_at: fields.time("created_at")?,
        expires_at: fields.time("expires_at")?,
        revoked_at: fields.time("revoked_at")?,
        replaces: fields.text("replaces")?,
    })
}

/// The fields of an object, less those already read.
struct Fields {
    fields: Map<String, Value>,
    known: Vec<&'static str>,
}

impl Fields {
    fn of(value: Value) -> Option<Self> {
        let Value::Object(fields) = value else { return None };
        Some(Self { fields, known: Vec::new() })
    }

    fn subscription(&mut self) -> Result<Subscription, String> {
        Ok(Subscription {
            plan: self.text("plan")?,
            add_ons: self.texts("add_ons")?,
            status: self.status()?,
            cycle_anchor: self.time("cycle_anchor")?,
            current_period_ends_at: self.time("current_period_ends_at")?,
            trial_ends_at: self.time("trial_ends_at")?,
            ends_at: self.time("ends_at")?,
            payment_failed_at: self.time("payment_failed_at")?,
            payment_failure: self.failure("payment_failure")?,
        })
    }

    fn status(&mut self) -> Result<Status, String> {
        self.take("status", STATUS, |value| Status::from_word(value.as_str()?))
    }

    fn failure(&mut self, name: &'static str) -> Result<Option<PaymentFailure>, String> {
        self.optional(name, FAILURE, |value| PaymentFailure::from_word(value.as_str()?))
    }

    fn provider(&mut self) -> Result<Provider, String> {
        let read = |value: &Value| Provider::from_word(value.as_str()?).map(Some);
        self.take("provider", "a provider", read)?.ok_or_else(|| "provider is missing".to_owned())
    }

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

    /// The same, for a field whose null means its absence.
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

    fn text(&mut self, name: &'static str) -> Result<Option<String>, String> {
        self.optional(name, "a string", text)
    }

    fn needed_text(&mut self, name: &'static str) -> Result<String, String> {
        self.text(name)?.ok_or_else(|| format!("{name} is missing"))
    }

    fn flag(&mut self, name: &'static str) -> Result<bool, String> {
        self.take(name, "true or false", Value::as_bool)
    }

    fn instant(&mut self, name: &'static str) -> Result<Timestamp, String> {
        self.time(name)?.ok_or_else(|| format!("{name} is missing"))
    }

    /// An object inside of this one.
    fn inner<T>(
        &mut self,
        name: &'static str,
        read: impl Fn(&mut Self) -> Result<T, String>,
    ) -> Result<Option<T>, String> {
        let value = self.take(name, OBJECT, |value| Some(value.clone()))?;
        let Some(mut fields) = Self::of(value) else { return Ok(None) };
        let inner = read(&mut fields).and_then(|inner| fields.finish().map(|()| inner));
        inner.map(Some).map_err(|reason| format!("{name}: {reason}"))
    }

    /// A list of objects.
    fn list<T>(
        &mut self,
        name: &'static str,
        read: impl Fn(&mut Self) -> Result<T, String>,
    ) -> Result<Vec<T>, String> {
        let items = self.take(name, "a list of objects", |value| value.as_array().cloned())?;
        let one = |item| {
            let mut fields = Self::of(item).ok_or_else(|| OBJECT.to_owned())?;
            let inner = read(&mut fields)?;
            fields.finish().map(|()| inner)
        };
        let all: Result<Vec<T>, String> = items.into_iter().map(one).collect();
        all.map_err(|reason| format!("{name}: {reason}"))
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

const OBJECT: &str = "expected an object such as {\"plan\":\"pro\"}";
const STATUS: &str =
    "none, incomplete, trialing, active, past_due, unpaid, paused or ended, as a string";
const FAILURE: &str = "card_expired, card_data, authentication_required, insufficient_funds, \
     declined, try_later, merchant or provider_outage, as a string";

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

/// A limit beyond [`MAX_UNITS`] could not be counted to.
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
        assert_eq!(record.own.status, Status::PastDue);
        assert_eq!(serde_json::to_string(&record).unwrap(), json);
    }

    #[test]
    fn every_word_is_named_where_one_is_expected() {
        assert!(Status::ALL.iter().all(|one| STATUS.contains(one.word())));
        assert!(PaymentFailure::ALL.iter().all(|one| FAILURE.contains(one.word())));
    }

    #[test]
    fn mistakes_are_named() {
        for (json, said) in [
            (r#"["pro","active"]"#, ["expected an object", "plan"]),
            (r#"{"plan":7}"#, ["plan: expected a string", "found 7"]),
            (r#"{"trial_ends_at":"tomorrow"}"#, ["trial_ends_at", "\"tomorrow\""]),
            (r#"{"ends_at":1796083200}"#, ["ends_at", "found 1796083200"]),
            (r#"{"trial_end":null}"#, ["unknown field `trial_end`", "`trial_ends_at`"]),
            (r#"{"status":"canceled"}"#, ["status: expected none, incomplete", "\"canceled\""]),
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
