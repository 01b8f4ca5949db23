//! The reports of a holder: leases, units that passed uncounted, and a reader's use before it
//! signed in.

use super::subscriber::Subscriber;
use crate::plan::Plan;
use crate::quota::ledger::count::Counts;
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
) -> Result<(), StoreError> {
    for mut lease in std::mem::take(&mut row.leases) {
        let Some(report) = request.leases.iter().find(|report| report.id == lease.id) else {
            if !lease.has_arrived {
                take_back(store, &lease, lease.units)?;
            }
            continue;
        };
        let returned = report.returned.clamp(lease.returned, lease.units);
        take_back(store, &lease, returned.saturating_sub(lease.returned))?;
        lease.returned = returned;
        lease.spent = report.spent.min(lease.units.saturating_sub(returned));
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
) -> Result<(), StoreError> {
    if units == 0 {
        return Ok(());
    }
    let all_credits = lease.credits.iter().fold(0, |sum: u64, pack| sum.saturating_add(pack.units));
    let credits_out = all_credits.saturating_sub(lease.returned);
    let from_credits = units.min(credits_out);
    credits::put_back(store, &lease.credits, lease.returned.min(all_credits), from_credits)?;
    for window in &lease.windows {
        let key = counter_key(lease, *window);
        let mut counter = store.counter(&key)?.unwrap_or_default();
        counter.used = counter.used.saturating_sub(units.saturating_sub(from_credits));
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
    for DegradedUnits { meter, units, told } in &request.degraded {
        let known = row.degraded.iter_mut().find(|other| other.meter == *meter);
        let before = known.as_ref().map_or(0, |known| known.units);
        let news = units.saturating_sub(before.max(*told));
        if news == 0 {
            continue;
        }
        match known {
            Some(known) => known.units = *units,
            None => row.degraded.push(MeterUnits { meter: meter.clone(), units: *units }),
        }
        let Some(plan) = plan else { continue };
        for count in Counts::of_meter(store, plan, subscriber, meter, None, now)?.iter_mut() {
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
) -> Result<(), StoreError> {
    let news = merge.units.saturating_sub(store.merged(&merge.name)?);
    if news == 0 {
        return Ok(());
    }
    store.put_merged(&merge.name, merge.units, merge.ends_at.plus_ms(MERGE_MARGIN_MS))?;
    let member = merge.member.as_deref();
    let mut counts = Counts::of_meter(store, plan, subscriber, &merge.meter, member, now)?;
    let units = news.min(counts.room());
    for count in counts.iter_mut() {
        count.counter.used = count.counter.used.saturating_add(units);
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
