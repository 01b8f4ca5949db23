//! Events of a system of the operator's own.

use crate::account::{Status, Subscription};
use crate::billing::error::BillingError;
use crate::billing::event::{BillingEvent, News};
use crate::billing::object::{Object, missing, plans_of};
use crate::cause::PaymentFailure;
use crate::identity::AccountName;
use crate::plan::Plan;
use crate::store::MAX_UNITS;

/// Adds the news of an event of this type, without `tollgate.`.
pub(super) fn read(
    event: &mut BillingEvent,
    plans: &[Plan],
    kind: &str,
    data: &Object<'_>,
) -> Result<(), BillingError> {
    event.customer = data.id("customer");
    if data.has("account") {
        let name = data.text("account").and_then(|text| AccountName::parse_short(text).ok());
        let name = name.ok_or_else(|| data.missing("account", "an account such as acme/alice"))?;
        event.account = Some(name);
        event.names_customer = true;
    }
    let subscription = data.id("subscription");
    event.subscription.clone_from(&subscription);
    let news = match kind {
        "subscription" => {
            let id = data.needed_id("id")?;
            event.subscription = Some(id.clone());
            News::Subscription { id, state: Box::new(own_subscription(plans, data)?) }
        }
        "payment_failed" => News::PaymentFailed { subscription, reason: own_reason(data)? },
        "paid" => {
            let subscription = data.needed_id("subscription")?;
            event.is_payment = true;
            News::Paid { subscription, until: data.time("until")?, payments: Vec::new() }
        }
        "entitlements" => News::Entitlements { names: names(data, "names")?, is_complete: true },
        "credits" => {
            let id = data.needed_id("id")?;
            let units = data.whole("units").filter(|units| (1..=MAX_UNITS).contains(units));
            let units = units.ok_or_else(|| data.missing("units", "a number of units"))?;
            News::Credits { payment: Some(id.clone()), id, units }
        }
        "dispute" => {
            let (id, is_open) = (data.needed_id("id")?, data.is("is_open"));
            News::Dispute { id, is_open, subscription, payments: Vec::new() }
        }
        "customer_deleted" => News::CustomerDeleted,
        _ => return Ok(()),
    };
    let is_whose = event.customer.is_some() || event.account.is_some();
    if !is_whose {
        return Err(missing("own.account or own.customer", "a text"));
    }
    // Its own server names the account each time, so that nothing has to be remembered.
    if event.account.is_some() {
        event.subscription = None;
    }
    // These are kept with the customer: an account without one is its own.
    if event.customer.is_none() {
        event.customer = event.account.as_ref().map(AccountName::to_string);
    }
    event.news.push(news);
    Ok(())
}

/// The fields of the record. Their words are checked: the sender can mend its own system.
fn own_subscription(plans: &[Plan], data: &Object<'_>) -> Result<Subscription, BillingError> {
    let word = data.needed_text("status")?;
    let status = Status::from_word(&word);
    let status = status.ok_or_else(|| data.missing("status", "a status of the record"))?;
    let add_ons = names(data, "add_ons")?;
    let items = data.text("plan").into_iter().chain(add_ons.iter().map(String::as_str));
    let items: Vec<Vec<&str>> = items.map(|name| vec![name]).collect();
    // The item called the plan is the plan, with any limits on the others.
    let known = |names: &[Vec<&str>]| plans_of(plans, names);
    let (plan, add_ons) = match items.split_first() {
        Some((plan, add_ons)) if data.has("plan") => {
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
        cycle_anchor: data.time("cycle_anchor")?,
        current_period_ends_at: data.time("current_period_ends_at")?,
        trial_ends_at: data.time("trial_ends_at")?,
        ends_at: data.time("ends_at")?,
        payment_failure: own_reason(data)?,
        ..Subscription::default()
    })
}

fn own_reason(data: &Object<'_>) -> Result<Option<PaymentFailure>, BillingError> {
    if !data.has("payment_failure") {
        return Ok(None);
    }
    let known = data.text("payment_failure").and_then(PaymentFailure::from_word);
    known.map(Some).ok_or_else(|| data.missing("payment_failure", "a word of the record"))
}

fn names(data: &Object<'_>, path: &str) -> Result<Vec<String>, BillingError> {
    data.texts(path).ok_or_else(|| data.missing(path, "a list of texts"))
}
