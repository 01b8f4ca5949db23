//! Asking the ledger: on a request's path, off it, and what happens while it doesn't answer.

use std::rc::Rc;

use super::memory::{Caller, Credential, Memory};
use super::{Errand, Gate, Progress, Purpose, Step};
use crate::cause::Cause;
use crate::decision::{Degraded, Denial, Pass};
use crate::plan::{Cost, FailurePolicy};
use crate::quota::Charge;
use crate::quota::holder::Ask;
use crate::time::Timestamp;

impl Gate {
    /// Asks for units, or for news of the account where none are wanted.
    pub(super) fn ask_ledger(
        &mut self,
        caller: &Rc<Caller>,
        costs: &[Cost],
        memory: &mut Memory,
        now: Timestamp,
    ) -> Step {
        let deadline_ms = self.config.deadlines.ledger_ms;
        let plan = self.plan_id(caller, None, now);
        let Some(view) = memory.account_mut(&caller.account) else {
            return self.misconfigured("the memory of accounts has no room");
        };
        match view.holder.ask(costs, Some(caller.member()), plan, deadline_ms, now) {
            Ask::Send { mut request, charge } => {
                request.merge = self.next_merge(view);
                self.close_forgotten(memory, now);
                self.progress = Progress::Ledger(Rc::clone(caller), (request.number, charge));
                Step::CallLedger { account: caller.account.clone(), request: *request }
            }
            Ask::Wait => self.wait(caller, costs, memory, now),
            Ask::Unavailable => {
                self.without_ledger(caller, costs, "it failed a moment ago", memory, now)
            }
        }
    }

    /// Looks again in a moment: a message of another request is under way. Its promise can't be
    /// awaited, since the runtime would cancel it with that request.
    pub(super) fn wait(
        &mut self,
        caller: &Rc<Caller>,
        costs: &[Cost],
        memory: &mut Memory,
        now: Timestamp,
    ) -> Step {
        let deadline_ms = i64::from(self.config.deadlines.ledger_ms).saturating_mul(2);
        if now.ms_since(self.started_at) >= deadline_ms {
            return self.without_ledger(caller, costs, "others wait for it", memory, now);
        }
        let for_ms = WAIT_MIN_MS.saturating_mul(self.waits.saturating_add(1)).min(WAIT_MAX_MS);
        self.waits = self.waits.saturating_add(1);
        self.progress = Progress::Held(Rc::clone(caller));
        Step::Wait { for_ms }
    }

    /// The ledger can't be asked: what the route says, else what the plan says. Who was known to be
    /// revoked or suspended stays out.
    pub(super) fn without_ledger(
        &mut self,
        caller: &Rc<Caller>,
        costs: &[Cost],
        reason: &str,
        memory: &mut Memory,
        now: Timestamp,
    ) -> Step {
        if self.brought.take().is_some() {
            // Nobody is refused for what can wait: what is held may be enough.
            return self.check_account(caller, memory, now);
        }
        let Some(view) = memory.account_mut(&caller.account) else {
            return self.misconfigured("the memory of accounts has no room");
        };
        let stale = view.snapshot.as_ref().and_then(|snapshot| snapshot.record.clone());
        let plan = self.plan_of(caller, stale.as_deref(), now);
        let by_route = self.matched().and_then(|route| route.on_outage);
        let policy = by_route.or(plan.map(|plan| plan.on_outage)).unwrap_or_default();
        // Of an API key the record alone says what it opens: without one that is not known.
        let is_known = stale.is_some() || matches!(caller.credential, Credential::Token { .. });
        let cause = self.barred(caller, stale.as_deref(), now).filter(|_| is_known);
        if let Some(cause) = cause {
            return self.deny(Denial::new(cause), Some(&caller.identity));
        }
        if policy == FailurePolicy::Pass && self.purpose == Purpose::Passage && is_known {
            // What is held is debited already: it is spent before anything goes uncounted.
            let charge = view.holder.take(costs, Some(caller.member()), now);
            if charge.is_none() {
                view.holder.count_degraded(costs);
            }
            let identity = self.identity_of(caller, stale.as_deref(), now);
            return self.pass(Pass {
                identity: Some(identity),
                charge: charge.filter(|charge| !charge.is_empty()),
                degraded: Some(Degraded::CheckerUnavailable),
                ..Pass::default()
            });
        }
        let mut denial = Denial::new(Cause::CheckerUnavailable);
        denial.retry_at = Some(view.holder.ask_again_at().max(now.plus_ms(OUTAGE_RETRY_MS)));
        denial.facts.operator_detail = Some(format!("ledger: {reason}"));
        self.deny(denial, Some(&caller.identity))
    }

    /// Fetches more units off the request's path before they run out, or news before they are old.
    pub(super) fn top_up(&mut self, caller: &Rc<Caller>, memory: &mut Memory, now: Timestamp) {
        let deadline_ms = self.config.deadlines.ledger_ms;
        let plan = self.plan_id(caller, None, now);
        let Some(view) = memory.known_account_mut(&caller.account) else { return };
        let refresh = view.fresh_until.plus_ms(-REFRESH_AHEAD_MS) <= now;
        if let Some(request) = view.holder.top_up(plan, refresh, deadline_ms, now) {
            self.errands.push(Errand::Tell { account: caller.account.clone(), request });
        }
    }

    /// Puts units back that were taken for a request that will not pass.
    pub(super) fn put_back(
        &mut self,
        charge: &Charge,
        caller: &Caller,
        memory: &mut Memory,
        now: Timestamp,
    ) {
        if let Some(view) = memory.known_account_mut(&caller.account) {
            let to_watch = view.holder.give_back(charge, now);
            self.watch(&caller.account, to_watch);
        }
    }

    pub(super) fn watch(&mut self, account: &str, leases: Vec<u64>) {
        let errand = |lease| Errand::Watch { account: account.to_owned(), lease };
        self.errands.extend(leases.into_iter().map(errand));
    }

    /// Gives back what was held of accounts that had to make room in memory.
    pub(super) fn close_forgotten(&mut self, memory: &mut Memory, now: Timestamp) {
        let deadline_ms = self.config.deadlines.ledger_ms;
        for (account, mut holder) in memory.take_forgotten() {
            if let Some(request) = holder.close(deadline_ms, now) {
                self.errands.push(Errand::Tell { account, request });
            }
        }
    }
}

/// How long before that a request has the snapshot renewed off its path.
const REFRESH_AHEAD_MS: i64 = 2_000;
/// The least that callers are told to wait during an outage.
const OUTAGE_RETRY_MS: i64 = 1_000;
/// How soon to look again whether another request's message was answered: at first soon, then with
/// more patience.
const WAIT_MIN_MS: u32 = 4;
const WAIT_MAX_MS: u32 = 32;
