//! Granting: all of what a message needs, and as much ahead of demand as is fair; or nothing.
//!
//! Several wants may be counted in the same window and share the account's credits. So everything
//! is first reckoned on a draft: what all of them need, then what is ahead of demand, from what is
//! left. Only a draft that holds is written.

use super::subscriber::Subscriber;
use crate::plan::{Lost, Plan, Scope, Terms, threshold_reached};
use crate::quota::lease::LEASE_LIFETIME_MS;
use crate::quota::ledger::count::{Count, Counts};
use crate::quota::ledger::credits::Credits;
use crate::quota::store::{
    Announcement, Counter, CounterKey, HolderRow, LeaseRow, LedgerStore, Threshold,
};
use crate::quota::{GrantOutcome, Lease, LedgerRequest, RefusalReason, Want};
use crate::store::StoreError;
use crate::time::Timestamp;

/// Who asks for what.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked<'a> {
    pub(super) plan: &'a Plan,
    pub(super) subscriber: Subscriber<'a>,
    pub(super) request: &'a LedgerRequest,
    /// How many holders share the units.
    pub(super) holders: u64,
}

/// Debits the wants and adds their leases to the holder's row; or refuses and writes nothing.
pub(super) fn answer(
    store: &mut impl LedgerStore,
    terms: Terms<'_>,
    asked: &Asked<'_>,
    row: &mut HolderRow,
    now: Timestamp,
) -> Result<GrantOutcome, StoreError> {
    let mut draft = Draft::read(store, asked, now)?;
    if let Some(refused) = draft.reserve_needed(store, now)? {
        return Ok(draft.refuse(refused));
    }
    draft.reserve_ahead(store, asked, now)?;
    draft.book(store, terms, now)?;
    let leases = draft.leases(store, terms, asked.request.number, row, now)?;
    let quotas = draft.lines.iter().map(|line| line.counts.states()).collect();
    Ok(GrantOutcome::Granted { leases, quotas })
}

/// The wants of a message, and what each of them is going to get.
#[derive(Debug)]
struct Draft<'a> {
    lines: Vec<Line<'a>>,
    /// Read where a quota alone doesn't hold what is wanted.
    credits: Option<Credits>,
    /// Credits that no line has got yet.
    credits_left: u64,
}

#[derive(Debug)]
struct Line<'a> {
    want: &'a Want,
    counts: Counts<'a>,
    from_quota: u64,
    from_credits: u64,
}

impl Line<'_> {
    fn units(&self) -> u64 {
        self.from_quota.saturating_add(self.from_credits)
    }
}

impl<'a> Draft<'a> {
    fn read(
        store: &impl LedgerStore,
        asked: &Asked<'a>,
        now: Timestamp,
    ) -> Result<Self, StoreError> {
        let mut lines = Vec::new();
        for want in &asked.request.wants {
            let (meter, member) = (want.meter.as_str(), want.member.as_deref());
            let counts = Counts::of_meter(store, asked.plan, asked.subscriber, meter, member, now)?;
            lines.push(Line { want, counts, from_quota: 0, from_credits: 0 });
        }
        Ok(Self { lines, credits: None, credits_left: 0 })
    }

    /// Sets aside what requests wait for. Returns the place of the first want that can't be met.
    fn reserve_needed(
        &mut self,
        store: &impl LedgerStore,
        now: Timestamp,
    ) -> Result<Option<usize>, StoreError> {
        for place in 0..self.lines.len() {
            let Some(line) = self.lines.get(place) else { break };
            let (needed, room) = (line.want.needed, line.counts.room());
            if line.counts.is_empty() {
                continue;
            }
            if needed > room {
                self.read_credits(store, now)?;
            }
            if needed.saturating_sub(room) > self.credits_left {
                return Ok(Some(place));
            }
            self.reserve(place, needed);
        }
        Ok(None)
    }

    /// Sets aside units ahead of demand, at most a quarter of an even share of the rest: whoever
    /// comes next finds something too, what a lost isolate takes with it is a small part, and as
    /// the limit nears this falls to nothing, so that the last unit is sold to whoever asks for it.
    fn reserve_ahead(
        &mut self,
        store: &impl LedgerStore,
        asked: &Asked<'_>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        for place in 0..self.lines.len() {
            let Some(line) = self.lines.get(place) else { break };
            let (ahead, room) = (line.want.ahead, line.counts.room());
            let is_limited = !line.counts.is_empty() && !is_for_nobody(line.want, asked.plan);
            if ahead == 0 || !is_limited || line.counts.end_soon(now) {
                continue;
            }
            if ahead > room {
                self.read_credits(store, now)?;
            }
            let rest = room.saturating_add(self.credits_left);
            let parts = asked.holders.saturating_mul(PARTS_OF_A_SHARE);
            let fair = rest.checked_div(parts).unwrap_or(0);
            self.reserve(place, ahead.min(fair));
        }
        Ok(())
    }

    /// Sets units aside for a line: what the quotas have, and the rest from credits.
    fn reserve(&mut self, place: usize, units: u64) {
        let Some(line) = self.lines.get_mut(place) else { return };
        let from_quota = units.min(line.counts.room());
        let from_credits = units.saturating_sub(from_quota).min(self.credits_left);
        line.from_quota = line.from_quota.saturating_add(from_quota);
        line.from_credits = line.from_credits.saturating_add(from_credits);
        self.credits_left = self.credits_left.saturating_sub(from_credits);
        let keys: Vec<CounterKey> = line.counts.iter().map(|count| count.key.clone()).collect();
        let counts = self.lines.iter_mut().flat_map(|line| line.counts.iter_mut());
        for count in counts.filter(|count| keys.contains(&count.key)) {
            count.reserved = count.reserved.saturating_add(from_quota);
        }
    }

    fn read_credits(&mut self, store: &impl LedgerStore, now: Timestamp) -> Result<(), StoreError> {
        if self.credits.is_none() {
            let credits = Credits::read(store, now)?;
            self.credits_left = credits.left();
            self.credits = Some(credits);
        }
        Ok(())
    }

    /// Counts what was set aside in every window, each once, and announces what that reached.
    fn book(
        &mut self,
        store: &mut impl LedgerStore,
        terms: Terms<'_>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut booked: Vec<(CounterKey, Counter)> = Vec::new();
        let counts = self.lines.iter_mut().flat_map(|line| line.counts.iter_mut());
        for count in counts.filter(|count| count.reserved > 0) {
            let reserved = std::mem::take(&mut count.reserved);
            if let Some((_, counter)) = booked.iter().find(|(key, _)| *key == count.key) {
                count.counter = *counter;
                continue;
            }
            count.counter.used = count.counter.used.saturating_add(reserved);
            if terms.announces {
                announce(store, terms, count, now)?;
            }
            store.put_counter(&count.key, &count.counter)?;
            booked.push((count.key.clone(), count.counter));
        }
        Ok(())
    }

    /// Makes the leases and adds them to the holder's row.
    fn leases(
        &mut self,
        store: &mut impl LedgerStore,
        terms: Terms<'_>,
        number: u64,
        row: &mut HolderRow,
        now: Timestamp,
    ) -> Result<Vec<Lease>, StoreError> {
        let mut leases = Vec::new();
        for (line, id) in self.lines.iter().zip(number..) {
            if line.units() == 0 {
                continue;
            }
            let (lease_row, lifetime_ms) = lease_row(store, line, self.credits.as_mut(), id, now)?;
            leases.push(Lease {
                id,
                units: lease_row.units,
                lifetime_ms: lifetime_ms.unsigned_abs(),
                credits: line.from_credits,
                is_lenient: terms.lost(&line.want.meter) == Lost::Lenient,
                is_of_member: lease_row.member.is_some(),
            });
            row.leases.push(lease_row);
        }
        Ok(leases)
    }

    /// Names the quota that is in the way of a want: one that no waiting overcomes before one that
    /// starts again, and of those the last to do so.
    fn refuse(&self, place: usize) -> GrantOutcome {
        let (Some(line), Some(credits)) = (self.lines.get(place), &self.credits) else {
            return GrantOutcome::UnknownPlan;
        };
        let (want, counts, credits_left) = (line.want, &line.counts, credits.left());
        let too_little = |room: u64| room.saturating_add(credits_left) < want.needed;
        let never =
            counts.iter().filter(|count| too_little(count.ceiling())).min_by_key(|c| c.ceiling());
        let not_now = counts
            .iter()
            .filter(|count| too_little(count.room()))
            .max_by_key(|count| count.window.ends_at);
        let tightest = counts.iter().min_by_key(|count| count.room());
        // Only a meter with quotas is refused; without any there is nothing to name.
        let Some(count) = never.or(not_now).or(tightest) else { return GrantOutcome::UnknownPlan };
        // A quota of nothing is how a plan sells a meter by credits alone.
        let about_credits = credits.were_ever && (never.is_none() || count.ceiling() == 0);
        let reason = match never {
            _ if about_credits => RefusalReason::CreditsExhausted,
            Some(_) => RefusalReason::CostExceedsQuota,
            None => RefusalReason::QuotaExhausted,
        };
        let (meter, quota) = (want.meter.clone(), count.state());
        let quotas = self.lines.iter().flat_map(|line| line.counts.states()).collect();
        GrantOutcome::Refused { reason, meter, quota, quotas }
    }
}

/// Whether a want names no member where each has a count of its own. Units that everybody may spend
/// would be counted in none of these.
fn is_for_nobody(want: &Want, plan: &Plan) -> bool {
    let mut of_meter = plan.quotas.iter().filter(|quota| quota.meter == want.meter);
    want.member.is_none() && of_meter.any(|quota| quota.scope == Scope::Member)
}

/// The lease of a line as the ledger remembers it, and for how long it may be spent.
fn lease_row(
    store: &mut impl LedgerStore,
    line: &Line<'_>,
    credits: Option<&mut Credits>,
    id: u64,
    now: Timestamp,
) -> Result<(LeaseRow, i64), StoreError> {
    let Line { want, counts, from_quota, from_credits } = line;
    let mut lifetime_ms = LEASE_LIFETIME_MS;
    let mut windows = Vec::new();
    if *from_quota > 0 {
        for key in counts.iter().map(Count::window_key) {
            if !windows.contains(&key) {
                windows.push(key);
            }
        }
        lifetime_ms = lifetime_ms.min(lifetime_until(counts.ends_at(), now));
    }
    let mut taken = Vec::new();
    if let Some(credits) = credits.filter(|_| *from_credits > 0) {
        taken = credits.take(store, *from_credits)?;
        lifetime_ms = lifetime_ms.min(lifetime_until(credits.expires_at(&taken), now));
    }
    let row = LeaseRow {
        id,
        meter: want.meter.clone(),
        member: want.member.clone().filter(|_| counts.count_members()),
        units: line.units(),
        credits: taken,
        windows,
        spent: 0,
        returned: 0,
        has_arrived: false,
    };
    Ok((row, lifetime_ms))
}

/// How long something may be spent that ends at `ends_at`. The holder measures with a clock of its
/// own, which may be slower than this one; a sixty-fourth is far more than any clock drifts.
fn lifetime_until(ends_at: Option<Timestamp>, now: Timestamp) -> i64 {
    let Some(ends_at) = ends_at else { return LEASE_LIFETIME_MS };
    let left_ms = ends_at.ms_since(now).max(0);
    left_ms.saturating_sub(left_ms / CLOCK_DRIFT_SHARE)
}

/// Queues an announcement if the quota reached a threshold that was not announced yet.
fn announce(
    store: &mut impl LedgerStore,
    terms: Terms<'_>,
    count: &mut Count<'_>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let thresholds = terms.notify_at(&count.quota.meter);
    let reached = threshold_reached(thresholds, count.percent());
    let Some(reached) = reached.filter(|at| *at > count.counter.announced_percent) else {
        return Ok(());
    };
    count.counter.announced_percent = reached;
    store.queue_announcement(&Announcement::Threshold(Threshold {
        at: now,
        quota: count.quota.name(),
        member: count.key.member.clone(),
        percent: reached,
        used: count.counter.used,
        limit: count.limit,
        resets_at: count.window.ends_at,
    }))
}

/// An even share of the rest is granted in so many parts.
const PARTS_OF_A_SHARE: u64 = 4;
/// What part of a time is left out, for a holder whose clock runs slow.
const CLOCK_DRIFT_SHARE: i64 = 64;
