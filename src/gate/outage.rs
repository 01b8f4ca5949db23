//! Whether the payment provider seems to be down: asked of the desk, which hears of failures of
//! many customers, before anybody is denied for a payment.

use std::rc::Rc;

use super::memory::{Caller, Memory};
use super::{Errand, Gate, Progress, Step};
use crate::cause::{Cause, Notice};
use crate::time::Timestamp;

/// What one isolate knows of the provider.
#[derive(Debug, Default)]
pub(super) struct Outage {
    is_on: bool,
    fresh_until: Timestamp,
    asking_until: Timestamp,
}

impl Outage {
    /// Whether it is known to be down. What is known too long is not.
    pub(super) fn is_on(&self, now: Timestamp) -> bool {
        self.is_on && now < self.fresh_until
    }

    /// Takes over what the desk said. Where it said nothing, all is taken to be well.
    pub(super) fn told(&mut self, is_on: Result<bool, String>, now: Timestamp) {
        let keep_ms = if is_on.is_ok() { KEEP_MS } else { RETRY_MS };
        let asking_until = Timestamp::default();
        let fresh_until = now.plus_ms(keep_ms);
        *self = Self { is_on: is_on.unwrap_or(false), fresh_until, asking_until };
    }
}

impl Gate {
    /// Asks the desk, where a denial for `cause` may be nobody's fault and what is known of that is
    /// old. One request asks; others go by what was known, for as long as it takes.
    pub(super) fn ask_outage(
        &mut self,
        cause: Cause,
        caller: &Rc<Caller>,
        memory: &mut Memory,
        now: Timestamp,
    ) -> Option<Step> {
        let is_known = self.provider_outage || now < memory.outage.fresh_until;
        if is_known || self.config.billing.is_empty() || !cause.may_be_outage() {
            return None;
        }
        memory.outage.fresh_until = now.plus_ms(i64::from(self.config.deadlines.ledger_ms));
        self.progress = Progress::Outage(Rc::clone(caller));
        Some(Step::ReadOutage)
    }

    /// Decides again, with what the desk said.
    pub(super) fn outage_read(
        &mut self,
        caller: &Rc<Caller>,
        is_on: Result<bool, String>,
        memory: &mut Memory,
        now: Timestamp,
    ) -> Step {
        memory.outage.told(is_on, now);
        self.provider_outage = self.config.provider_outage || memory.outage.is_on(now);
        self.check_account(caller, memory, now)
    }

    /// Has the desk asked off the request's path where a caller who passes is told of its payment:
    /// whoever comes next is told whose fault that is.
    pub(super) fn look_at_provider(
        &mut self,
        notices: &[Notice],
        memory: &mut Memory,
        now: Timestamp,
    ) {
        let is_told = |notice: &Notice| {
            matches!(notice, Notice::PaymentGrace { .. } | Notice::ProviderOutage)
        };
        let outage = &mut memory.outage;
        let is_due = outage.fresh_until.plus_ms(-AHEAD_MS) <= now && outage.asking_until <= now;
        let can_be = !self.config.billing.is_empty() && !self.config.provider_outage;
        if can_be && is_due && notices.iter().any(is_told) {
            outage.asking_until = now.plus_ms(i64::from(self.config.deadlines.ledger_ms));
            self.errands.push(Errand::AskOutage);
        }
    }
}

/// Takes the answer to [`Errand::AskOutage`] over.
pub fn outage_told(is_on: Result<bool, String>, memory: &mut Memory, now: Timestamp) {
    memory.outage.told(is_on, now);
}

/// How long what the desk said is believed.
const KEEP_MS: i64 = 15_000;
/// How long before that it is asked again.
const AHEAD_MS: i64 = 5_000;
/// How long it is not asked again where it did not answer.
const RETRY_MS: i64 = 5_000;
