//! The question whether the payment provider seems to be down, before a denial for a payment. It
//! goes to the inbox, where the failures of many customers come together.

use super::case::{Case, Turn};
use super::memory::Memory;
use super::step::{CallError, Errand};
use crate::cause::{Cause, Notice};
use crate::time::Timestamp;

impl Turn<'_> {
    /// Whether the inbox has to be asked before a denial for `cause`: the provider may be to blame,
    /// and what is known of it is old. One request asks; others go by what was known meanwhile.
    pub(super) fn begin_outage_check(&mut self, cause: Cause) -> bool {
        let Case { config, now, provider_outage, .. } = self.case;
        let is_known = provider_outage || self.memory.outage.is_fresh(now);
        if is_known || config.billing.is_empty() || !cause.may_be_outage() {
            return false;
        }
        self.memory.outage.begin(config.deadlines.ledger_ms, now);
        true
    }

    /// Takes over the inbox's answer, by which the caller is judged again.
    pub(super) fn outage_read(&mut self, is_down: Result<bool, CallError>) {
        let (config, now) = (self.case.config, self.case.now);
        if let Err(error) = outage_reported(is_down, self.memory, now) {
            self.notes.unanswered = Some(format!("inbox: {error}"));
        }
        self.notes.provider_outage = config.provider_outage || self.memory.outage.is_on(now);
        self.case.provider_outage = self.notes.provider_outage;
    }

    /// Has the inbox asked off the request's path where a caller passes with a notice about its
    /// payment: the next notice then names the one to blame.
    pub(super) fn look_at_provider(&mut self, notices: &[Notice]) {
        let is_about_payment = |notice: &Notice| {
            matches!(notice, Notice::PaymentGrace { .. } | Notice::ProviderOutage)
        };
        let config = self.case.config;
        let can_be = !config.billing.is_empty() && !config.provider_outage;
        let deadline_ms = config.deadlines.ledger_ms;
        if can_be
            && notices.iter().any(is_about_payment)
            && self.memory.outage.begin_if_due(deadline_ms, self.case.now)
        {
            self.notes.errands.push(Errand::AskOutage);
        }
    }
}

/// Takes over the answer to [`Errand::AskOutage`]: whether the provider is down.
///
/// # Errors
///
/// The answer's own: all is taken to be well then, for a while.
pub fn outage_reported(
    is_down: Result<bool, CallError>,
    memory: &mut Memory,
    now: Timestamp,
) -> Result<(), CallError> {
    memory.outage.answered(is_down.as_ref().ok().copied(), now);
    is_down.map(|_| ())
}
