//! Whether a payment provider is down, as far as the gate can tell from what happens to charges and
//! to its own calls.
//!
//! One customer's bad day is no outage. The charges of several must fail, for reasons that are none
//! of theirs. They must be at least half of the customers with a charge lately: in the last hour,
//! or in the last quarter of it. A customer only counts when linked to an account and after an
//! earlier payment, so that no stranger's card brings anybody in. The verdict depends on the events
//! and their times alone, not on the order of their arrival. A success never brings an outage
//! about.

use crate::account::Provider;
use crate::billing::{BillingEvent, News};
use crate::cause::PaymentFailure;
use crate::time::Timestamp;
use crate::wire::wire;

/// How a charge of a customer or a call for it went. A bank that declines says nothing about the
/// provider, so a decline is no signal.
///
/// In order, the signals of a customer stand together, by time, failures before successes.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Signal {
    /// Whose customer.
    pub provider: Provider,
    /// What was tried.
    pub attempt: Attempt,
    /// The provider's id of the customer.
    pub customer: String,
    /// When.
    pub at: Timestamp,
    /// Whether it went well.
    pub is_good: bool,
}

/// What a provider may fail to do.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub enum Attempt {
    /// Charge a customer.
    #[default]
    Charge,
    /// Answer a call of its API.
    Call,
}

/// What is known about outages.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Outages {
    /// Providers that are down.
    pub providers: Vec<Provider>,
    /// Since when the first of them is, where that is no longer ago than [`HISTORY_MS`].
    pub since: Option<Timestamp>,
    /// Customers who fail now for reasons that are none of theirs, of the provider and attempt that
    /// has most of them.
    pub failing_customers: u64,
    /// Customers of the same for whom all goes well; only counted while somebody fails.
    pub succeeding_customers: u64,
    /// How long ago counts as now, in seconds.
    pub window_s: i64,
}

impl Outages {
    /// Whether any provider is down.
    pub fn is_detected(&self) -> bool {
        !self.providers.is_empty()
    }
}

/// What an event tells about charges.
pub fn signals_of(event: &BillingEvent, now: Timestamp) -> Option<Signal> {
    let customer = event.customer.clone()?;
    let verdicts = event.news.iter().filter_map(|news| match news {
        News::Paid { .. } => Some(true),
        News::PaymentFailed { reason: Some(reason), .. } => is_nobodys(*reason).then_some(false),
        // A failure without a reason says nothing of the provider.
        News::PaymentFailed { reason: None, .. }
        | News::Credits { .. }
        | News::CustomerDeleted
        | News::Dispute { .. }
        | News::Entitlements { .. }
        | News::Note { .. }
        | News::Subscription { .. } => None,
    });
    // Of one event that tells both, the payment counts.
    let is_good = verdicts.max()?;
    let (provider, attempt) = (event.provider, Attempt::Charge);
    // Their clock may be ahead of ours.
    let at = event.occurred_at.min(now);
    Some(Signal { provider, attempt, customer, at, is_good })
}

/// What follows at `now` from signals in the order of [`Signal`]: in whichever order they came.
pub fn assess(signals: &[Signal], now: Timestamp) -> Outages {
    let mut outages = Outages { window_s: WINDOW_MS / 1_000, ..Outages::default() };
    let is_together =
        |one: &Signal, next: &Signal| (one.provider, one.attempt) == (next.provider, next.attempt);
    for group in signals.chunk_by(is_together) {
        let (count, since) = replay(group, WINDOW_MS, now);
        // Where much goes on, an hour's successes would hide an outage for too long.
        let (_, lately) = replay(group, SHORT_WINDOW_MS, now);
        let since = [since, lately].into_iter().flatten().min();
        let most = (outages.failing_customers, outages.succeeding_customers);
        if (count.failing, count.succeeding) > most {
            outages.failing_customers = count.failing;
            outages.succeeding_customers = count.succeeding;
        }
        let provider = group.first().map(|signal| signal.provider);
        if let (Some(since), Some(provider)) = (since, provider) {
            outages.since = Some(outages.since.map_or(since, |first| first.min(since)));
            if !outages.providers.contains(&provider) {
                outages.providers.push(provider);
            }
        }
    }
    outages
}

/// For how long a charge or call says something.
pub const WINDOW_MS: i64 = 3_600_000;
/// For how long it does where so much goes on that an outage shows sooner.
pub const SHORT_WINDOW_MS: i64 = 900_000;
/// How far back signals are looked at to tell how long an outage lasts.
pub const HISTORY_MS: i64 = 86_400_000;

/// Fewer customers are no outage.
const MIN_FAILING: u64 = 5;
/// With fewer, one is over.
const STILL_FAILING: u64 = 3;
/// An outage that is on is over when more than this many succeed for each one that fails; one
/// begins when no more succeed than fail.
const STILL_FAILING_SHARE: u64 = 3;

/// Whether the failure is neither the payer's nor the bank's doing.
const fn is_nobodys(reason: PaymentFailure) -> bool {
    use PaymentFailure::{ProviderOutage, TryLater};
    matches!(reason, ProviderOutage | TryLater)
}

/// How many customers stand how.
#[derive(Clone, Copy, Default)]
struct Count {
    failing: u64,
    succeeding: u64,
}

impl Count {
    fn is_outage(self, was_outage: bool) -> bool {
        let Self { failing, succeeding } = self;
        (failing >= MIN_FAILING && failing >= succeeding)
            || (was_outage
                && failing >= STILL_FAILING
                && failing.saturating_mul(STILL_FAILING_SHARE) >= succeeding)
    }
}

/// When a customer begins to stand so, or stands so no longer. Of one instant, beginnings come
/// first, so that no count falls below zero.
type Change = (Timestamp, IsEnd, IsGood);
type IsEnd = bool;
type IsGood = bool;

/// Goes through the history: the count at `now`, and since when an outage is on.
///
/// The count is looked at whenever it changes, also where a signal grows too old. Were it only
/// looked at when one comes, one more success could be the occasion on which an outage is found.
fn replay(signals: &[Signal], window_ms: i64, now: Timestamp) -> (Count, Option<Timestamp>) {
    let mut changes: Vec<Change> = Vec::new();
    let mut rest = signals;
    while let Some((signal, after)) = rest.split_first() {
        rest = after;
        // Of one customer and instant, the success comes last and counts.
        let next = after.first().filter(|next| next.customer == signal.customer);
        let ends_at = signal.at.plus_ms(window_ms);
        let ends_at = next.map_or(ends_at, |next| ends_at.min(next.at));
        changes.push((signal.at, false, signal.is_good));
        changes.push((ends_at, true, signal.is_good));
    }
    changes.retain(|(at, ..)| *at <= now);
    changes.sort_unstable();
    let (mut count, mut since) = (Count::default(), None);
    for of_one_instant in changes.chunk_by(|one, next| one.0 == next.0) {
        for (_, is_end, is_good) in of_one_instant {
            let count = if *is_good { &mut count.succeeding } else { &mut count.failing };
            *count = if *is_end { count.saturating_sub(1) } else { count.saturating_add(1) };
        }
        let at = of_one_instant.first().map(|(at, ..)| *at);
        since = if count.is_outage(since.is_some()) { since.or(at) } else { None };
    }
    (count, since)
}

wire! { enum Attempt { Charge, Call } }
wire!(Outages { providers, since, failing_customers, succeeding_customers, window_s });
