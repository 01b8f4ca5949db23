//! The detection of an outage of a payment provider, as far as it shows in charges and in the
//! gate's own calls.
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

/// The outcome of a charge of a customer, or of a call for it. A bank that declines is no sign of
/// the provider's health, so a decline is no signal.
///
/// In order, the signals of a customer stand together, by time, failures before successes.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Signal {
    /// The provider of the customer.
    pub provider: Provider,
    /// The attempt.
    pub attempt: Attempt,
    /// The provider's id of the customer.
    pub customer: String,
    /// The time of the attempt.
    pub at: Timestamp,
    /// Whether it succeeded.
    pub is_good: bool,
}

/// Something that a provider may fail to do.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub enum Attempt {
    /// Charge a customer.
    #[default]
    Charge,
    /// Answer a call of its API.
    Call,
}

/// The known outages.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Outages {
    /// Providers that are down.
    pub providers: Vec<Provider>,
    /// Since when the first of them is, where that is no longer ago than [`HISTORY_MS`].
    pub since: Option<Timestamp>,
    /// Customers who fail now for reasons that are none of theirs, of the provider and attempt that
    /// has most of them.
    pub failing_customers: u64,
    /// Customers of the same for whom all goes well; only counted while others fail.
    pub succeeding_customers: u64,
    /// Length of the window that counts as now, in seconds.
    pub window_s: i64,
}

impl Outages {
    /// Whether any provider is down.
    pub fn is_detected(&self) -> bool {
        !self.providers.is_empty()
    }
}

/// The signal of an event about charges.
pub fn signals_of(event: &BillingEvent, now: Timestamp) -> Option<Signal> {
    let customer = event.customer.clone()?;
    let verdicts = event.news.iter().filter_map(|news| match news {
        News::Paid { .. } => Some(true),
        News::PaymentFailed { reason: Some(reason), .. } => {
            is_provider_side(*reason).then_some(false)
        }
        // A failure without a reason says nothing of the provider.
        News::PaymentFailed { reason: None, .. }
        | News::Credits { .. }
        | News::CustomerDeleted
        | News::Dispute { .. }
        | News::Entitlements { .. }
        | News::Note { .. }
        | News::Subscription { .. } => None,
    });
    // Of one event with both, the payment counts.
    let is_good = verdicts.max()?;
    let (provider, attempt) = (event.provider, Attempt::Charge);
    // Their clock may be ahead of ours.
    let at = event.occurred_at.min(now);
    Some(Signal { provider, attempt, customer, at, is_good })
}

/// The verdict at `now` on signals in the order of [`Signal`]: they may have come in any.
pub fn assess(signals: &[Signal], now: Timestamp) -> Outages {
    let mut outages = Outages { window_s: WINDOW_MS / 1_000, ..Outages::default() };
    let is_together =
        |one: &Signal, next: &Signal| (one.provider, one.attempt) == (next.provider, next.attempt);
    for group in signals.chunk_by(is_together) {
        let (count, since) = replay(group, WINDOW_MS, now);
        // In a busy shop, an hour's successes would hide an outage for too long.
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

/// Time for which a charge or call counts.
pub const WINDOW_MS: i64 = 3_600_000;
/// Time for which it counts in a busy shop, so that an outage shows sooner.
pub const SHORT_WINDOW_MS: i64 = 900_000;
/// Span of signals that are looked at for the beginning of an outage.
pub const HISTORY_MS: i64 = 86_400_000;

/// Fewer customers are no outage.
const MIN_FAILING: u64 = 5;
/// With fewer, one is over.
const STILL_FAILING: u64 = 3;
/// An outage that is on is over when more than this many succeed for each one that fails; one
/// begins when no more succeed than fail.
const STILL_FAILING_SHARE: u64 = 3;

/// Whether the failure is neither the payer's nor the bank's doing.
const fn is_provider_side(reason: PaymentFailure) -> bool {
    use PaymentFailure::{ProviderOutage, TryLater};
    matches!(reason, ProviderOutage | TryLater)
}

/// Number of customers by outcome.
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

/// The time at which a customer begins or ceases to be counted. Of one instant, beginnings come
/// first, so that no count falls below zero.
#[derive(Clone, Copy, Eq, Ord, PartialEq, PartialOrd)]
struct Transition {
    at: Timestamp,
    edge: Edge,
    is_good: bool,
}

#[derive(Clone, Copy, Eq, Ord, PartialEq, PartialOrd)]
enum Edge {
    Begin,
    End,
}

/// Goes through the history: the count at `now`, and since when an outage is on.
///
/// The count is looked at whenever it changes, also where a signal grows too old. Were it only
/// looked at when one comes, one more success could be the occasion on which an outage is found.
fn replay(signals: &[Signal], window_ms: i64, now: Timestamp) -> (Count, Option<Timestamp>) {
    let mut transitions: Vec<Transition> = Vec::new();
    let mut rest = signals;
    while let Some((signal, after)) = rest.split_first() {
        rest = after;
        // Of one customer and instant, the success comes last and counts.
        let next = after.first().filter(|next| next.customer == signal.customer);
        let ends_at = signal.at.plus_ms(window_ms);
        let ends_at = next.map_or(ends_at, |next| ends_at.min(next.at));
        let is_good = signal.is_good;
        transitions.push(Transition { at: signal.at, edge: Edge::Begin, is_good });
        transitions.push(Transition { at: ends_at, edge: Edge::End, is_good });
    }
    transitions.retain(|one| one.at <= now);
    transitions.sort_unstable();
    let (mut count, mut since) = (Count::default(), None);
    for of_one_instant in transitions.chunk_by(|one, next| one.at == next.at) {
        for Transition { edge, is_good, .. } in of_one_instant {
            let count = if *is_good { &mut count.succeeding } else { &mut count.failing };
            *count = match edge {
                Edge::Begin => count.saturating_add(1),
                Edge::End => count.saturating_sub(1),
            };
        }
        let at = of_one_instant.first().map(|one| one.at);
        since = if count.is_outage(since.is_some()) { since.or(at) } else { None };
    }
    (count, since)
}

wire! { enum Attempt { 1: Charge, 2: Call } }
wire!(Outages {
    1: providers,
    2: since,
    3: failing_customers,
    4: succeeding_customers,
    5: window_s,
});
