//! A ledger's reply, and its meaning for the request that waits for it.

use super::applicant::{Admission, Applicant, Awaited};
use super::case::{Halt, Turn, no_room};
use super::memory::LedgerRefusal;
use super::standing::Admitted;
use super::step::CallError;
use crate::account::AccountRecord;
use crate::cause::Cause;
use crate::config::Route;
use crate::decision::Denial;
use crate::quota::{GrantOutcome, LedgerReply};

/// The meaning of a reply for the request.
enum Verdict {
    /// It passes, and costs nothing.
    Free(Admitted),
    /// It passes; the ledger has granted the units.
    Granted(Admitted),
    /// It may pass, but for the units.
    Refused(Admitted, String, LedgerRefusal),
    /// The account's record is in the way.
    Denied(Denial),
    /// The reply doesn't fit the message, or the configuration.
    Fault(&'static str),
}

impl Turn<'_> {
    /// Decides by the ledger's reply. Units that the request doesn't spend go back.
    pub(super) fn ledger_answered(
        &mut self,
        route: &Route,
        awaited: Awaited,
        reply: Result<Box<LedgerReply>, CallError>,
    ) -> Admission {
        let Awaited { applicant, number, set_aside, merge } = awaited;
        let now = self.case.now;
        let costs = self.case.costs(route, None);
        let Some(view) = self.memory.account_mut(&applicant.caller.account) else {
            return Err(no_room());
        };
        let reply = match reply {
            Ok(reply) => reply,
            Err(error) => {
                view.holder.failed(&set_aside.holder, number, now);
                self.put_back(&set_aside, &applicant.caller);
                return self.without_ledger(route, applicant, &costs, &error.to_string());
            }
        };
        let Some(answered) = view.holder.answered(&set_aside.holder, number, &reply, now) else {
            // A later message has voided this one: its sender brings the units.
            self.put_back(&set_aside, &applicant.caller);
            return self.queue(route, applicant, &costs);
        };
        view.keep(reply.account.clone(), reply.horizon_ms, now);
        if let Some(GrantOutcome::Granted { .. } | GrantOutcome::Refused { .. }) = &reply.grant {
            let anonymous = applicant.anonymous();
            if let Some(merge) = merge.and_then(|place| anonymous?.count(place)) {
                view.remember_merged(merge.clone());
            }
        }
        self.watch(&applicant.caller.account, answered.to_watch);
        let charge = set_aside.plus(answered.charge);
        let LedgerReply { account, grant, .. } = *reply;
        let verdict = match grant {
            Some(GrantOutcome::Granted { .. }) if answered.is_short => {
                Verdict::Fault("the ledger granted less than it was asked for")
            }
            grant => self.verdict(route, &applicant, account.as_ref(), grant, costs.is_empty()),
        };
        if !matches!(verdict, Verdict::Granted(_)) {
            self.put_back(&charge, &applicant.caller);
        }
        let caller = &applicant.caller;
        match verdict {
            Verdict::Free(standing) => Ok(Box::new(self.pass_free(standing, caller))),
            Verdict::Granted(standing) => {
                Ok(Box::new(self.pass_charged(standing, charge, &costs, &applicant)))
            }
            Verdict::Refused(standing, meter, refusal) => {
                let denial = self.case.refuse(&refusal, caller, &standing.identity);
                if let Some(view) = self.memory.account_mut(&caller.account) {
                    view.remember_refusal(refusal, &meter, &costs, caller, now);
                }
                Err(denial.into())
            }
            Verdict::Denied(denial) => Err(self.deny_account(denial, applicant, account.as_ref())),
            Verdict::Fault(detail) => Err(Halt::fault(detail)),
        }
    }

    fn verdict(
        &self,
        route: &Route,
        applicant: &Applicant,
        record: Option<&AccountRecord>,
        grant: Option<GrantOutcome>,
        is_free: bool,
    ) -> Verdict {
        let standing = match self.case.check_standing(route, &applicant.caller, record) {
            Ok(standing) => standing,
            Err(denial) => return Verdict::Denied(*denial),
        };
        match grant {
            None if is_free => Verdict::Free(standing),
            None => {
                Verdict::Fault("the ledger was asked for units and did not say if it grants them")
            }
            Some(GrantOutcome::Granted { .. }) => Verdict::Granted(standing),
            Some(GrantOutcome::Refused { reason, meter, quota, quotas }) => {
                Verdict::Refused(standing, meter, LedgerRefusal { reason, quota, quotas })
            }
            Some(GrantOutcome::NoPlan) => Verdict::Denied(Denial::new(Cause::NoSubscription)),
            Some(GrantOutcome::UnknownPlan) => {
                Verdict::Fault("an account is on a plan that PLANS doesn't define")
            }
            Some(GrantOutcome::Void) => {
                Verdict::Fault("the ledger knows a later message of this isolate")
            }
        }
    }
}
