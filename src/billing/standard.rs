//! Events by Standard Webhooks: Polar's, and those of a system of the operator's own.
//!
//! Of an own system are the types `tollgate.subscription`, `tollgate.payment_failed`,
//! `tollgate.paid`, `tollgate.entitlements`, `tollgate.credits` and `tollgate.dispute`. Their data
//! has the names of the account's record; `docs/billing.md` shows each.

mod polar;

use serde_json::Value;

use super::json::{
    account_named, at, credits, id_at, is_at, list_at, missing, needed_id, needed_text,
    needed_time, plans_of, text_at, time_at,
};
use super::webhook::{Webhook, standard_id, standard_seconds};
use super::{BillingEvent, News, Provider};
use crate::account::{PaymentFailure, Status, Subscription};
use crate::config::{Billing, Plan};
use crate::time::Timestamp;

pub(super) use polar::subscription as polar_subscription;

/// Reads an event. Its id is the one that it was sent under.
pub(super) fn read(
    billing: &Billing,
    plans: &[Plan],
    webhook: &Webhook<'_>,
    body: &Value,
) -> Result<BillingEvent, String> {
    let kind = needed_text(body, "type")?;
    let told_at = time_at(body, "timestamp")?;
    let sent_at = standard_seconds(webhook).map(Timestamp::from_seconds);
    let mut event = BillingEvent {
        provider: Provider::Standard,
        id: standard_id(webhook)?,
        kind,
        occurred_at: told_at.or(sent_at).unwrap_or_default(),
        ..BillingEvent::default()
    };
    let Some(data) = at(body, "data") else { return Ok(event) };
    let kind = event.kind.clone();
    match kind.strip_prefix("tollgate.") {
        Some(own) => read_own(&mut event, plans, own, data)?,
        None => polar::read(&mut event, billing, plans, data)?,
    }
    if !event.news.is_empty() {
        // The time of sending is another one when it is sent again.
        needed_time(body, "timestamp")?;
    }
    Ok(event)
}

fn read_own(
    event: &mut BillingEvent,
    plans: &[Plan],
    kind: &str,
    data: &Value,
) -> Result<(), String> {
    event.customer = id_at(data, "customer");
    if let Some(name) = at(data, "account") {
        let name = name.as_str().and_then(account_named);
        let name = name.ok_or_else(|| missing("account", "an account such as acme/alice"))?;
        event.account = Some(name);
    }
    let subscription = id_at(data, "subscription");
    let news = match kind {
        "subscription" => {
            let id = needed_id(data, "id")?;
            News::Subscription { id, state: Box::new(own_subscription(plans, data)?) }
        }
        "payment_failed" => News::PaymentFailed { subscription, reason: own_reason(data)? },
        "paid" => {
            let subscription = needed_id(data, "subscription")?;
            News::Paid { subscription, until: time_at(data, "until")? }
        }
        "entitlements" => News::Entitlements { names: names(data, "names")?, is_complete: true },
        "credits" => {
            let id = needed_id(data, "id")?;
            let units = credits(at(data, "units"), "units")?;
            News::Credits { id, units: units.ok_or_else(|| missing("units", "a number"))? }
        }
        "dispute" => News::Dispute { id: needed_id(data, "id")?, is_open: is_at(data, "is_open") },
        "customer_deleted" => News::CustomerDeleted,
        _ => return Ok(()),
    };
    let is_whose = event.customer.is_some() || event.account.is_some();
    if !is_whose {
        return Err(missing("account or customer", "a text"));
    }
    // These are kept with the customer: an account without one is its own.
    if event.customer.is_none() {
        event.customer.clone_from(&event.account);
    }
    event.news.push(news);
    Ok(())
}

/// The fields of the record. Their words are checked: an own system can be told what is wrong.
fn own_subscription(plans: &[Plan], data: &Value) -> Result<Subscription, String> {
    let word = needed_text(data, "status")?;
    let status = Status::ALL.iter().find(|(name, _)| *name == word);
    let status = status.ok_or_else(|| missing("status", "a status of the record"))?.1;
    let add_ons = names(data, "add_ons")?;
    let items = text_at(data, "plan").into_iter().chain(add_ons.iter().map(String::as_str));
    let items: Vec<Vec<&str>> = items.map(|name| vec![name]).collect();
    // What is called the plan is it, whatever limits what.
    let known = |names: &[Vec<&str>]| plans_of(plans, names);
    let (plan, add_ons) = match items.split_first() {
        Some((plan, add_ons)) if at(data, "plan").is_some() => {
            let (first, rest) = known(add_ons);
            let add_ons = first.into_iter().chain(rest).collect();
            (known(std::slice::from_ref(plan)).0, add_ons)
        }
        _ => known(&items),
    };
    Ok(Subscription {
        plan,
        add_ons,
        status,
        cycle_anchor: time_at(data, "cycle_anchor")?,
        current_period_ends_at: time_at(data, "current_period_ends_at")?,
        trial_ends_at: time_at(data, "trial_ends_at")?,
        ends_at: time_at(data, "ends_at")?,
        payment_failure: own_reason(data)?,
        ..Subscription::default()
    })
}

fn own_reason(data: &Value) -> Result<Option<PaymentFailure>, String> {
    let Some(word) = at(data, "payment_failure") else { return Ok(None) };
    let known = PaymentFailure::ALL.iter().find(|(name, _)| word.as_str() == Some(*name));
    let known = known.map(|(_, failure)| *failure);
    known.map(Some).ok_or_else(|| missing("payment_failure", "a word of the record"))
}

fn names(data: &Value, path: &str) -> Result<Vec<String>, String> {
    let all = list_at(data, path).iter().map(|name| name.as_str().map(str::to_owned));
    let is_list = at(data, path).is_none_or(Value::is_array);
    let all: Option<Vec<String>> = all.collect();
    all.filter(|_| is_list).ok_or_else(|| missing(path, "a list of texts"))
}
