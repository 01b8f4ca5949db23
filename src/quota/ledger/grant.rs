//! Granting: all of what a message needs, and as much ahead of demand as is fair; or nothing.
//!
//! Several wants may be counted in the same window and share the account's credits. So everything
//! is first reserved in a draft: the units that all of them need, then units ahead of demand, from
//! the rest. Only a draft that holds is written.

mod lease;
mod refusal;
#[cfg(test)]
mod stories;

use std::num::NonZeroU64;

use self::lease::Line;
use self::refusal::Refusal;
use super::subscriber::Subscriber;
use crate::cause::QuotaState;
use crate::plan::{Plan, Scope, Terms, threshold_reached};
use crate::quota::ledger::count::{Count, Counts};
use crate::quota::ledger::credits::LazyCredits;
use crate::quota::ledger::error::{LedgerError, add};
use crate::quota::store::{Announcement, HolderRow, LedgerStore, Threshold};
use crate::quota::{GrantOutcome, Lease, LedgerRequest, Want};
use crate::store::StoreError;
use crate::time::Timestamp;

/// The circumstances of a grant: the same for all wants of a message.
#[derive(Clone, Copy, Debug)]
pub(super) struct GrantContext<'a> {
    pub(super) terms: Terms<'a>,
    pub(super) plan: &'a Plan,
    pub(super) subscriber: Subscriber<'a>,
    /// The number of holders that share the units.
    pub(super) holders: NonZeroU64,
    pub(super) now: Timestamp,
}

/// Debits the wants and adds their leases to the holder's row; or refuses and writes nothing.
pub(super) fn grant_wants(
    store: &mut impl LedgerStore,
    context: &GrantContext<'_>,
    request: &LedgerRequest,
    row: &mut HolderRow,
) -> Result<GrantOutcome, LedgerError> {
    let mut draft = Draft::read(store, context, &request.wants)?;
    if let Some(Refusal { reason, meter, quota }) = draft.reserve_needed(store)? {
        let quotas = draft.states().into_iter().flatten().collect();
        return Ok(GrantOutcome::Refused { reason, meter, quota, quotas });
    }
    draft.reserve_ahead(store)?;
    draft.debit_quotas(store)?;
    let leases = draft.write_leases(store, request.number, row)?;
    Ok(GrantOutcome::Granted { leases, quotas: draft.states() })
}

/// The wants of a message, and the units reserved for each of them.
#[derive(Debug)]
struct Draft<'a> {
    context: &'a GrantContext<'a>,
    lines: Vec<Line<'a>>,
    counts: Counts<'a>,
    credits: LazyCredits,
}

impl<'a> Draft<'a> {
    fn read(
        store: &impl LedgerStore,
        context: &'a GrantContext<'a>,
        wants: &'a [Want],
    ) -> Result<Self, LedgerError> {
        let GrantContext { plan, subscriber, now, .. } = *context;
        let counts = Counts::of_wants(store, plan, subscriber, wants, now)?;
        let lines = wants.iter().map(Line::new).collect();
        Ok(Self { context, lines, counts, credits: LazyCredits::default() })
    }

    /// Reserves the units that requests wait for. Returns the refusal of the first want that can't
    /// be met.
    fn reserve_needed(&mut self, store: &impl LedgerStore) -> Result<Option<Refusal>, LedgerError> {
        for line in &mut self.lines {
            let want = line.want;
            // A want that nothing limits is not counted, and needs no lease.
            let Some(tightest) = self.counts.tightest(want) else { continue };
            let (from_quota, from_credits) = split(want.needed, tightest.room());
            if from_credits > 0 {
                let credits = self.credits.read(store, self.context.now)?;
                if from_credits > credits.free {
                    return Ok(Some(Refusal::of(want, &self.counts, tightest, credits)));
                }
                credits.reserve(from_credits)?;
            }
            self.counts.reserve(want, from_quota)?;
            line.reserve(from_quota, from_credits)?;
        }
        Ok(None)
    }

    /// Reserves units ahead of demand, at most a quarter of an even share of the rest: the next
    /// caller finds something too, an isolate that is lost takes a small part along, and as the
    /// limit nears this falls to nothing, so that the last unit is sold to the first to need it.
    fn reserve_ahead(&mut self, store: &impl LedgerStore) -> Result<(), LedgerError> {
        let GrantContext { plan, holders, now, .. } = *self.context;
        for line in &mut self.lines {
            let want = line.want;
            let Some(tightest) = self.counts.tightest(want) else { continue };
            let end_soon = |ends_at: Timestamp| ends_at.ms_since(now) < AHEAD_MIN_LIFETIME_MS;
            let is_late = self.counts.ends_at(want).is_some_and(end_soon);
            if want.ahead == 0 || is_late || is_for_nobody(want, plan) {
                continue;
            }
            let room = tightest.room();
            // Credits are not even read while the quota alone is enough.
            let is_quota_enough = want.ahead <= room;
            let credits = if is_quota_enough { 0 } else { self.credits.read(store, now)?.free };
            let fair = add(room, credits)? / holders / PARTS_OF_A_SHARE;
            let (from_quota, from_credits) = split(want.ahead.min(fair), room);
            if from_credits > 0 {
                self.credits.read(store, now)?.reserve(from_credits)?;
            }
            self.counts.reserve(want, from_quota)?;
            line.reserve(from_quota, from_credits)?;
        }
        Ok(())
    }

    /// Counts the reserved units in every window, and announces the thresholds that this reached.
    fn debit_quotas(&mut self, store: &mut impl LedgerStore) -> Result<(), LedgerError> {
        for count in self.counts.iter_mut() {
            if !count.debit_reserved()? {
                continue;
            }
            if self.context.terms.announces {
                announce(store, self.context, count)?;
            }
            store.put_counter(&count.key, &count.counter)?;
        }
        Ok(())
    }

    /// Debits the credits, and adds the leases to the holder's row.
    ///
    /// The lease of the want in place n has the id `number` + n. No other lease of the holder has
    /// it: a later message is heard only if its number is above the last of these ids.
    fn write_leases(
        &mut self,
        store: &mut impl LedgerStore,
        number: u64,
        row: &mut HolderRow,
    ) -> Result<Vec<Lease>, LedgerError> {
        let GrantContext { terms, now, .. } = *self.context;
        let mut leases = Vec::new();
        for (line, id) in self.lines.iter().zip(number..) {
            if line.is_empty() {
                continue;
            }
            let drawn = line.draw_up(store, terms, &self.counts, &mut self.credits, id, now)?;
            leases.push(drawn.lease);
            row.leases.push(drawn.row);
        }
        Ok(leases)
    }

    /// The quotas of each want.
    fn states(&self) -> Vec<Vec<QuotaState>> {
        self.lines.iter().map(|line| self.counts.states_of(line.want)).collect()
    }
}

/// Units as the part that there is room for and the part beyond that.
fn split(units: u64, room: u64) -> (u64, u64) {
    (units.min(room), units.saturating_sub(room))
}

/// Whether a want names no member where each has a count of its own. Units that everybody may spend
/// would be counted in none of these.
fn is_for_nobody(want: &Want, plan: &Plan) -> bool {
    let mut of_meter = plan.quotas.iter().filter(|quota| quota.meter == want.meter);
    want.member.is_none() && of_meter.any(|quota| quota.scope == Scope::Member)
}

/// Queues an announcement if the quota reached a threshold that was not announced yet.
fn announce(
    store: &mut impl LedgerStore,
    context: &GrantContext<'_>,
    count: &mut Count<'_>,
) -> Result<(), StoreError> {
    let thresholds = context.terms.notify_at(&count.quota.meter);
    let reached = threshold_reached(thresholds, count.percent());
    let Some(reached) = reached.filter(|at| *at > count.counter.announced_percent) else {
        return Ok(());
    };
    count.counter.announced_percent = reached;
    store.queue_announcement(&Announcement::Threshold(Threshold {
        at: context.now,
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
/// The least rest of a window for units ahead of demand: later they would hardly arrive in time to
/// be spent.
const AHEAD_MIN_LIFETIME_MS: i64 = 1_000;
