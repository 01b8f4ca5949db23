//! Reads of an account: each is one call of its ledger.

use serde::Serialize;

use super::invocation::Invocation;
use super::step::{Done, Progress, Step};
use crate::account::{
    AccountRecord, ApiKey, ProviderSubscription, Status, Subscription, judge, standing,
};
use crate::admin::body;
use crate::admin::invalid::InvalidRequest;
use crate::admin::refusal::Refusal;
use crate::admin::view::{AuditView, JudgedView, KeyView, Listing, PackView};
use crate::answer;
use crate::config::Config;
use crate::plan::plan_named;
use crate::quota::{CreditPack, Usage};
use crate::time::Timestamp;
use crate::usage::AccountUsage;

pub(super) fn read<'a>(invocation: &Invocation<'a>) -> Progress<'a> {
    with_record(invocation, |record, _| Ok(Step::done(Done::view(record))))
}

/// The audit trail, the last entry first. It reads one entry more than it shows, to see whether
/// there are more.
pub(super) fn list_audit<'a>(invocation: &Invocation<'a>) -> Progress<'a> {
    let page = invocation.page()?;
    let before = page.after.map(|after| after.parse());
    let before = before.transpose().map_err(|_| InvalidRequest::CURSOR)?;
    let limit = page.limit;
    let call = invocation.objects().audit(invocation.account()?, before, limit.saturating_add(1));
    Ok(call.then(move |mut entries, _| {
        let has_more = entries.len() > limit;
        entries.truncate(limit);
        let last = entries.last().filter(|_| has_more).map(|(number, _)| number.to_string());
        let items = entries.iter().map(|(_, entry)| AuditView::from(entry));
        Ok(Step::done(Done::view(&Listing::new(items, last.as_deref()))))
    }))
}

/// Every pack of credits, the one that expires first first.
pub(super) fn list_credits<'a>(invocation: &Invocation<'a>) -> Progress<'a> {
    let page = invocation.page()?;
    Ok(invocation.objects().credits(invocation.account()?).then(move |packs, _| {
        let ids: Vec<_> = packs.iter().map(|pack: &CreditPack| pack.id.as_str()).collect();
        let (range, next) = page.of(&ids)?;
        let items = packs.get(range).unwrap_or_default().iter().map(PackView::from);
        Ok(Step::done(Done::view(&Listing::new(items, next))))
    }))
}

/// The API keys, in the order in which they were made.
pub(super) fn list_keys<'a>(invocation: &Invocation<'a>) -> Progress<'a> {
    let page = invocation.page()?;
    with_record(invocation, move |record, _| {
        let ids: Vec<_> = record.keys.iter().map(|key: &ApiKey| key.id.as_str()).collect();
        let (range, next) = page.of(&ids)?;
        let items = record.keys.get(range).unwrap_or_default().iter().map(KeyView::from);
        Ok(Step::done(Done::view(&Listing::new(items, next))))
    })
}

/// Each subscription, judged for itself. The operator's own comes first and has no id.
pub(super) fn list_subscriptions<'a>(invocation: &Invocation<'a>) -> Progress<'a> {
    let (page, config) = (invocation.page()?, invocation.config);
    with_record(invocation, move |record, now| {
        let own = Some(&record.own).filter(|own| own.status != Status::None);
        let own = own.map(|own| ("", SubscriptionView::Own(judged(own, own, config, now))));
        let billed = record.billed.iter().map(|billed| {
            let view = judged(billed, &billed.subscription, config, now);
            (billed.id.as_str(), SubscriptionView::AtProvider(view))
        });
        let (ids, views): (Vec<_>, Vec<_>) = own.into_iter().chain(billed).unzip();
        let (range, next) = page.of(&ids)?;
        let items = views.into_iter().skip(range.start).take(range.len());
        Ok(Step::done(Done::view(&Listing::new(items, next))))
    })
}

/// The usage as the account's callers see it.
pub(super) fn read_usage<'a>(invocation: &Invocation<'a>) -> Progress<'a> {
    let config = invocation.config;
    let [plan, member] = ["plan", "member"].map(|name| invocation.query.get(name));
    let [plan, member] = [plan, member].map(|value| value.map(str::to_owned));
    if let Some(id) = &plan {
        body::known_plan(id, config)?;
    }
    let call = invocation.objects().usage(invocation.account()?, plan.clone(), member);
    Ok(call.then(move |usage, now| {
        let json = usage_json(config, plan.as_deref(), &usage, now);
        Ok(Step::done(Done::json(200, json)))
    }))
}

/// Goes on with the record of the account in the path.
fn with_record<'a>(
    invocation: &Invocation<'a>,
    next: impl FnOnce(&AccountRecord, Timestamp) -> Progress<'a> + 'a,
) -> Progress<'a> {
    let call = invocation.objects().record(invocation.account()?);
    Ok(call.then(move |record, now| match record {
        Some(record) => next(&record, now),
        None => Err(Refusal::NoAccount),
    }))
}

#[derive(Serialize)]
#[serde(untagged)]
enum SubscriptionView<'a> {
    Own(JudgedView<'a, Subscription>),
    AtProvider(JudgedView<'a, ProviderSubscription>),
}

fn judged<'a, T>(
    shown: &'a T,
    subscription: &Subscription,
    config: &Config,
    now: Timestamp,
) -> JudgedView<'a, T> {
    let plan = subscription.plan.as_deref();
    let plan = plan.and_then(|id| plan_named(&config.plans, id));
    let grace_days = plan.map_or(0, |plan| plan.grace_days);
    let standing = standing(subscription, grace_days, config.provider_outage, now);
    JudgedView::new(shown, &standing)
}

fn usage_json(config: &Config, plan: Option<&str>, usage: &Usage, now: Timestamp) -> String {
    let record = usage.account.as_ref();
    let judged = |record| judge(record, &config.plans, None, config.provider_outage, now);
    let leading = record.and_then(|record| judged(record).leading());
    let of_record = leading.and_then(|leading| leading.plan.as_deref());
    let plan = plan.or(of_record).and_then(|id| config.plan(id));
    let mut view = AccountUsage::new(config, plan, usage);
    // An account whose plan its token names need not have a record.
    if record.is_some() || plan.is_none() {
        view.judge(config, plan, record, config.provider_outage, now);
    }
    answer::usage_json(&view)
}
