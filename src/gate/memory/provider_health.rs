//! An isolate's knowledge of the payment provider: whether it seems to be down.

use crate::time::Timestamp;

/// The inbox's last answer, and when to ask again.
#[derive(Debug, Default)]
pub(crate) struct ProviderHealth {
    is_down: bool,
    fresh_until: Timestamp,
    asking_until: Timestamp,
}

impl ProviderHealth {
    /// Whether the provider is down, by an answer that isn't too old.
    pub(crate) fn is_on(&self, now: Timestamp) -> bool {
        self.is_down && self.is_fresh(now)
    }

    /// Whether the inbox was asked a moment ago, or is being asked.
    pub(crate) fn is_fresh(&self, now: Timestamp) -> bool {
        now < self.fresh_until
    }

    /// Notes that a request asks the inbox and waits for it. Others go by the last answer
    /// meanwhile, for `deadline_ms` at most.
    pub(crate) fn begin(&mut self, deadline_ms: u32, now: Timestamp) {
        self.fresh_until = now.plus_ms(i64::from(deadline_ms));
    }

    /// Whether it is time to ask again off a request's path. If so, notes that this is done, for
    /// `deadline_ms` at most.
    pub(crate) fn begin_if_due(&mut self, deadline_ms: u32, now: Timestamp) -> bool {
        let is_due = self.fresh_until.plus_ms(-AHEAD_MS) <= now && self.asking_until <= now;
        if is_due {
            self.asking_until = now.plus_ms(i64::from(deadline_ms));
        }
        is_due
    }

    /// Takes over the inbox's answer. Without one (`None`) all is taken to be well.
    pub(crate) fn answered(&mut self, is_down: Option<bool>, now: Timestamp) {
        let keep_ms = if is_down.is_some() { KEEP_MS } else { RETRY_MS };
        let fresh_until = now.plus_ms(keep_ms);
        *self = Self { is_down: is_down.unwrap_or(false), fresh_until, ..Self::default() };
    }
}

/// Time for which the inbox's answer holds.
const KEEP_MS: i64 = 15_000;
/// Time before that at which it is asked again.
const AHEAD_MS: i64 = 5_000;
/// Time for which it is not asked again after a failure.
const RETRY_MS: i64 = 5_000;
