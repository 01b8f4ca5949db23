//! A quota in words and as a bar.

use std::borrow::Cow;

use super::message::{date, grouped, quota_name, when};
use crate::cause::QuotaState;
use crate::plan::{Enforcement, QuotaName, Scope};
use crate::time::Timestamp;
use crate::usage::QuotaUse;

/// A quota in words and as a bar.
pub(super) struct QuotaLine {
    pub(super) name: String,
    /// `3 of 5 used`.
    pub(super) shown: String,
    /// The consequence for the next request; empty for a quota that denied, where the answer's
    /// detail has it.
    pub(super) state: Cow<'static, str>,
    /// The time at which the count starts again, in words.
    pub(super) reset: String,
    /// The same as RFC 3339.
    pub(super) resets_at: String,
    /// The length of the bar.
    pub(super) limit: u64,
    /// The filled part of the bar.
    pub(super) filled: u64,
    /// Whether nothing more passes.
    pub(super) is_full: bool,
}

impl QuotaLine {
    /// The quota that denied a request.
    pub(super) fn denying(state: &QuotaState) -> Self {
        Self::new(state, quota_name(&state.name), date(state.resets_at), Cow::Borrowed(""), true)
    }

    /// One quota of an account.
    pub(super) fn of_account(quota: &QuotaUse, has_credits: bool, now: Timestamp) -> Self {
        let state = &quota.state;
        let QuotaName { meter, period, scope } = &state.name;
        let own = if *scope == Scope::Member { ", your own" } else { "" };
        let unit = quota.meter_name.as_deref().unwrap_or(meter);
        let name = format!("{unit} per {}{own}", period.word());
        let reset = when(state.resets_at, now);
        Self::new(state, name, reset, state_text(quota, has_credits), quota.is_full)
    }

    fn new(
        quota: &QuotaState,
        name: String,
        reset: String,
        state: Cow<'static, str>,
        is_full: bool,
    ) -> Self {
        Self {
            name,
            shown: format!("{} of {} used", grouped(quota.used), grouped(quota.limit)),
            state,
            reset,
            resets_at: quota.resets_at.rfc3339(),
            // A bar of length 0 is invalid HTML; nothing allowed is shown as full.
            limit: quota.limit.max(1),
            filled: if quota.limit == 0 { 1 } else { quota.used.min(quota.limit) },
            is_full,
        }
    }
}

fn state_text(quota: &QuotaUse, has_credits: bool) -> Cow<'static, str> {
    let state = &quota.state;
    if quota.is_full && has_credits {
        return Cow::Borrowed("Used up: further requests are paid with your credits");
    }
    if quota.is_full && state.limit == 0 {
        return Cow::Borrowed("Only to be had for credits");
    }
    if quota.is_full {
        return Cow::Borrowed("Used up: further requests are refused");
    }
    let beyond = state.used.saturating_sub(state.limit);
    match state.enforcement {
        Enforcement::Soft if beyond > 0 => {
            format!("{} beyond the limit, which is counted and not refused", grouped(beyond)).into()
        }
        Enforcement::Soft | Enforcement::Hard => {
            format!("{} left", grouped(state.remaining())).into()
        }
    }
}
