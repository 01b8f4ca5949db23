//! Calls to the ledger: on a request's path, off it, and how requests fare while it doesn't answer.

use super::applicant::{Admission, Admit, Applicant, Awaited};
use super::case::{Halt, Turn, no_room};
use super::memory::{AccountView, Caller, Credential};
use super::step::{Errand, Need};
use crate::account::AccountRecord;
use crate::cause::Cause;
use crate::config::Route;
use crate::decision::{Degraded, Denial, Pass};
use crate::identity::AccountName;
use crate::plan::{Cost, FailurePolicy};
use crate::quota::Charge;
use crate::quota::holder::Ask;
use crate::time::Timestamp;

impl Turn<'_> {
    /// Asks for units, or for news of the account where none are wanted.
    pub(super) fn ask_ledger(
        &mut self,
        route: &Route,
        applicant: Applicant,
        costs: &[Cost],
    ) -> Admission {
        let (case, caller) = (self.case, &applicant.caller);
        let deadline_ms = case.config.deadlines.ledger_ms;
        let plan = case.plan_id(caller, None);
        let Some(view) = self.memory.account_mut(&caller.account) else { return Err(no_room()) };
        match view.holder.ask(costs, Some(caller.member()), plan, deadline_ms, case.now) {
            Ask::Send { mut request, charge } => {
                let anonymous = applicant.anonymous();
                let merge = anonymous.and_then(|one| one.next(view));
                let count = merge.and_then(|place| anonymous?.count(place));
                request.merge = count.map(|count| Box::new(count.clone()));
                self.close_forgotten();
                let account = caller.account.clone();
                let number = request.number;
                let awaited = Awaited { applicant, number, set_aside: charge, merge };
                let need = Need::CallLedger { account, request };
                Err(Halt::Need(need, Admit::Ledger(Box::new(awaited))))
            }
            Ask::Wait => self.queue(route, applicant, costs),
            Ask::Unavailable => self.without_ledger(route, applicant, costs, FAILED_LATELY),
        }
    }

    /// Queues behind the message of another request. The promise of that can't be awaited, since
    /// the runtime would cancel it with that request.
    pub(super) fn queue(
        &mut self,
        route: &Route,
        applicant: Applicant,
        costs: &[Cost],
    ) -> Admission {
        match self.queue_need() {
            Some(need) => Err(Halt::Need(need, Admit::Queued(applicant))),
            None => self.without_ledger(route, applicant, costs, OTHERS_WAIT),
        }
    }

    /// The need to look again in a moment; `None` where the request has waited for long enough.
    pub(super) fn queue_need(&mut self) -> Option<Need> {
        let case = self.case;
        let deadline_ms = i64::from(case.config.deadlines.ledger_ms).saturating_mul(2);
        if case.now.ms_since(case.started_at) >= deadline_ms {
            return None;
        }
        self.notes.waits = self.notes.waits.saturating_add(1);
        let for_ms = WAIT_MIN_MS.saturating_mul(self.notes.waits).min(WAIT_MAX_MS);
        Some(Need::Wait { for_ms })
    }

    /// Goes without the ledger: by the route's policy, else by the plan's. A caller known to be
    /// revoked or suspended stays out.
    pub(super) fn without_ledger(
        &mut self,
        route: &Route,
        mut applicant: Applicant,
        costs: &[Cost],
        reason: &str,
    ) -> Admission {
        if applicant.put_off_anonymous() {
            // Nobody is refused for a count that can wait: what is held may be enough.
            return self.admit(route, applicant);
        }
        let (case, caller) = (self.case, &applicant.caller);
        let Some(view) = self.memory.account_mut(&caller.account) else { return Err(no_room()) };
        let last = view.last_record();
        let last = last.as_deref();
        let plan = case.plan_of(caller, last);
        let policy = route.on_outage.or(plan.map(|plan| plan.on_outage)).unwrap_or_default();
        if policy == FailurePolicy::Deny || !is_known(caller, last) {
            return Err(self.deny_without_ledger(caller, reason));
        }
        if let Some(cause) = case.barred(caller, last) {
            return Err(case.deny(Denial::new(cause), caller, &caller.identity).into());
        }
        // Held units are debited already: they are spent before anything goes uncounted.
        let charge = view.holder.take(costs, Some(caller.member()), case.now);
        if charge.is_none() {
            view.holder.count_degraded(costs);
        }
        Ok(Box::new(Pass {
            identity: Some(case.identity_of(caller, last)),
            charge: charge.filter(|charge| !charge.is_empty()),
            degraded: Some(Degraded::CheckerUnavailable),
            ..Pass::default()
        }))
    }

    /// Denies since the ledger can't be asked, or for what was last known of the account.
    pub(super) fn deny_without_ledger<P>(&mut self, caller: &Caller, reason: &str) -> Halt<P> {
        let case = self.case;
        let Some(view) = self.memory.account_mut(&caller.account) else { return no_room() };
        let last = view.last_record();
        let last = last.as_deref();
        let barred = case.barred(caller, last).filter(|_| is_known(caller, last));
        let denial = barred.map_or_else(|| unavailable(view, reason, case.now), Denial::new);
        case.deny(denial, caller, &caller.identity).into()
    }

    /// Fetches more units off the request's path before they run out, or news before they are old.
    pub(super) fn top_up(&mut self, caller: &Caller) {
        let case = self.case;
        let deadline_ms = case.config.deadlines.ledger_ms;
        let plan = case.plan_id(caller, None);
        let Some(view) = self.memory.known_account_mut(&caller.account) else { return };
        let refresh = view.is_refresh_due(case.now);
        if let Some(request) = view.holder.top_up(plan, refresh, deadline_ms, case.now) {
            self.notes.errands.push(Errand::Tell { account: caller.account.clone(), request });
        }
    }

    /// Puts units back that were taken for a request that will not pass.
    pub(super) fn put_back(&mut self, charge: &Charge, caller: &Caller) {
        if let Some(view) = self.memory.known_account_mut(&caller.account) {
            let to_watch = view.holder.give_back(charge, self.case.now);
            self.watch(&caller.account, to_watch);
        }
    }

    pub(super) fn watch(&mut self, account: &AccountName, leases: Vec<u64>) {
        let errand = |lease| Errand::Watch { account: account.clone(), lease };
        self.notes.errands.extend(leases.into_iter().map(errand));
    }

    /// Gives back what was held of accounts that had to make room in memory.
    pub(super) fn close_forgotten(&mut self) {
        let deadline_ms = self.case.config.deadlines.ledger_ms;
        for (account, mut holder) in self.memory.take_forgotten() {
            if let Some(request) = holder.close(deadline_ms, self.case.now) {
                self.notes.errands.push(Errand::Tell { account, request });
            }
        }
    }
}

/// Whether enough is known of a caller to go without the ledger. The rights of an API key stand in
/// the account's record alone, those of a token in the token too.
fn is_known(caller: &Caller, last: Option<&AccountRecord>) -> bool {
    last.is_some() || matches!(caller.credential, Credential::Token { .. })
}

fn unavailable(view: &AccountView, reason: &str, now: Timestamp) -> Denial {
    let mut denial = Denial::new(Cause::CheckerUnavailable);
    denial.retry_at = Some(view.holder.ask_again_at().max(now.plus_ms(OUTAGE_RETRY_MS)));
    denial.facts.operator_detail = Some(format!("ledger: {reason}"));
    denial
}

/// The reasons to go without the ledger that are none of its own.
pub(super) const FAILED_LATELY: &str = "it failed a moment ago";
pub(super) const OTHERS_WAIT: &str = "others wait for it";
/// The least `Retry-After` during an outage.
const OUTAGE_RETRY_MS: i64 = 1_000;
/// Time before another look whether another request's message was answered: short at first, then
/// longer.
const WAIT_MIN_MS: u32 = 4;
const WAIT_MAX_MS: u32 = 32;
