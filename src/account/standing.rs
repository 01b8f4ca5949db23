//! Whether an account may be served: its record and the time in, one verdict out.
//!
//! Whatever ends at an instant has ended at that instant.

use crate::account::{AccountRecord, PaymentFailure, Status};
use crate::decision::{Cause, Notice};
use crate::time::Timestamp;

/// Whether an account may be served.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Standing {
    /// It may.
    Good {
        /// What its caller should know.
        notices: Vec<Notice>,
    },
    /// It may not.
    Denied {
        /// Why.
        cause: Cause,
        /// When the thing that ended did end, where that is known.
        since: Option<Timestamp>,
    },
}

/// The standing at `now` of the account with this record; `None` where the ledger has none.
///
/// `grace_days` is how long a failed charge is forgiven, counted from
/// [`AccountRecord::payment_failed_at`] and from nothing else; a failure at an unknown time has no
/// grace. `provider_outage` is whether the operator declared that the payment provider is down:
/// then a charge that the provider still retries and a renewal that did not come are nobody's
/// fault. It does not bring back who was given up on before.
pub fn standing(
    record: Option<&AccountRecord>,
    grace_days: u32,
    provider_outage: bool,
    now: Timestamp,
) -> Standing {
    let Some(record) = record else { return denied(Cause::NoSubscription, None) };
    let passed = |at: Option<Timestamp>| at.filter(|at| *at <= now);
    if record.suspended {
        return denied(Cause::AccountSuspended, None);
    }
    match record.status {
        Status::None => return denied(Cause::NoSubscription, None),
        Status::Incomplete => return denied(Cause::PaymentIncomplete, None),
        Status::Ended => {
            let since = passed(record.ends_at).or(passed(record.current_period_ends_at));
            return denied(Cause::SubscriptionExpired, since);
        }
        Status::Trialing if passed(record.trial_ends_at).is_some() => {
            return denied(Cause::TrialEnded, record.trial_ends_at);
        }
        _ => {}
    }
    if let Some(end) = passed(record.ends_at) {
        return denied(Cause::SubscriptionExpired, Some(end));
    }
    match record.status {
        Status::Paused => denied(Cause::SubscriptionPaused, None),
        Status::PastDue | Status::Unpaid => {
            after_failed_charge(record, grace_days, provider_outage, now)
        }
        Status::Trialing if record.trial_ends_at.is_some() => good(record, None),
        _ => while_renewing(record, grace_days, provider_outage, now),
    }
}

/// Whether a token is revoked: by its id, or because it was issued before the account's cut.
///
/// A token that does not say when it was issued can't show that it came after a cut, and is revoked
/// by any.
pub fn is_revoked(
    record: &AccountRecord,
    token_id: Option<&str>,
    issued_at: Option<Timestamp>,
) -> bool {
    let by_id = token_id.is_some_and(|id| record.revoked_tokens.iter().any(|other| other == id));
    let by_age = record
        .tokens_revoked_before
        .is_some_and(|cut| issued_at.is_none_or(|issued_at| issued_at < cut));
    by_id || by_age
}

fn after_failed_charge(
    record: &AccountRecord,
    grace_days: u32,
    provider_outage: bool,
    now: Timestamp,
) -> Standing {
    let still_retried = record.status == Status::PastDue;
    let failed_by_outage = record.payment_failure == Some(PaymentFailure::ProviderOutage);
    if failed_by_outage || (provider_outage && still_retried) {
        return good(record, Some(Notice::ProviderOutage));
    }
    let grace_ends_at = record.payment_failed_at.map(|at| days_after(at, grace_days));
    match grace_ends_at {
        Some(until) if still_retried && now < until => {
            good(record, Some(Notice::PaymentGrace { until }))
        }
        _ if record.payment_failure == Some(PaymentFailure::CardExpired) => {
            denied(Cause::CardExpired, grace_ends_at.filter(|at| *at <= now))
        }
        _ => denied(Cause::PaymentFailed, grace_ends_at.filter(|at| *at <= now)),
    }
}

/// A period that is over and was not renewed: the news may only be late, so this waits for it.
fn while_renewing(
    record: &AccountRecord,
    grace_days: u32,
    provider_outage: bool,
    now: Timestamp,
) -> Standing {
    let patience_days = grace_days.saturating_add(RENEWAL_NEWS_DAYS);
    match record.current_period_ends_at {
        Some(end) if days_after(end, patience_days) <= now => {
            if provider_outage {
                good(record, Some(Notice::ProviderOutage))
            } else {
                denied(Cause::SubscriptionExpired, Some(end))
            }
        }
        _ => good(record, None),
    }
}

fn good(record: &AccountRecord, notice: Option<Notice>) -> Standing {
    let ending = record.ends_at.map(|at| Notice::SubscriptionEnding { at });
    Standing::Good { notices: notice.into_iter().chain(ending).collect() }
}

const fn denied(cause: Cause, since: Option<Timestamp>) -> Standing {
    Standing::Denied { cause, since }
}

fn days_after(at: Timestamp, days: u32) -> Timestamp {
    at.plus_seconds(i64::from(days).saturating_mul(SECONDS_PER_DAY))
}

/// How late the news of a renewal may be, beside the grace: Stripe sends a webhook again for up to
/// three days.
pub const RENEWAL_NEWS_DAYS: u32 = 3;

const SECONDS_PER_DAY: i64 = 86_400;
