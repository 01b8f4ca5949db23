//! Granting: all of what a message needs, and as much ahead of demand as is fair; or nothing.

use crate::account::AccountRecord;
use crate::config::Plan;
use crate::decision::QuotaState;
use crate::quota::ledger::LEASE_LIFETIME_MS;
use crate::quota::ledger::count::{Counts, counts_members};
use crate::quota::ledger::credits::Credits;
use crate::quota::store::{Announcement, HolderRow, LeaseRow, LedgerStore, StoreError};
use crate::quota::{GrantOutcome, Lease, LedgerRequest, Lost, RefusalReason, Terms, Want};
use crate::time::Timestamp;

/// Who asks for what.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked<'a> {
    pub(super) plan: &'a Plan,
    pub(super) account: Option<&'a AccountRecord>,
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
    let mut wanted = Vec::new();
    let mut may_need_credits = false;
    for want in &asked.request.wants {
        let member = want.member.as_deref();
        let counts = Counts::of_meter(store, asked.plan, asked.account, &want.meter, member, now)?;
        may_need_credits |= want.needed.saturating_add(want.ahead) > counts.room();
        wanted.push((want, counts));
    }
    let mut credits = None;
    if may_need_credits {
        let read = Credits::read(store, now)?;
        if let Some((want, counts)) = first_refused(&wanted, read.left()) {
            let states = wanted.iter().flat_map(|(_, counts)| counts.states()).collect();
            return Ok(refuse(want, counts, &read, states));
        }
        credits = Some(read);
    }
    // Credits that wants still to come need: what is granted ahead of them must leave these.
    let mut owed =
        wanted.iter().map(|(want, counts)| missing(want, counts)).fold(0, u64::saturating_add);
    let mut leases = Vec::new();
    let mut debited: Vec<&str> = Vec::new();
    let mut id = asked.request.number;
    for (want, counts) in &mut wanted {
        if debited.contains(&want.meter.as_str()) {
            // For another member: what both are counted in has changed since it was read.
            let member = want.member.as_deref();
            *counts = Counts::of_meter(store, asked.plan, asked.account, &want.meter, member, now)?;
        }
        debited.push(&want.meter);
        // Units that a member's own quotas count are not for whoever comes.
        let is_for_all = want.member.is_none() && counts_members(asked.plan, &want.meter);
        let ahead = if is_for_all { 0 } else { want.ahead };
        owed = owed.saturating_sub(missing(want, counts));
        let credits_left = credits.as_ref().map_or(0, Credits::left).saturating_sub(owed);
        let share = Share::of(want.needed, ahead, counts, credits_left, asked.holders, now);
        if !counts.is_empty() && share.units() > 0 {
            let lost = terms.lost(&want.meter);
            let (row_of_lease, lifetime_ms) =
                debit(store, want, counts, share, credits.as_mut(), now)?;
            leases.push(Lease {
                id,
                units: share.units(),
                lifetime_ms: lifetime_ms.unsigned_abs(),
                is_lenient: lost == Lost::Lenient,
                is_of_member: row_of_lease.member.is_some(),
            });
            row.leases.push(LeaseRow { id, ..row_of_lease });
            announce(store, terms, counts, now)?;
        }
        id = id.saturating_add(1);
    }
    let quotas = wanted.iter().map(|(_, counts)| counts.states()).collect();
    Ok(GrantOutcome::Granted { leases, quotas })
}

/// How much of a want is granted, and from where.
#[derive(Clone, Copy, Debug)]
struct Share {
    from_quota: u64,
    from_credits: u64,
}

impl Share {
    /// What is needed, and ahead of it at most half of an even share of the rest: whoever comes
    /// next finds something too, and as the limit nears this falls to nothing, so that the last
    /// unit is sold to whoever asks for it.
    fn of(
        needed: u64,
        ahead: u64,
        counts: &Counts<'_>,
        credits_left: u64,
        holders: u64,
        now: Timestamp,
    ) -> Self {
        let room = counts.room();
        let rest = room.saturating_add(credits_left).saturating_sub(needed);
        let fair = rest.checked_div(holders.saturating_mul(2)).unwrap_or(0);
        let ends_soon =
            counts.ends_at().is_some_and(|ends_at| ends_at.ms_since(now) < AHEAD_MIN_LIFETIME_MS);
        let ahead = if ends_soon { 0 } else { ahead.min(fair) };
        let units = needed.saturating_add(ahead);
        let from_quota = units.min(room);
        Self { from_quota, from_credits: units.saturating_sub(from_quota).min(credits_left) }
    }

    fn units(self) -> u64 {
        self.from_quota.saturating_add(self.from_credits)
    }
}

/// The first want that can't be met, if quotas and credits don't hold what all of them need.
fn first_refused<'w>(
    wanted: &'w [(&'w Want, Counts<'w>)],
    credits_left: u64,
) -> Option<(&'w Want, &'w Counts<'w>)> {
    let mut credits_left = credits_left;
    for (want, counts) in wanted {
        let missing = missing(want, counts);
        if missing > credits_left {
            return Some((want, counts));
        }
        credits_left = credits_left.saturating_sub(missing);
    }
    None
}

/// Units that a want needs and that its quotas don't have.
fn missing(want: &Want, counts: &Counts<'_>) -> u64 {
    want.needed.saturating_sub(counts.room())
}

/// Counts a share in every window; returns the lease, and for how long it may be spent.
fn debit(
    store: &mut impl LedgerStore,
    want: &Want,
    counts: &mut Counts<'_>,
    share: Share,
    credits: Option<&mut Credits>,
    now: Timestamp,
) -> Result<(LeaseRow, i64), StoreError> {
    let mut lifetime_ms = LEASE_LIFETIME_MS;
    let mut windows = Vec::new();
    if share.from_quota > 0 {
        for count in counts.iter_mut() {
            count.counter.used = count.counter.used.saturating_add(share.from_quota);
            store.put_counter(&count.key, &count.counter)?;
            windows.push(count.window_key());
        }
        lifetime_ms = lifetime_ms.min(lifetime_until(counts.ends_at(), now));
    }
    let mut taken = Vec::new();
    if let Some(credits) = credits.filter(|_| share.from_credits > 0) {
        taken = credits.take(store, share.from_credits)?;
        lifetime_ms = lifetime_ms.min(lifetime_until(credits.expires_at(&taken), now));
    }
    let lease = LeaseRow {
        id: 0,
        meter: want.meter.clone(),
        member: want.member.clone().filter(|_| counts.count_members()),
        units: share.units(),
        credits: taken,
        windows,
        spent: 0,
        returned: 0,
        has_arrived: false,
    };
    Ok((lease, lifetime_ms))
}

/// How long something may be spent that ends at `ends_at`. The holder measures with a clock of its
/// own, which may be slower than this one; a sixty-fourth is far more than any clock drifts.
fn lifetime_until(ends_at: Option<Timestamp>, now: Timestamp) -> i64 {
    let Some(ends_at) = ends_at else { return LEASE_LIFETIME_MS };
    let left_ms = ends_at.ms_since(now).max(0);
    left_ms.saturating_sub(left_ms / CLOCK_DRIFT_SHARE)
}

/// Queues an announcement for each quota that reached a threshold which was not announced yet.
fn announce(
    store: &mut impl LedgerStore,
    terms: Terms<'_>,
    counts: &mut Counts<'_>,
    now: Timestamp,
) -> Result<(), StoreError> {
    if !terms.announces {
        return Ok(());
    }
    for count in counts.iter_mut() {
        let used_percent = count.percent();
        let thresholds = terms.notify_at(&count.quota.meter);
        let reached = thresholds.iter().rev().find(|at| u64::from(**at) <= used_percent);
        let Some(reached) = reached.filter(|at| **at > count.counter.announced_percent) else {
            continue;
        };
        count.counter.announced_percent = *reached;
        store.put_counter(&count.key, &count.counter)?;
        store.queue_announcement(&Announcement {
            at: now,
            quota: count.quota.name(),
            member: count.key.member.clone(),
            percent: *reached,
            used: count.counter.used,
            limit: count.limit,
            resets_at: count.window.ends_at,
        })?;
    }
    Ok(())
}

/// Names the quota that is in the way: one that no waiting overcomes before one that starts again,
/// and of those the last to do so.
fn refuse(
    want: &Want,
    counts: &Counts<'_>,
    credits: &Credits,
    quotas: Vec<QuotaState>,
) -> GrantOutcome {
    let credits_left = credits.left();
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
    GrantOutcome::Refused { reason, meter: want.meter.clone(), quota: count.state(), quotas }
}

/// With less time left nothing is granted ahead: it would hardly arrive in time to be spent.
const AHEAD_MIN_LIFETIME_MS: i64 = 1_000;
/// What part of a time is left out, for a holder whose clock runs slow.
const CLOCK_DRIFT_SHARE: i64 = 64;
