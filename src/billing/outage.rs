//! Whether a payment provider is down, as far as the gate can tell from what happens to charges and
//! to its own calls.
//!
//! One customer's bad day is no outage: the charges of several must fail, for reasons that are none
//! of theirs, and of those who were charged lately at least half. The verdict follows from what
//! happened and when, and from nothing else, so it makes no difference in which order it was told;
//! and what goes well never brings an outage about.

use crate::account::PaymentFailure;
use crate::billing::{BillingEvent, News, Provider};
use crate::time::Timestamp;
use crate::wire::wire;

/// How a charge of a customer or a call for it went. A bank that declines says nothing about the
/// provider, so a decline is no signal.
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
    /// Customers of the same for whom all goes well.
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
        _ => None,
    });
    // Of one event that tells both, the payment counts.
    let is_good = verdicts.max()?;
    let (provider, attempt) = (event.provider, Attempt::Charge);
    // Their clock may be ahead of ours.
    let at = event.occurred_at.min(now);
    Some(Signal { provider, attempt, customer, at, is_good })
}

/// What follows at `now` from signals, which may come in any order.
pub fn assess(signals: &[Signal], now: Timestamp) -> Outages {
    let mut outages = Outages { window_s: WINDOW_MS / 1_000, ..Outages::default() };
    let attempts = [Attempt::Charge, Attempt::Call];
    let kinds = Provider::ALL.iter().flat_map(|one| attempts.map(|attempt| (*one, attempt)));
    for (provider, attempt) in kinds {
        let is_of_kind = |signal: &&Signal| {
            signal.at <= now && (signal.provider, signal.attempt) == (provider, attempt)
        };
        let group = signals.iter().filter(is_of_kind).collect();
        let (count, since) = replay(group, now);
        if (count.failing, count.succeeding)
            > (outages.failing_customers, outages.succeeding_customers)
        {
            outages.failing_customers = count.failing;
            outages.succeeding_customers = count.succeeding;
        }
        if let Some(since) = since {
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
    use PaymentFailure::{Merchant, ProviderOutage, TryLater};
    matches!(reason, Merchant | ProviderOutage | TryLater)
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

    fn change(&mut self, change: Change) {
        let Change { is_end, is_good } = change;
        let count = if is_good { &mut self.succeeding } else { &mut self.failing };
        *count = if is_end { count.saturating_sub(1) } else { count.saturating_add(1) };
    }
}

/// A customer begins to stand so, or stands so no longer.
#[derive(Clone, Copy, Eq, Ord, PartialEq, PartialOrd)]
struct Change {
    is_end: bool,
    is_good: bool,
}

/// Goes through the history: the count at `now`, and since when an outage is on.
///
/// The count is looked at whenever it changes, also where a signal grows too old. Were it only
/// looked at when one comes, one more success could be the occasion on which an outage is found.
fn replay(mut signals: Vec<&Signal>, now: Timestamp) -> (Count, Option<Timestamp>) {
    // Of one customer and instant, the success comes last and counts.
    signals.sort_unstable();
    let mut changes: Vec<(Timestamp, Change)> = Vec::new();
    for (index, signal) in signals.iter().enumerate() {
        let next = signals.get(index.saturating_add(1));
        let next = next.filter(|next| next.customer == signal.customer);
        let ends_at = signal.at.plus_ms(WINDOW_MS);
        let ends_at = next.map_or(ends_at, |next| ends_at.min(next.at));
        for (at, is_begin) in [(signal.at, true), (ends_at, false)] {
            changes.push((at, Change { is_end: !is_begin, is_good: signal.is_good }));
        }
    }
    // Beginnings of an instant first: a count never falls below zero.
    changes.sort_unstable();
    let (mut count, mut since) = (Count::default(), None);
    for (index, (at, change)) in changes.iter().enumerate().take_while(|(_, (at, _))| *at <= now) {
        count.change(*change);
        let is_last = changes.get(index.saturating_add(1)).is_none_or(|(next, _)| next != at);
        if is_last {
            since = count.is_outage(since.is_some()).then(|| since.unwrap_or(*at));
        }
    }
    (count, since)
}

wire! { enum Attempt { Charge, Call } }
wire!(Outages { providers, since, failing_customers, succeeding_customers, window_s });
