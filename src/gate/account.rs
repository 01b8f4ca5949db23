//! From a verified caller to a decision: burst limit, the account's record, the quota.

use std::rc::Rc;

use super::memory::{Caller, Memory, Refusal, Refused, Snapshot};
use super::standing::barred;
use super::{Gate, Progress, RETRY_MS, Step, refund};
use crate::account::{AccountRecord, FailurePolicy};
use crate::config::{Metering, Plan, SubscriptionSource};
use crate::decision::{Cause, Degraded, Denial, Notice, Pass, QuotaState};
use crate::identity::Identity;
use crate::quota::{
    Charge, Enforcement, GrantOutcome, LedgerReply, LedgerRequest, RefusalReason, Want,
};
use crate::time::Timestamp;

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

    pub(super) fn ledger_answered(
        &mut self,
        caller: &Rc<Caller>,
        charge: Option<Charge>,
        reply: Result<Box<LedgerReply>, String>,
        memory: &mut Memory,
        now: Timestamp,
    ) -> Step {
        let reply = match reply {
            Ok(reply) => reply,
            Err(reason) => return self.ledger_failed(caller, &reason, memory, now),
        };
        let record = reply.account.map(Rc::new);
        if let Some(view) = memory.account_mut(&caller.account) {
            view.snapshot = Some(Snapshot { record: record.clone() });
            view.fresh_until = now.plus_ms(SNAPSHOT_TTL_MS);
            view.ledger_down_until = Timestamp::default();
        }
        let standing = match self.check_standing(caller, record.as_deref(), now) {
            Ok(standing) => standing,
            Err(denial) => {
                self.give_back(caller, charge.as_ref(), reply.grant.as_ref());
                return self.deny_account(*denial, caller, record.as_deref(), memory, now);
            }
        };
        match reply.grant {
            None | Some(GrantOutcome::Unlimited) => self.pass(standing.into_pass()),
            Some(GrantOutcome::LeaseTaken) => self.misconfigured("two isolates share a name"),
            Some(GrantOutcome::NoPlan) => {
                let denial = Denial::new(Cause::NoSubscription);
                self.deny_account(denial, caller, record.as_deref(), memory, now)
            }
            Some(GrantOutcome::Granted { quotas, .. }) => {
                let mut pass = standing.into_pass();
                pass.notices.extend(quotas.iter().filter_map(soft_notice));
                pass.quotas = quotas;
                pass.charge = charge;
                self.pass(pass)
            }
            Some(GrantOutcome::Refused { reason, quota, .. }) => {
                let refusal = Refusal { reason, quota };
                remember_refusal(memory, caller, charge.as_ref(), &refusal, now);
                self.refused(&refusal, &standing.identity)
            }
            Some(GrantOutcome::UnknownPlan) => {
                self.misconfigured("an account is on a plan that PLANS doesn't define")
            }
        }
    }

    /// Decides from memory, or asks the ledger.
    fn check_account(&mut self, caller: &Rc<Caller>, memory: &mut Memory, now: Timestamp) -> Step {
        let issuer = self.config.issuers.get(caller.issuer);
        let source = issuer.map(|issuer| issuer.subscription).unwrap_or_default();
        if let Some(denial) = self.undefined_plan(caller, None) {
            return self.deny(*denial, Some(&caller.identity));
        }
        let metering = self.metering().cloned();
        let view = memory.account(&caller.account);
        let fresh = view.and_then(|view| view.fresh(now));

        let known = if source == SubscriptionSource::Token && fresh.is_none() {
            self.check_entitlements(Rc::clone(&caller.identity), Vec::new()).map(Some)
        } else if let Some(snapshot) = &fresh {
            self.check_standing(caller, snapshot.record.as_deref(), now).map(Some)
        } else {
            Ok(None)
        };
        let record = fresh.as_ref().and_then(|snapshot| snapshot.record.as_deref());
        let known = match known {
            Ok(known) => known,
            Err(denial) => return self.deny_account(*denial, caller, record, memory, now),
        };
        match (known, metering) {
            (Some(standing), None) => self.pass(standing.into_pass()),
            (Some(standing), Some(metering)) => {
                let plan = standing.identity.plan.as_deref().and_then(|id| self.config.plan(id));
                if plan.is_some_and(|plan| is_unlimited(plan, &metering)) {
                    return self.pass(standing.into_pass());
                }
                if fresh.is_some() && self.plan_id(caller, record).is_none() {
                    let denial = Denial::new(Cause::NoSubscription);
                    return self.deny_account(denial, caller, record, memory, now);
                }
                let remembered =
                    view.and_then(|view| view.refusal(&metering.meter, metering.cost, now));
                match remembered {
                    Some(refusal) => self.refused(&refusal, &standing.identity),
                    None => self.ask_ledger(caller, Some(&metering), memory, now),
                }
            }
            (None, metering) => self.ask_ledger(caller, metering.as_ref(), memory, now),
        }
    }

    fn ask_ledger(
        &mut self,
        caller: &Rc<Caller>,
        metering: Option<&Metering>,
        memory: &mut Memory,
        now: Timestamp,
    ) -> Step {
        let is_down =
            memory.account(&caller.account).is_some_and(|view| now < view.ledger_down_until);
        if is_down {
            return self.without_ledger(caller, "it failed a moment ago", memory, now);
        }
        let charge = metering.map(|metering| Charge {
            lease: memory.new_lease(),
            meter: metering.meter.clone(),
            units: metering.cost,
        });
        let want = charge.as_ref().map(|charge| Want {
            lease: charge.lease.clone(),
            meter: charge.meter.clone(),
            units: charge.units,
        });
        let plan = self.plan_id(caller, None).map(str::to_owned);
        let request = LedgerRequest { plan, want, reports: Vec::new() };
        self.progress = Progress::Ledger(Rc::clone(caller), charge);
        Step::CallLedger { account: caller.account.clone(), request }
    }

    fn ledger_failed(
        &mut self,
        caller: &Rc<Caller>,
        reason: &str,
        memory: &mut Memory,
        now: Timestamp,
    ) -> Step {
        if let Some(view) = memory.account_mut(&caller.account) {
            view.ledger_down_until = now.plus_ms(RETRY_MS);
        }
        self.without_ledger(caller, reason, memory, now)
    }

    /// The ledger can't be asked: what the route says, else what the plan says. Who was known to be
    /// revoked or suspended stays out.
    fn without_ledger(
        &mut self,
        caller: &Rc<Caller>,
        reason: &str,
        memory: &Memory,
        now: Timestamp,
    ) -> Step {
        let view = memory.account(&caller.account);
        let stale = view.and_then(|view| view.snapshot.as_ref()?.record.clone());
        let plan = self.plan_of(caller, stale.as_deref());
        let by_route = self.matched().and_then(|route| route.on_outage);
        let policy = by_route.or(plan.map(|plan| plan.on_outage)).unwrap_or_default();
        if let Some(cause) = stale.as_deref().and_then(|record| barred(caller, record)) {
            return self.deny(Denial::new(cause), Some(&caller.identity));
        }
        if policy == FailurePolicy::Pass {
            let identity = self.identity_of(caller, stale.as_deref());
            return self.pass(Pass {
                identity: Some(identity),
                degraded: Some(Degraded::CheckerUnavailable),
                ..Pass::default()
            });
        }
        let mut denial = Denial::new(Cause::CheckerUnavailable);
        denial.retry_at = Some(now.plus_ms(RETRY_MS));
        denial.facts.operator_detail = Some(format!("ledger: {reason}"));
        self.deny(denial, Some(&caller.identity))
    }

    /// Denies for what the account's record says, `None` where nothing is known of it.
    fn deny_account(
        &self,
        denial: Denial,
        caller: &Caller,
        record: Option<&AccountRecord>,
        memory: &mut Memory,
        now: Timestamp,
    ) -> Step {
        shorten_memory(memory, &caller.account, now);
        self.deny(denial, Some(&self.identity_of(caller, record)))
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
        self.deny(denial, Some(identity))
    }

    /// Units that were granted to a request that is denied for another reason go back.
    fn give_back(
        &mut self,
        caller: &Caller,
        charge: Option<&Charge>,
        grant: Option<&GrantOutcome>,
    ) {
        if let (Some(charge), Some(GrantOutcome::Granted { .. })) = (charge, grant) {
            self.errands.push(refund(caller.account.clone(), charge));
        }
    }
}

/// How long a good standing is believed without asking; also how long a revocation may take.
const SNAPSHOT_TTL_MS: i64 = 10_000;
/// How long a denial is believed; also the longest that somebody who has paid is kept out.
const DENIAL_TTL_MS: i64 = 3_000;
/// The shorter of the two periods that the platform's rate limits know.
const BURST_RETRY_MS: i64 = 10_000;

fn remember_refusal(
    memory: &mut Memory,
    caller: &Caller,
    charge: Option<&Charge>,
    refusal: &Refusal,
    now: Timestamp,
) {
    let (Some(view), Some(charge)) = (memory.account_mut(&caller.account), charge) else { return };
    let refused = Refused {
        meter: charge.meter.clone(),
        units: charge.units,
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

/// Whether no quota of the plan is about the meter, so that there is nothing to ask the ledger for.
fn is_unlimited(plan: &Plan, metering: &Metering) -> bool {
    !plan.quotas.iter().any(|quota| quota.meter == metering.meter)
}

fn soft_notice(quota: &QuotaState) -> Option<Notice> {
    let is_passed = quota.enforcement == Enforcement::Soft && quota.used > quota.limit;
    is_passed.then(|| Notice::SoftQuotaPassed { quota: quota.name.clone() })
}
