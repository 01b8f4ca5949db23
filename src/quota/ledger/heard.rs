//! The reports of a holder: leases, units that passed uncounted, and a reader's use before it
//! signed in.

use super::error::{LedgerError, subtract, sum};
use super::subscriber::Subscriber;
use crate::plan::Plan;
use crate::quota::ledger::count::{Count, Counts};
use crate::quota::ledger::credits;
use crate::quota::store::{CounterKey, HolderRow, LeaseRow, LedgerStore, WindowKey};
use crate::quota::{DegradedUnits, LedgerRequest, Merge, MeterUnits};
use crate::store::{MAX_UNITS, StoreError};
use crate::time::Timestamp;

/// Takes over the message's reports on the holder's leases.
///
/// A lease that it doesn't name is settled if an earlier message named it. Otherwise the answer
/// that granted it never arrived, nor ever will, and all of it goes back.
pub(super) fn hear(
    store: &mut impl LedgerStore,
    row: &mut HolderRow,
    request: &LedgerRequest,
) -> Result<(), LedgerError> {
    for mut lease in std::mem::take(&mut row.leases) {
        let Some(report) = request.leases.iter().find(|report| report.id == lease.id) else {
            if !lease.has_arrived {
                take_back(store, &lease, lease.units)?;
            }
            continue;
        };
        // No report gives back more than was granted, nor takes back what was given back.
        let returned = report.returned.min(lease.units).max(lease.returned);
        take_back(store, &lease, subtract(returned, lease.returned)?)?;
        lease.returned = returned;
        lease.spent = report.spent.min(subtract(lease.units, returned)?);
        lease.has_arrived = true;
        row.leases.push(lease);
    }
    Ok(())
}

/// Takes `units` of a lease off the windows they were debited in, whether or not a new period has
/// begun; those that were credits go back first, since a holder spends them last.
pub(super) fn take_back(
    store: &mut impl LedgerStore,
    lease: &LeaseRow,
    units: u64,
) -> Result<(), LedgerError> {
    if units == 0 {
        return Ok(());
    }
    let all_credits = sum(lease.credits.iter().map(|pack| pack.units))?;
    let credits_back = lease.returned.min(all_credits);
    let from_credits = units.min(subtract(all_credits, credits_back)?);
    credits::put_back(store, &lease.credits, credits_back, from_credits)?;
    let from_quota = subtract(units, from_credits)?;
    for window in &lease.windows {
        let key = counter_key(lease, *window);
        // An old count that was deleted has nothing to be taken off.
        let Some(mut counter) = store.counter(&key)? else { continue };
        counter.used = subtract(counter.used, from_quota)?;
        store.put_counter(&key, &counter)?;
    }
    Ok(())
}

/// Adds what passed while the ledger was out of reach to the windows that hold the present. It is
/// counted apart: nobody is refused for what an outage let through.
pub(super) fn count_degraded(
    store: &mut impl LedgerStore,
    row: &mut HolderRow,
    plan: Option<&Plan>,
    subscriber: Subscriber<'_>,
    request: &LedgerRequest,
    now: Timestamp,
) -> Result<(), StoreError> {
    for DegradedUnits { meter, units, reported } in &request.degraded {
        let known = row.degraded.iter_mut().find(|other| other.meter == *meter);
        let before = known.as_ref().map_or(0, |known| known.units);
        // Totals: one that was reported before, or is older, brings no news.
        let news = units.saturating_sub(before.max(*reported));
        if news == 0 {
            continue;
        }
        match known {
            Some(known) => known.units = *units,
            None => row.degraded.push(MeterUnits { meter: meter.clone(), units: *units }),
        }
        let Some(plan) = plan else { continue };
        for count in Counts::of_meter(store, plan, subscriber, meter, None, now)?.iter_mut() {
            // Clamped on purpose: it is a figure for the operator, for which no call may fail.
            count.counter.degraded = count.counter.degraded.saturating_add(news).min(MAX_UNITS);
            store.put_counter(&count.key, &count.counter)?;
        }
    }
    Ok(())
}

/// Counts a reader's use before it signed in, as far as that wasn't counted yet and there is room.
/// Units without room are never counted: the account was full all the same.
pub(super) fn merge(
    store: &mut impl LedgerStore,
    plan: &Plan,
    subscriber: Subscriber<'_>,
    merge: &Merge,
    now: Timestamp,
) -> Result<(), LedgerError> {
    // A total: one that was counted before, or is older, brings no news.
    let news = merge.units.saturating_sub(store.merged(&merge.name)?);
    if news == 0 {
        return Ok(());
    }
    store.put_merged(&merge.name, merge.units, merge.ends_at.plus_ms(MERGE_MARGIN_MS))?;
    let member = merge.member.as_deref();
    let mut counts = Counts::of_meter(store, plan, subscriber, &merge.meter, member, now)?;
    let Some(room) = counts.iter().map(Count::room).min() else { return Ok(()) };
    let units = news.min(room);
    for count in counts.iter_mut() {
        count.debit(units)?;
        store.put_counter(&count.key, &count.counter)?;
    }
    Ok(())
}

/// Time after the end of a reader's period for which its count may still arrive: by a slow clock.
const MERGE_MARGIN_MS: i64 = 600_000;

fn counter_key(lease: &LeaseRow, window: WindowKey) -> CounterKey {
    CounterKey {
        meter: lease.meter.clone(),
        member: lease.member.clone().filter(|_| window.of_member),
        period: window.period,
        starts_at: window.starts_at,
    }
}
