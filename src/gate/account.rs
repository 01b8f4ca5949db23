//! From a verified caller to a decision: burst limit, the account's record, its units.

use std::borrow::Cow;
use std::rc::Rc;

use super::api_key::may_be_newer;
use super::memory::{AccountView, Caller, Memory, Refusal, Refused, Snapshot};
use super::standing::Good;
use super::{Gate, Progress, Purpose, Step};
use crate::account::{AccountRecord, Judgement};
use crate::cause::Cause;
use crate::config::{Config, SubscriptionSource, Uncounted};
use crate::decision::Denial;
use crate::identity::Identity;
use crate::plan::{Cost, Plan};
use crate::quota::{Charge, GrantOutcome, LedgerReply, RefusalReason};
use crate::time::Timestamp;
use crate::usage::quota_notice;

impl Gate {
    pub(super) fn check_burst(
        &mut self,
        caller: Rc<Caller>,
        memory: &mut Memory,
        now: Timestamp,
    ) -> Step {
        let Some(binding) = self.matched().and_then(|route| route.burst.clone()) else {
            return self.check_account(&caller, memory, now);
        };
        let key = caller.account.clone();
        self.progress = Progress::Burst(caller);
        Step::LimitBurst { binding, key }
    }

    pub(super) fn burst_answered(
        &mut self,
        caller: &Rc<Caller>,
        is_within: bool,
        memory: &mut Memory,
        now: Timestamp,
    ) -> Step {
        if is_within {
            return self.check_account(caller, memory, now);
        }
        let mut denial = Denial::new(Cause::RateLimited);
        denial.retry_at = Some(now.plus_ms(BURST_RETRY_MS));
        self.deny(denial, Some(&caller.identity))
    }

    /// Decides from memory, or asks the ledger.
    pub(super) fn check_account(
        &mut self,
        caller: &Rc<Caller>,
        memory: &mut Memory,
        now: Timestamp,
    ) -> Step {
        if let Some(denial) = self.undefined_plan(caller, None, now) {
            return self.deny(*denial, Some(&caller.identity));
        }
        self.note_source(caller);
        if self.purpose != Purpose::Passage {
            return self.check_usage(caller, memory, now);
        }
        let config = Rc::clone(&self.config);
        let Some(view) = memory.account_mut(&caller.account) else {
            return self.misconfigured("the memory of accounts has no room");
        };
        let fresh = view.fresh(now).filter(|_| !may_be_newer(caller, view));
        let record = fresh.as_ref().and_then(|snapshot| snapshot.record.as_deref());
        let known = match self.known_standing(caller, fresh.as_ref(), now) {
            Some(Err(denial)) => return self.deny_account(*denial, caller, record, memory, now),
            Some(Ok(standing)) => Some(standing),
            None => None,
        };
        let plan = known.as_ref().and_then(|good| self.config.plan(good.identity.plan.as_deref()?));
        let costs = self.costs(&config, plan);
        if !std::mem::replace(&mut self.is_demand_noted, true) {
            view.holder.note_demand(&costs, Some(caller.member()), now);
            if !costs.is_empty() {
                self.brought = self.find_brought(caller, now);
            }
        }
        if let Some(standing) = known {
            if costs.is_empty() {
                return self.pass_standing(standing, caller, memory, now);
            }
            let has_plan = || self.plan_id(caller, record, now).is_some();
            if fresh.is_some() && standing.identity.plan.is_none() && !has_plan() {
                let denial = Denial::new(Cause::NoSubscription);
                return self.deny_account(denial, caller, record, memory, now);
            }
            if !self.has_to_merge(view) {
                if let Some(charge) = view.holder.take(&costs, Some(caller.member()), now) {
                    return self.pass_charged(standing, charge, &costs, caller, memory, now);
                }
                if let Some(refusal) = view.refusal(&costs, caller, now) {
                    return self.refused(&refusal, &standing.identity);
                }
            }
        }
        self.ask_ledger(caller, &costs, memory, now)
    }

    pub(super) fn ledger_answered(
        &mut self,
        caller: &Rc<Caller>,
        asked: (u64, Charge),
        reply: Result<Box<LedgerReply>, String>,
        memory: &mut Memory,
        now: Timestamp,
    ) -> Step {
        let (number, set_aside) = asked;
        let config = Rc::clone(&self.config);
        let costs = self.costs(&config, None);
        let Some(view) = memory.account_mut(&caller.account) else {
            return self.misconfigured("the memory of accounts has no room");
        };
        let reply = match reply {
            Ok(reply) => reply,
            Err(reason) => {
                view.holder.failed(&set_aside.holder, number, now);
                self.put_back(&set_aside, caller, memory, now);
                return self.without_ledger(caller, &costs, &reason, memory, now);
            }
        };
        let holder = &set_aside.holder;
        let Some(answered) = view.holder.answered(holder, number, &reply, now) else {
            // A later message has voided this one: whoever sent it brings the units.
            self.put_back(&set_aside, caller, memory, now);
            return self.wait(caller, &costs, memory, now);
        };
        view.take_snapshot(&reply, now);
        if let Some(GrantOutcome::Granted { .. } | GrantOutcome::Refused { .. }) = &reply.grant {
            self.merge_heard(view);
        }
        self.watch(&caller.account, answered.to_watch);
        let charge = set_aside.plus(answered.charge);
        let record = reply.account.as_ref();
        let standing = match self.check_standing(caller, record, now) {
            Ok(standing) => standing,
            Err(denial) => {
                self.put_back(&charge, caller, memory, now);
                return self.deny_account(*denial, caller, record, memory, now);
            }
        };
        match reply.grant {
            None => self.pass_standing(standing, caller, memory, now),
            Some(GrantOutcome::Granted { .. }) => {
                self.pass_charged(standing, charge, &costs, caller, memory, now)
            }
            Some(GrantOutcome::Refused { reason, meter, quota, quotas }) => {
                self.put_back(&charge, caller, memory, now);
                let refusal = Refusal { reason, quota, quotas };
                remember_refusal(memory, caller, &meter, &costs, &refusal, now);
                self.refused(&refusal, &standing.identity)
            }
            Some(GrantOutcome::NoPlan) => {
                self.put_back(&charge, caller, memory, now);
                let denial = Denial::new(Cause::NoSubscription);
                self.deny_account(denial, caller, record, memory, now)
            }
            Some(GrantOutcome::UnknownPlan) => {
                self.put_back(&charge, caller, memory, now);
                self.misconfigured("an account is on a plan that PLANS doesn't define")
            }
            Some(GrantOutcome::Void) => {
                self.put_back(&charge, caller, memory, now);
                self.misconfigured("the ledger knows a later message of this isolate")
            }
        }
    }

    /// What memory alone says of the caller's standing; `None` where the ledger has to be asked.
    fn known_standing(
        &self,
        caller: &Caller,
        fresh: Option<&Snapshot>,
        now: Timestamp,
    ) -> Option<Result<Good, Box<Denial>>> {
        let by_token = self.subscription_of(caller) == SubscriptionSource::Token;
        match fresh {
            Some(snapshot) => Some(self.check_standing(caller, snapshot.record.as_deref(), now)),
            None if by_token => {
                Some(self.check_entitlements(Rc::clone(&caller.identity), &Judgement::default()))
            }
            None => None,
        }
    }

    /// What the request costs on the meters that count; nothing on one that the plan doesn't limit.
    fn costs<'a>(&self, config: &'a Config, plan: Option<&Plan>) -> Cow<'a, [Cost]> {
        let route = self.route.and_then(|index| config.routes.get(index));
        let Some(metering) = route.and_then(|route| route.metering.as_ref()) else {
            return Cow::Borrowed(&[]);
        };
        let is_free_head = metering.uncounted.contains(&Uncounted::Head);
        if is_free_head && self.facts.method == "HEAD" {
            return Cow::Borrowed(&[]);
        }
        let is_limited = |cost: &&Cost| plan.is_none_or(|plan| plan.limits(&cost.meter));
        if metering.costs.iter().all(|cost| is_limited(&cost)) {
            return Cow::Borrowed(&metering.costs);
        }
        metering.costs.iter().filter(is_limited).cloned().collect()
    }

    /// Passes a request that costs nothing.
    fn pass_standing(
        &mut self,
        standing: Good,
        caller: &Rc<Caller>,
        memory: &mut Memory,
        now: Timestamp,
    ) -> Step {
        if let Some(view) = memory.known_account_mut(&caller.account)
            && view.snapshot.is_some()
        {
            self.top_up(caller, memory, now);
        }
        self.look_at_provider(&standing.notices, memory, now);
        self.pass(standing.into_pass())
    }

    /// Passes a request whose units are taken, and fetches more off its path if they run out.
    fn pass_charged(
        &mut self,
        standing: Good,
        charge: Charge,
        costs: &[Cost],
        caller: &Rc<Caller>,
        memory: &mut Memory,
        now: Timestamp,
    ) -> Step {
        self.look_at_provider(&standing.notices, memory, now);
        let mut pass = standing.into_pass();
        if let Some(view) = memory.account(&caller.account) {
            pass.quotas = view.holder.quotas(costs, Some(caller.member()), now);
            pass.set_cookie = self.cookie_after_merge(view, now);
        }
        let terms = self.config.terms();
        let notices = costs.iter().zip(std::iter::repeat(&pass.quotas)).flat_map(|(cost, all)| {
            let thresholds = terms.notify_at(&cost.meter);
            all.iter()
                .filter(|quota| quota.is_about(&cost.meter))
                .filter_map(|quota| quota_notice(quota, thresholds))
        });
        pass.notices.extend(notices.collect::<Vec<_>>());
        pass.charge = (!charge.is_empty()).then_some(charge);
        self.top_up(caller, memory, now);
        self.pass(pass)
    }

    /// Denies for what the account's record says, `None` where nothing is known of it.
    fn deny_account(
        &mut self,
        denial: Denial,
        caller: &Rc<Caller>,
        record: Option<&AccountRecord>,
        memory: &mut Memory,
        now: Timestamp,
    ) -> Step {
        shorten_memory(memory, &caller.account, now);
        if let Some(step) = self.ask_outage(denial.cause, caller, memory, now) {
            return step;
        }
        self.deny(denial, Some(&self.identity_of(caller, record, now)))
    }

    fn refused(&self, refusal: &Refusal, identity: &Identity) -> Step {
        let cause = match refusal.reason {
            RefusalReason::CostExceedsQuota => Cause::CostExceedsQuota,
            RefusalReason::CreditsExhausted => Cause::CreditsExhausted,
            RefusalReason::QuotaExhausted => Cause::QuotaExhausted,
        };
        let mut denial = Denial::new(cause);
        // A quota of nothing stays one: there only credits help.
        if cause != Cause::CostExceedsQuota && refusal.quota.limit > 0 {
            denial.retry_at = Some(refusal.quota.resets_at);
        }
        denial.quota = Some(refusal.quota.clone());
        denial.quotas.clone_from(&refusal.quotas);
        self.deny(denial, Some(identity))
    }
}

impl AccountView {
    /// Keeps what the ledger has just said of the account, and forgets what was denied before.
    pub(super) fn renew(&mut self, record: Option<&AccountRecord>, now: Timestamp) {
        self.keep(record.cloned().map(Rc::new));
        self.told_at = now;
        self.fresh_until = now.plus_ms(SNAPSHOT_TTL_MS);
        self.refusals.clear();
    }

    /// Keeps what a reply says of the account.
    pub(super) fn take_snapshot(&mut self, reply: &LedgerReply, now: Timestamp) {
        self.keep(reply.account.clone().map(Rc::new));
        self.told_at = now;
        self.fresh_until = now.plus_ms(SNAPSHOT_TTL_MS.max(i64::from(reply.horizon_ms)));
    }
}

/// How long a good standing is believed without asking, unless the ledger has so many holders that
/// it tells them to come less often; also how long a revocation may take.
const SNAPSHOT_TTL_MS: i64 = 10_000;
/// How long a denial is believed; also the longest that somebody who has paid is kept out.
const DENIAL_TTL_MS: i64 = 3_000;
/// The shorter of the two periods that the platform's rate limits know.
const BURST_RETRY_MS: i64 = 10_000;

fn remember_refusal(
    memory: &mut Memory,
    caller: &Caller,
    meter: &str,
    costs: &[Cost],
    refusal: &Refusal,
    now: Timestamp,
) {
    let Some(view) = memory.account_mut(&caller.account) else { return };
    let Some(cost) = costs.iter().find(|cost| cost.meter == meter) else { return };
    let refused = Refused {
        meter: meter.to_owned(),
        units: cost.units,
        member: Some(caller.member().to_owned()),
        plan: caller.identity.plan.clone(),
        refusal: Rc::new(refusal.clone()),
        until: now.plus_ms(DENIAL_TTL_MS).min(refusal.quota.resets_at),
    };
    view.remember_refusal(refused, now);
}

/// What denied somebody is believed for a shorter time, also where it was believed before: whoever
/// has just paid must be back within seconds.
fn shorten_memory(memory: &mut Memory, account: &str, now: Timestamp) {
    if let Some(view) = memory.known_account_mut(account) {
        view.fresh_until = view.fresh_until.min(now.plus_ms(DENIAL_TTL_MS));
    }
}
