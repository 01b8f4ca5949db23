//! Asking the ledger: one message at a time, and what its answer brings.

use super::demand::Demand;
use super::held::{HeldLease, WATCH_LASTS_MS};
use super::state::{DEFAULT_HORIZON_MS, Holder};
use super::under_way::UnderWay;
use crate::cause::QuotaState;
use crate::jitter::jitter;
use crate::plan::Cost;
use crate::quota::{Charge, GrantOutcome, Lease, LedgerReply, LedgerRequest, Want};
use crate::time::Timestamp;

/// The way to ask the ledger for units that a request waits for.
#[derive(Debug)]
pub enum Ask {
    /// Send this, and hand the reply to [`Holder::answered`].
    Send {
        /// The message.
        request: Box<LedgerRequest>,
        /// Units that were held already and are set aside for the request.
        charge: Charge,
    },
    /// Another message is under way: look again in a moment.
    Wait,
    /// The ledger failed a moment ago, or another request is finding out whether it still does.
    Unavailable,
}

/// The result of an answer of the ledger.
#[derive(Debug)]
pub struct Answered {
    /// The units that the message needed, taken from what was granted.
    pub charge: Charge,
    /// Leases that have to be watched from now on.
    pub to_watch: Vec<u64>,
    /// Whether the ledger says that it granted the wants, but gave less than they needed: a fault.
    pub is_short: bool,
}

impl Holder {
    /// Asks for what is missing of the costs, and what is likely to be wanted next. `plan` is the
    /// one that the token names; an answer is waited for until `deadline_ms` from now.
    pub fn ask(
        &mut self,
        costs: &[Cost],
        member: Option<&str>,
        plan: Option<&str>,
        deadline_ms: u32,
        now: Timestamp,
    ) -> Ask {
        if self.is_asking(now) {
            return if self.failures > 0 { Ask::Unavailable } else { Ask::Wait };
        }
        if now < self.ask_again_at {
            return Ask::Unavailable;
        }
        self.plan = plan.map(str::to_owned);
        let charge = self.set_aside(costs, member, now);
        let mut wants = Vec::new();
        for cost in costs {
            let held = charge.units_of(&cost.meter);
            let needed = cost.units.saturating_sub(held);
            let ahead = self.ahead(&cost.meter, member, now);
            wants.push(Want {
                meter: cost.meter.clone(),
                member: member.map(str::to_owned),
                needed,
                ahead,
            });
        }
        let request = self.message(wants, deadline_ms, now);
        Ask::Send { request: Box::new(request), charge }
    }

    /// The message that fetches more before the held units run out, if it is time for one. Where
    /// `refresh` is set, news of the account are due anyway: it goes out in any case, and fills up
    /// the held units.
    pub fn top_up(
        &mut self,
        plan: Option<&str>,
        refresh: bool,
        deadline_ms: u32,
        now: Timestamp,
    ) -> Option<LedgerRequest> {
        if now < self.ask_again_at || self.is_asking(now) {
            return None;
        }
        let mut wants = Vec::new();
        if now >= self.top_up_again_at {
            let wanted = |pocket| self.wanted_soon(pocket, refresh, now);
            wants = self.pockets.iter().filter_map(wanted).collect();
        }
        if !refresh && wants.is_empty() {
            return None;
        }
        self.plan = plan.map(str::to_owned);
        Some(self.message(wants, deadline_ms, now))
    }

    /// Takes over the answer to a message of the holder of this name. `None` where a later message
    /// has voided it, or it was another holder's. That one was forgotten to make room, and its
    /// messages have the same numbers.
    pub fn answered(
        &mut self,
        holder: &str,
        number: u64,
        reply: &LedgerReply,
        now: Timestamp,
    ) -> Option<Answered> {
        let message = self.take_under_way(holder, number)?;
        self.failures = 0;
        self.horizon_ms = i64::from(reply.horizon_ms).max(DEFAULT_HORIZON_MS);
        let is_unchanged = |lease: &HeldLease| message.reports.contains(&lease.report());
        self.leases.retain(|lease| !(message.finished.contains(&lease.id) && is_unchanged(lease)));
        for (lease, report) in self.leases.iter_mut().filter_map(|lease| {
            let report = message.reports.iter().find(|report| report.id == lease.id)?;
            Some((lease, report))
        }) {
            (lease.confirmed_spent, lease.confirmed_returned) = (report.spent, report.returned);
        }
        for total in &mut self.degraded {
            let sent = message.degraded.iter().find(|sent| sent.meter == total.meter);
            total.reported = sent.map_or(total.reported, |sent| sent.units);
        }
        let mut answered =
            Answered { charge: self.nothing(), to_watch: Vec::new(), is_short: false };
        if let Some(GrantOutcome::Granted { leases, quotas }) = &reply.grant {
            answered.is_short = quotas.len() != message.wants.len();
            for ((want, quotas), id) in message.wants.iter().zip(quotas).zip(number..) {
                let lease = leases.iter().find(|lease| lease.id == id);
                self.take_over(want, lease, quotas, &message, &mut answered, now);
            }
        }
        Some(answered)
    }

    /// Notes that no answer came to the message of this number, of the holder of this name.
    pub fn failed(&mut self, holder: &str, number: u64, now: Timestamp) {
        if self.take_under_way(holder, number).is_none() {
            return;
        }
        let doublings = self.failures.min(MAX_BACKOFF_DOUBLINGS);
        let pause_ms = RETRY_MS.checked_shl(doublings).unwrap_or(RETRY_MS);
        self.failures = self.failures.saturating_add(1);
        self.ask_again_at = now.plus_ms(pause_ms.saturating_add(self.jitter_ms(pause_ms)));
    }

    /// Whether a message is under way.
    pub(super) fn is_asking(&mut self, now: Timestamp) -> bool {
        // Whoever was to bring the answer is gone.
        self.under_way.take_if(|message| message.until <= now);
        self.under_way.is_some()
    }

    /// The message of this number, if it is the one under way.
    fn take_under_way(&mut self, holder: &str, number: u64) -> Option<UnderWay> {
        let is_ours = holder == &*self.name;
        self.under_way.take_if(|message| is_ours && message.number == number)
    }

    /// A message with everything that the ledger should know.
    pub(super) fn message(
        &mut self,
        wants: Vec<Want>,
        deadline_ms: u32,
        now: Timestamp,
    ) -> LedgerRequest {
        for lease in &mut self.leases {
            lease.expire(now);
        }
        // A request may have waited for the ledger between taking units and asking its origin.
        let waited_ms = i64::from(deadline_ms).saturating_add(ANSWER_SLACK_MS);
        let refund_ms = self.refund_ms.saturating_add(waited_ms);
        let is_finished = |lease: &&HeldLease| {
            lease.available == 0 && lease.last_taken_at.plus_ms(refund_ms) <= now
        };
        let finished = self.leases.iter().filter(is_finished).map(|lease| lease.id).collect();
        let reports: Vec<_> = self.leases.iter().map(HeldLease::report).collect();
        // A holder that never wanted units is nothing that the ledger has to remember.
        let is_reader = self.next_number == 1 && wants.is_empty() && self.degraded.is_empty();
        let number = if is_reader { 0 } else { self.next_number };
        if !is_reader {
            let wanted = u64::try_from(wants.len()).unwrap_or(u64::MAX).max(1);
            self.next_number = number.saturating_add(wanted);
        }
        let request = LedgerRequest {
            holder: self.name.to_string(),
            number,
            plan: self.plan.clone(),
            wants: wants.clone(),
            leases: reports.clone(),
            degraded: self.degraded.clone(),
            merge: None,
        };
        let until = now.plus_ms(i64::from(deadline_ms).saturating_add(ANSWER_SLACK_MS));
        let degraded = request.degraded.clone();
        self.under_way =
            Some(UnderWay { number, asked_at: now, until, wants, reports, finished, degraded });
        request
    }

    /// Keeps a lease that was granted, and takes from it what the message needed.
    fn take_over(
        &mut self,
        want: &Want,
        lease: Option<&Lease>,
        quotas: &[QuotaState],
        message: &UnderWay,
        answered: &mut Answered,
        now: Timestamp,
    ) {
        let member = want.member.as_deref();
        let pocket = match (lease, member) {
            (Some(Lease { is_of_member: true, .. }), Some(member)) => {
                self.members_pocket(&want.meter, member, now)
            }
            (Some(_), _) => self.accounts_pocket(&want.meter, now),
            (None, _) => self.pocket_for(&want.meter, member, now),
        };
        if let Some(pocket) = self.pocket_mut(pocket) {
            pocket.quotas = quotas.to_vec();
            if quotas.is_empty() {
                // Nothing limits this meter: nobody will ask for its units again.
                pocket.demand = Demand::default();
                return;
            }
        }
        let units = lease.map_or(0, |lease| lease.units);
        answered.is_short |= units < want.needed;
        if units < want.needed.saturating_add(want.ahead) {
            // The limit is near: there is no use in asking ahead all the time.
            self.top_up_again_at = now.plus_ms(TOP_UP_PAUSE_MS);
        }
        let Some(lease) = lease else { return };
        let lifetime_ms = i64::try_from(lease.lifetime_ms).unwrap_or(i64::MAX);
        let is_watched = lease.units > want.needed || lease.is_lenient;
        let mut held = HeldLease {
            id: lease.id,
            pocket,
            credits: lease.credits,
            available: lease.units,
            spent: 0,
            returned: 0,
            expires_at: message.asked_at.plus_ms(lifetime_ms),
            last_taken_at: now,
            is_lenient: lease.is_lenient,
            watched_until: if is_watched { now.plus_ms(WATCH_LASTS_MS) } else { now },
            confirmed_spent: 0,
            confirmed_returned: 0,
        };
        answered.charge.push(lease.id, &want.meter, held.take(want.needed));
        if is_watched {
            answered.to_watch.push(held.id);
        }
        self.leases.push(held);
    }

    /// Up to half of `pause_ms`, different for each holder and failure, so that not all of them
    /// come back at once.
    fn jitter_ms(&self, pause_ms: i64) -> i64 {
        let half_ms = (pause_ms / 2).max(1).unsigned_abs();
        i64::try_from(jitter(&self.name, u64::from(self.failures), half_ms)).unwrap_or(0)
    }
}

/// Time for which nothing is asked ahead after the ledger gave less than was asked.
const TOP_UP_PAUSE_MS: i64 = 1_000;
/// Time for which a ledger isn't asked again after it failed; twice that after the next failure,
/// and so on, so that an outage costs a request in a while its deadline and a recovery isn't run
/// over.
pub const RETRY_MS: i64 = 2_000;
const MAX_BACKOFF_DOUBLINGS: u32 = 2;
/// Whoever waits for an answer gives up at the deadline; only after that is a message given up for
/// one that nobody waits for.
const ANSWER_SLACK_MS: i64 = 500;
