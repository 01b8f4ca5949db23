//! `usage`: how a caller's own account stands, by the same checks as a request that wants to pass,
//! as far as they are about the caller and not about the thing that it asks for.

use std::rc::Rc;

use super::Memory;
use super::case::{Request, Turn};
use super::inquiry::{Answer, Begun, Hitch, Inquiry, Subject};
use super::memory::{Caller, USAGE_KEEP_MS};
use crate::cause::Cause;
use crate::config::{Config, SubscriptionSource};
use crate::decision::Denial;
use crate::plan::PlanOffer;
use crate::quota::Usage;
use crate::request::RequestFacts;
use crate::time::Timestamp;
use crate::usage::{AccountUsage, QuotaUse};

impl Inquiry<Box<AccountUsage>> {
    /// Begins a request that asks how its own account stands. `now` is the edge's clock.
    pub fn usage(
        config: Rc<Config>,
        facts: Rc<RequestFacts>,
        memory: &mut Memory,
        now: Timestamp,
    ) -> Begun<Box<AccountUsage>> {
        let request = Request::new(config, facts, memory, now);
        Self::start(request, Subject::Account(own_usage), USAGE_KEEP_MS, memory, now)
    }
}

fn own_usage(turn: &mut Turn<'_>, caller: &Caller, usage: &Usage) -> Answer<Box<AccountUsage>> {
    let case = turn.case;
    let config = case.config;
    let record = usage.account.as_ref();
    let identity = case.identity_of(caller, record);
    if let Some(cause) = case.barred(caller, record) {
        return Err(Hitch::Deny(case.deny(Denial::new(cause), caller, &identity)));
    }
    if let Some(denial) = case.undefined_plan(caller, record) {
        return Err(Hitch::Deny(case.deny(*denial, caller, &identity)));
    }
    let plan = case.plan_of(caller, record);
    let mut own = Box::new(AccountUsage::new(config, plan, usage));
    if plan.is_none() {
        // Without PLANS any plan is taken as it is.
        own.plan = case.plan_id(caller, record).map(|id| {
            let (id, name) = (id.to_owned(), id.to_owned());
            PlanOffer { id, name, price: None }
        });
    }
    let plans_url = config.brand.plans_url.as_deref();
    own.plans_url =
        plans_url.map(|url| config.with_reference(url, Some(&caller.account), case.started_at));
    if case.subscription_of(caller) != SubscriptionSource::Token {
        own.judge(config, plan, record, case.provider_outage, case.now);
    }
    let refused = own.denial.as_ref();
    if refused.is_some_and(|denial| turn.begin_outage_check(denial.cause)) {
        return Err(Hitch::Outage);
    }
    let full = || own.quotas.iter().find(|quota| quota.is_full);
    let denial = match own.denial.take() {
        None if own.credits.is_empty() => full().map(exhausted),
        denial => denial.map(|denial| *denial),
    };
    own.denial = denial.map(|denial| case.deny(denial, caller, &identity));
    Ok(own)
}

/// The denial that a request on a full meter gets.
pub(super) fn exhausted(quota: &QuotaUse) -> Denial {
    let mut denial = Denial::new(Cause::QuotaExhausted);
    denial.retry_at = (quota.state.limit > 0).then_some(quota.state.resets_at);
    denial.quota = Some(quota.state.clone());
    denial
}
