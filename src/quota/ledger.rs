//! The ledger: the one place where an account's units are counted. It runs inside the account's
//! Durable Object, one call at a time.
//!
//! A unit comes from the quotas or from the account's credits. From the quotas, it is counted in
//! every window of every quota on its meter; from credits, in none, since it is paid for already. A
//! want takes what the tightest quota still has and makes up the rest with credits, or takes
//! nothing.

use crate::account::AccountRecord;
use crate::config::Plan;
use crate::decision::{Enforcement, QuotaState};
use crate::quota::lease::{
    GrantOutcome, LeaseReport, LedgerReply, LedgerRequest, RefusalReason, Want,
};
use crate::quota::store::{
    AuditEntry, CounterWindow, LeaseRow, LedgerStore, MAX_UNITS, StoreError,
};
use crate::quota::{Quota, Window};
use crate::time::Timestamp;

/// An account's ledger. What counts is in the store; this only remembers when it last tidied up.
#[derive(Debug, Default)]
pub struct Ledger {
    swept_at: Option<Timestamp>,
}

impl Ledger {
    /// Hears the reports, then grants the want or refuses it.
    ///
    /// `plans` are those of the configuration. All of the call's effects are in `store`.
    ///
    /// # Errors
    /// The store failed. Nothing of this call may be kept then: see [`LedgerStore`].
    pub fn handle(
        &mut self,
        store: &mut impl LedgerStore,
        plans: &[Plan],
        request: &LedgerRequest,
        now: Timestamp,
    ) -> Result<LedgerReply, StoreError> {
        self.sweep(store, now)?;
        let before = store.account()?;
        let mut account = before.clone();
        for report in &request.reports {
            hear(store, account.as_mut(), report, now)?;
        }
        let plan = request.plan.as_deref();
        let grant = match &request.want {
            Some(want) => Some(answer(store, plans, plan, account.as_mut(), want, now)?),
            None => None,
        };
        if let Some(record) = &account
            && account != before
        {
            store.put_account(record)?;
        }
        Ok(LedgerReply { account, grant })
    }

    /// Puts `record` in the place of the account's record and says so in the audit trail. Returns
    /// the record as it is kept: see [`AccountRecord::succeeding`].
    ///
    /// # Errors
    /// The store failed; as for [`Self::handle`].
    pub fn put_account(
        store: &mut impl LedgerStore,
        record: AccountRecord,
        actor: &str,
        now: Timestamp,
    ) -> Result<AccountRecord, StoreError> {
        let record = record.succeeding(store.account()?.as_ref(), now);
        store.put_account(&record)?;
        let detail =
            serde_json::to_string(&record).map_err(|error| StoreError(error.to_string()))?;
        store.append_audit(&AuditEntry {
            at: now,
            actor: actor.to_owned(),
            action: PUT_ACCOUNT.to_owned(),
            detail,
        })?;
        Ok(record)
    }

    /// Deletes forgotten leases, at most once per [`SWEEP_INTERVAL_MS`].
    fn sweep(&mut self, store: &mut impl LedgerStore, now: Timestamp) -> Result<(), StoreError> {
        let recent = |at: Timestamp| (0..SWEEP_INTERVAL_MS).contains(&now.ms_since(at));
        if !self.swept_at.is_some_and(recent) {
            store.delete_leases(now)?;
            self.swept_at = Some(now);
        }
        Ok(())
    }
}

/// Takes returned units off the windows they were debited in; those that were credits go back
/// first, since a holder spends them last.
fn hear(
    store: &mut impl LedgerStore,
    account: Option<&mut AccountRecord>,
    report: &LeaseReport,
    now: Timestamp,
) -> Result<(), StoreError> {
    let Some(mut row) = known_lease(store, &report.lease, now)? else { return Ok(()) };
    let returned = report.returned.min(row.units);
    let units = returned.saturating_sub(row.returned);
    if units == 0 {
        return Ok(());
    }
    let credits = returned.min(row.credits).saturating_sub(row.returned.min(row.credits));
    if let Some(record) = account {
        record.credits = record.credits.saturating_add(credits);
    }
    for window in &row.windows {
        let used = store.counter(&row.meter, *window)?;
        let left = used.saturating_sub(units.saturating_sub(credits));
        store.set_counter(&row.meter, *window, left)?;
    }
    row.returned = returned;
    store.put_lease(&row)
}

fn answer(
    store: &mut impl LedgerStore,
    plans: &[Plan],
    token_plan: Option<&str>,
    account: Option<&mut AccountRecord>,
    want: &Want,
    now: Timestamp,
) -> Result<GrantOutcome, StoreError> {
    let plan_id = token_plan.or_else(|| account.as_ref()?.plan.as_deref());
    let plan = plan_id.and_then(|id| plans.iter().find(|plan| plan.id == id));
    let anchor = account.as_ref().and_then(|record| record.cycle_anchor);
    let counts = plan.map_or(Ok(Vec::new()), |plan| read(store, plan, &want.meter, anchor, now))?;
    if let Some(row) = known_lease(store, &want.lease, now)? {
        return Ok(repeat(row, want, &counts, now));
    }
    match (plan_id, plan) {
        (None, _) => Ok(GrantOutcome::NoPlan),
        (Some(_), None) => Ok(GrantOutcome::UnknownPlan),
        _ => grant(store, account, want, counts, now),
    }
}

/// Debits the want everywhere, or refuses it and writes nothing.
fn grant(
    store: &mut impl LedgerStore,
    account: Option<&mut AccountRecord>,
    want: &Want,
    mut counts: Vec<Count<'_>>,
    now: Timestamp,
) -> Result<GrantOutcome, StoreError> {
    let Some(tightest) = counts.iter().min_by_key(|count| count.room()) else {
        return Ok(GrantOutcome::Unlimited);
    };
    let room = tightest.room();
    let from_quota = want.units.min(room);
    let from_credits = want.units.saturating_sub(from_quota);
    let credits = account.as_ref().map_or(0, |record| record.credits);
    if from_credits > credits {
        let ever = account.is_some_and(|record| record.credits_ever.max(credits) > 0);
        return Ok(refuse(&counts, tightest, want.units, credits, ever));
    }
    if let Some(record) = account {
        record.credits_ever = record.credits_ever.max(credits);
        record.credits = credits.saturating_sub(from_credits);
    }
    let mut windows = Vec::new();
    for count in counts.iter_mut().filter(|_| from_quota > 0) {
        count.used = count.used.saturating_add(from_quota);
        let window = count.key();
        if !windows.contains(&window) {
            store.set_counter(&want.meter, window, count.used)?;
            windows.push(window);
        }
    }
    if want.units > 0 {
        store.put_lease(&LeaseRow {
            lease: want.lease.clone(),
            meter: want.meter.clone(),
            units: want.units,
            credits: from_credits,
            returned: 0,
            windows,
            granted_at: now,
            forget_at: now.plus_ms(LEASE_LIFETIME_MS.saturating_add(LEASE_MARGIN_MS)),
        })?;
    }
    Ok(GrantOutcome::Granted {
        lease: want.lease.clone(),
        units: want.units,
        lifetime_ms: LEASE_LIFETIME_MS.unsigned_abs(),
        credits_spent: from_credits,
        quotas: states(&counts),
    })
}

/// Names the quota that is in the way: one that no waiting overcomes before one that starts again,
/// and of those the last to do so.
fn refuse(
    counts: &[Count<'_>],
    tightest: &Count<'_>,
    units: u64,
    credits: u64,
    ever_had_credits: bool,
) -> GrantOutcome {
    let too_little = |room: u64| room.saturating_add(credits) < units;
    let never = counts
        .iter()
        .filter(|count| too_little(count.ceiling()))
        .min_by_key(|count| count.ceiling());
    let not_now = counts
        .iter()
        .filter(|count| too_little(count.room()))
        .max_by_key(|count| count.window.ends_at);
    let count = never.or(not_now).unwrap_or(tightest);
    // A quota of nothing is how a plan sells a meter by credits alone.
    let about_credits = ever_had_credits && (never.is_none() || count.ceiling() == 0);
    let reason = match never {
        _ if about_credits => RefusalReason::CreditsExhausted,
        Some(_) => RefusalReason::CostExceedsQuota,
        None => RefusalReason::QuotaExhausted,
    };
    GrantOutcome::Refused { reason, quota: count.state(), quotas: states(counts) }
}

/// The grant that was made before, with what is left of its lifetime.
fn repeat(row: LeaseRow, want: &Want, counts: &[Count<'_>], now: Timestamp) -> GrantOutcome {
    if row.meter != want.meter {
        return GrantOutcome::LeaseTaken;
    }
    let age_ms = now.ms_since(row.granted_at).clamp(0, LEASE_LIFETIME_MS);
    GrantOutcome::Granted {
        lease: row.lease,
        units: row.units,
        lifetime_ms: LEASE_LIFETIME_MS.saturating_sub(age_ms).unsigned_abs(),
        credits_spent: row.credits,
        quotas: states(counts),
    }
}

/// A lease that is past its time counts as forgotten, whether or not it was deleted yet.
fn known_lease(
    store: &impl LedgerStore,
    name: &str,
    now: Timestamp,
) -> Result<Option<LeaseRow>, StoreError> {
    Ok(store.lease(name)?.filter(|row| now < row.forget_at))
}

/// A quota in the window that holds the present.
struct Count<'a> {
    quota: &'a Quota,
    window: Window,
    used: u64,
}

impl Count<'_> {
    /// The most that may ever be counted in one window.
    fn ceiling(&self) -> u64 {
        match self.quota.enforcement {
            Enforcement::Hard => self.quota.limit.min(MAX_UNITS),
            Enforcement::Soft => MAX_UNITS,
        }
    }

    fn room(&self) -> u64 {
        self.ceiling().saturating_sub(self.used)
    }

    fn key(&self) -> CounterWindow {
        CounterWindow { period: self.quota.period, starts_at: self.window.starts_at }
    }

    fn state(&self) -> QuotaState {
        self.quota.state(self.window, self.used)
    }
}

fn states(counts: &[Count<'_>]) -> Vec<QuotaState> {
    counts.iter().map(Count::state).collect()
}

fn read<'a>(
    store: &impl LedgerStore,
    plan: &'a Plan,
    meter: &str,
    anchor: Option<Timestamp>,
    now: Timestamp,
) -> Result<Vec<Count<'a>>, StoreError> {
    let quotas = plan.quotas.iter().filter(|quota| quota.meter == meter);
    let mut counts = Vec::new();
    for quota in quotas {
        let mut count = Count { quota, window: quota.window(now, anchor), used: 0 };
        count.used = store.counter(meter, count.key())?;
        counts.push(count);
    }
    Ok(counts)
}

/// How long a holder may spend a lease, on its own clock from when it asked.
pub const LEASE_LIFETIME_MS: i64 = 60_000;
/// How much longer the ledger listens for reports of it: what holders' clocks and the network may
/// lag.
pub const LEASE_MARGIN_MS: i64 = 60_000;
/// How often forgotten leases are deleted, at most.
pub const SWEEP_INTERVAL_MS: i64 = 300_000;

/// The audit trail's word for [`Ledger::put_account`].
const PUT_ACCOUNT: &str = "put-account";
