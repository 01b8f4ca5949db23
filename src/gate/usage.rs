//! How a caller's own account stands: for `usage`, by the same checks as a request that wants to
//! pass, as far as they are about the caller and not about what it asks for.

use std::rc::Rc;

use super::memory::{Caller, Memory};
use super::standing::barred;
use super::{Gate, Progress, Step};
use crate::config::SubscriptionSource;
use crate::decision::{Cause, Denial, PlanOffer};
use crate::quota::Usage;
use crate::time::Timestamp;
use crate::usage::{AccountUsage, QuotaUse, quota_of};

impl Gate {
    /// Tells from memory, or asks the ledger.
    pub(super) fn check_usage(
        &mut self,
        caller: &Rc<Caller>,
        memory: &mut Memory,
        now: Timestamp,
    ) -> Step {
        let deadline_ms = self.config.deadlines.ledger_ms;
        let plan = self.plan_id(caller, None).map(str::to_owned);
        let Some(view) = memory.account_mut(&caller.account) else {
            return self.misconfigured("the memory of accounts has no room");
        };
        match view.reads.find(caller.member(), plan.as_deref(), deadline_ms, now) {
            Found::Known(usage) => self.show_usage(caller, &usage, now),
            Found::UnderWay => self.wait(caller, &[], memory, now),
            Found::Failed => {
                self.without_ledger(caller, &[], "it failed a moment ago", memory, now)
            }
            Found::Nothing => {
                self.close_forgotten(memory, now);
                self.progress = Progress::Usage(Rc::clone(caller));
                let (account, member) = (caller.account.clone(), caller.member().to_owned());
                Step::ReadUsage { account, plan, member }
            }
        }
    }

    pub(super) fn usage_read(
        &mut self,
        caller: &Rc<Caller>,
        usage: Result<Box<Usage>, String>,
        memory: &mut Memory,
        now: Timestamp,
    ) -> Step {
        let asked_plan = self.plan_id(caller, None).map(str::to_owned);
        let Some(view) = memory.account_mut(&caller.account) else {
            return self.misconfigured("the memory of accounts has no room");
        };
        let mut usage = match usage {
            Ok(usage) => *usage,
            Err(reason) => {
                view.reads.failed(caller.member(), asked_plan.as_deref(), now);
                return self.without_ledger(caller, &[], &reason, memory, now);
            }
        };
        // What this isolate holds and has not spent is debited already, and still the account's.
        let plan = self.plan_of(caller, usage.account.as_ref());
        let quotas = plan.map_or(&[][..], |plan| &plan.quotas);
        for state in &mut usage.quotas {
            let Some(quota) = quota_of(quotas, state) else { continue };
            let held = view.holder.held_of_quotas(&quota.meter, Some(caller.member()), now);
            state.used = state.used.saturating_sub(held);
        }
        let mut held = view.holder.held_credits(now);
        for pack in &mut usage.credits {
            // The first to expire was taken first.
            let back = pack.units.saturating_sub(pack.left).min(held);
            pack.left = pack.left.saturating_add(back);
            held = held.saturating_sub(back);
        }
        let usage = Rc::new(usage);
        view.reads.keep(caller.member(), asked_plan.as_deref(), &usage, now);
        self.show_usage(caller, &usage, now)
    }

    fn show_usage(&self, caller: &Caller, usage: &Usage, now: Timestamp) -> Step {
        let record = usage.account.as_ref();
        let identity = self.identity_of(caller, record);
        if let Some(cause) = record.and_then(|record| barred(caller, record)) {
            return self.deny(Denial::new(cause), Some(&identity));
        }
        if let Some(denial) = self.undefined_plan(caller, record) {
            return self.deny(*denial, Some(&identity));
        }
        let plan = self.plan_of(caller, record);
        let mut told = AccountUsage::new(&self.config, plan, usage);
        if plan.is_none() {
            // Without PLANS any plan is taken as it is.
            told.plan = self.plan_id(caller, record).map(|id| {
                let (id, name) = (id.to_owned(), id.to_owned());
                PlanOffer { id, name, price: None }
            });
        }
        if self.subscription_of(caller) != SubscriptionSource::Token {
            told.judge(&self.config, plan, record, now);
        }
        let full = || told.quotas.iter().find(|quota| quota.is_full);
        let denial = told.denial.take().map(|denial| *denial);
        let denial = match denial {
            None if told.credits.is_empty() => full().map(exhausted),
            denial => denial,
        };
        told.denial = denial.map(|denial| Box::new(self.completed(denial, Some(&identity))));
        Step::ShowUsage(Box::new(told))
    }
}

/// What was read of an account's usage a moment ago, and by whom. A page that is loaded again and
/// again then costs the ledger one call in a while.
#[derive(Debug, Default)]
pub(super) struct Reads {
    reads: Vec<Read>,
    failed_until: Timestamp,
}

#[derive(Debug)]
struct Read {
    member: String,
    plan: Option<String>,
    /// `None` while it is under way.
    usage: Option<Rc<Usage>>,
    until: Timestamp,
}

/// What there is of a read.
enum Found {
    Failed,
    Known(Rc<Usage>),
    /// Nothing, and from now on the caller's own read is under way.
    Nothing,
    UnderWay,
}

impl Reads {
    fn find(
        &mut self,
        member: &str,
        plan: Option<&str>,
        deadline_ms: u32,
        now: Timestamp,
    ) -> Found {
        self.reads.retain(|read| now < read.until);
        match self.reads.iter().find(|read| read.is_of(member, plan)) {
            Some(Read { usage: Some(usage), .. }) => Found::Known(Rc::clone(usage)),
            Some(_) => Found::UnderWay,
            None if now < self.failed_until => Found::Failed,
            None => {
                self.put(member, plan, None, now.plus_ms(i64::from(deadline_ms)));
                Found::Nothing
            }
        }
    }

    fn keep(&mut self, member: &str, plan: Option<&str>, usage: &Rc<Usage>, now: Timestamp) {
        self.failed_until = Timestamp::default();
        self.put(member, plan, Some(Rc::clone(usage)), now.plus_ms(KEEP_MS));
    }

    fn failed(&mut self, member: &str, plan: Option<&str>, now: Timestamp) {
        self.reads.retain(|read| !read.is_of(member, plan));
        self.failed_until = now.plus_ms(KEEP_MS);
    }

    fn put(
        &mut self,
        member: &str,
        plan: Option<&str>,
        usage: Option<Rc<Usage>>,
        until: Timestamp,
    ) {
        self.reads.retain(|read| !read.is_of(member, plan));
        let (member, plan) = (member.to_owned(), plan.map(str::to_owned));
        self.reads.insert(0, Read { member, plan, usage, until });
        self.reads.truncate(MAX_READS);
    }
}

impl Read {
    fn is_of(&self, member: &str, plan: Option<&str>) -> bool {
        self.member == member && self.plan.as_deref() == plan
    }
}

/// How long what was read is told again, and a failed read not repeated.
const KEEP_MS: i64 = 2_000;
/// Of one account: whoever comes beyond that asks the ledger.
const MAX_READS: usize = 8;

/// The denial that a request on a full meter gets.
fn exhausted(quota: &QuotaUse) -> Denial {
    let mut denial = Denial::new(Cause::QuotaExhausted);
    denial.retry_at = (quota.state.limit > 0).then_some(quota.state.resets_at);
    denial.quota = Some(quota.state.clone());
    denial
}
