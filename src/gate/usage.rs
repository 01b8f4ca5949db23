//! How a caller's own account stands: for `usage`, by the same checks as a request that wants to
//! pass, as far as they are about the caller and not about what it asks for.

use std::rc::Rc;

use super::memory::{Caller, Memory};
use super::{Gate, Progress, Purpose, Step};
use crate::cause::Cause;
use crate::config::SubscriptionSource;
use crate::decision::Denial;
use crate::plan::PlanOffer;
use crate::quota::{Holder, Usage};
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
        let key = self.usage_key(caller, now);
        let is_asked_again = matches!(self.purpose, Purpose::Status | Purpose::Account);
        match memory.reads.find(&key, is_asked_again, now) {
            Some(Found::Known(usage)) => self.show(caller, &usage, memory, now),
            Some(Found::UnderWay) => self.wait(caller, &[], memory, now),
            Some(Found::Failed) => {
                self.without_ledger(caller, &[], "it failed a moment ago", memory, now)
            }
            None => {
                let deadline_ms = i64::from(self.config.deadlines.ledger_ms);
                memory.reads.put(&key, Found::UnderWay, now.plus_ms(deadline_ms));
                self.close_forgotten(memory, now);
                self.progress = Progress::Usage(Rc::clone(caller));
                let Key { account, plan, member } = key;
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
        let (key, until) = (self.usage_key(caller, now), now.plus_ms(KEEP_MS));
        let mut usage = match usage {
            Ok(usage) => *usage,
            Err(reason) => {
                memory.reads.put(&key, Found::Failed, until);
                return self.without_ledger(caller, &[], &reason, memory, now);
            }
        };
        if let Some(view) = memory.account(&caller.account) {
            self.add_back(&view.holder, caller, &mut usage, now);
        }
        let usage = Rc::new(usage);
        memory.reads.put(&key, Found::Known(Rc::clone(&usage)), until);
        self.show(caller, &usage, memory, now)
    }

    fn usage_key(&self, caller: &Caller, now: Timestamp) -> Key {
        Key {
            account: caller.account.clone(),
            plan: self.plan_id(caller, None, now).map(str::to_owned),
            member: caller.member().to_owned(),
        }
    }

    /// What this isolate holds and has not spent is debited already, and still the account's.
    fn add_back(&self, holder: &Holder, caller: &Caller, usage: &mut Usage, now: Timestamp) {
        let plan = self.plan_of(caller, usage.account.as_ref(), now);
        let quotas = plan.map_or(&[][..], |plan| &plan.quotas);
        for state in &mut usage.quotas {
            let Some(quota) = quota_of(quotas, state) else { continue };
            let held = holder.held_of_quotas(&quota.meter, Some(caller.member()), now);
            state.used = state.used.saturating_sub(held);
        }
        let mut held = holder.held_credits(now);
        for pack in &mut usage.credits {
            // The first to expire was taken first.
            let back = pack.units.saturating_sub(pack.left).min(held);
            pack.left = pack.left.saturating_add(back);
            held = held.saturating_sub(back);
        }
    }

    fn show(
        &mut self,
        caller: &Rc<Caller>,
        usage: &Usage,
        memory: &mut Memory,
        now: Timestamp,
    ) -> Step {
        match self.purpose {
            Purpose::Status => self.show_status(caller, usage, memory, now),
            Purpose::Account => self.show_account(caller, usage, now),
            Purpose::Usage | Purpose::Passage => self.show_usage(caller, usage, memory, now),
        }
    }

    fn show_usage(
        &mut self,
        caller: &Rc<Caller>,
        usage: &Usage,
        memory: &mut Memory,
        now: Timestamp,
    ) -> Step {
        let record = usage.account.as_ref();
        let identity = self.identity_of(caller, record, now);
        if let Some(cause) = self.barred(caller, record, now) {
            return self.deny(Denial::new(cause), Some(&identity));
        }
        if let Some(denial) = self.undefined_plan(caller, record, now) {
            return self.deny(*denial, Some(&identity));
        }
        let plan = self.plan_of(caller, record, now);
        let mut told = AccountUsage::new(&self.config, plan, usage);
        if plan.is_none() {
            // Without PLANS any plan is taken as it is.
            told.plan = self.plan_id(caller, record, now).map(|id| {
                let (id, name) = (id.to_owned(), id.to_owned());
                PlanOffer { id, name, price: None }
            });
        }
        let plans_url = self.config.brand.plans_url.as_deref();
        told.plans_url = plans_url
            .map(|url| self.config.with_reference(url, Some(&caller.account), self.started_at));
        if self.subscription_of(caller) != SubscriptionSource::Token {
            told.judge(&self.config, plan, record, self.provider_outage, now);
        }
        let cause = told.denial.as_ref().map(|denial| denial.cause);
        if let Some(step) = cause.and_then(|cause| self.ask_outage(cause, caller, memory, now)) {
            return step;
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

/// What was read of usage a moment ago, and by whom. A page that is loaded again and again then
/// costs its ledger one call in a while.
#[derive(Debug, Default)]
pub(super) struct Reads(Vec<Read>);

#[derive(Debug)]
struct Read {
    key: Key,
    found: Found,
    until: Timestamp,
}

/// Whose usage: the account, the plan that the token names, and the member.
#[derive(Clone, Debug, Eq, PartialEq)]
struct Key {
    account: String,
    plan: Option<String>,
    member: String,
}

/// What came of a read.
#[derive(Clone, Debug)]
enum Found {
    Failed,
    Known(Rc<Usage>),
    UnderWay,
}

impl Reads {
    /// What was read a moment ago. Who asks again after paying is content with less time.
    fn find(&mut self, key: &Key, is_asked_again: bool, now: Timestamp) -> Option<Found> {
        self.0.retain(|read| now < read.until);
        if is_asked_again {
            let is_old = |read: &Read| {
                let is_known = matches!(read.found, Found::Known(_));
                is_known && read.until.ms_since(now) < KEEP_MS.saturating_sub(ASKED_AGAIN_MS)
            };
            self.0.retain(|read| !is_old(read));
        }
        // A ledger that fails one member fails them all.
        let is_it = |read: &&Read| {
            let fails = matches!(read.found, Found::Failed);
            read.key == *key || (fails && read.key.account == key.account)
        };
        self.0.iter().find(is_it).map(|read| read.found.clone())
    }

    fn put(&mut self, key: &Key, found: Found, until: Timestamp) {
        self.0.retain(|read| read.key != *key);
        self.0.insert(0, Read { key: key.clone(), found, until });
        self.0.truncate(MAX_READS);
    }
}

/// How long what was read is told again, and a failed read not repeated.
const KEEP_MS: i64 = 2_000;
/// How long what was read is good for somebody who has just paid.
const ASKED_AGAIN_MS: i64 = 500;
/// Of all accounts: who comes beyond that asks the ledger. A few KB each.
const MAX_READS: usize = 256;

/// The denial that a request on a full meter gets.
pub(super) fn exhausted(quota: &QuotaUse) -> Denial {
    let mut denial = Denial::new(Cause::QuotaExhausted);
    denial.retry_at = (quota.state.limit > 0).then_some(quota.state.resets_at);
    denial.quota = Some(quota.state.clone());
    denial
}
