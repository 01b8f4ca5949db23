//! Reading the usage of a caller's account: once for all who ask for the same meanwhile.

use std::rc::Rc;

use super::Inquire;
use crate::gate::case::{Halt, Turn};
use crate::gate::ledger_call::{FAILED_LATELY, OTHERS_WAIT};
use crate::gate::memory::{Caller, UsageKey, UsageRead};
use crate::gate::step::{CallError, Need};
use crate::quota::{Holder, Usage};
use crate::usage::quota_of;

impl Turn<'_> {
    /// The usage that a request has read a moment ago, or the need to read it.
    pub(super) fn known_usage(
        &mut self,
        caller: &Rc<Caller>,
        max_age_ms: i64,
    ) -> Result<Rc<Usage>, Halt<Inquire>> {
        let case = self.case;
        if let Some(denial) = case.undefined_plan(caller, None) {
            return Err(case.deny(*denial, caller, &caller.identity).into());
        }
        let key = self.usage_key(caller);
        match self.memory.usage.find(&key, max_age_ms, case.now) {
            Some(UsageRead::Known(usage)) => Ok(usage),
            Some(UsageRead::UnderWay) => match self.queue_need() {
                Some(need) => Err(Halt::Need(need, Inquire::Queued(Rc::clone(caller)))),
                None => Err(self.deny_without_ledger(caller, OTHERS_WAIT)),
            },
            Some(UsageRead::Failed) => Err(self.deny_without_ledger(caller, FAILED_LATELY)),
            None => {
                self.memory.usage.begin(&key, case.config.deadlines.ledger_ms, case.now);
                self.close_forgotten();
                let UsageKey { account, plan, member } = key;
                let need = Need::ReadUsage { account, plan, member };
                Err(Halt::Need(need, Inquire::Usage(Rc::clone(caller))))
            }
        }
    }

    /// Takes over the usage that was just read.
    pub(super) fn take_usage(
        &mut self,
        caller: &Caller,
        read: Result<Box<Usage>, CallError>,
    ) -> Result<Rc<Usage>, Halt<Inquire>> {
        let (key, now) = (self.usage_key(caller), self.case.now);
        let mut usage = match read {
            Ok(usage) => *usage,
            Err(error) => {
                self.memory.usage.end(&key, None, now);
                return Err(self.deny_without_ledger(caller, &error.to_string()));
            }
        };
        if let Some(view) = self.memory.account(&caller.account) {
            self.add_back(&view.holder, caller, &mut usage);
        }
        let usage = Rc::new(usage);
        self.memory.usage.end(&key, Some(Rc::clone(&usage)), now);
        Ok(usage)
    }

    fn usage_key(&self, caller: &Caller) -> UsageKey {
        UsageKey {
            account: caller.account.clone(),
            plan: self.case.plan_id(caller, None).map(str::to_owned),
            member: caller.member().to_owned(),
        }
    }

    /// Adds the units that this isolate holds and has not spent: they are debited already, and
    /// still the account's.
    fn add_back(&self, holder: &Holder, caller: &Caller, usage: &mut Usage) {
        let now = self.case.now;
        let plan = self.case.plan_of(caller, usage.account.as_ref());
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
}
