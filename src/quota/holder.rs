//! The holder's side of a lease: what one isolate holds of one account's units.
//!
//! Requests are passed from what is held; the ledger is asked off their path, before the last unit
//! is spent. Only one message is under way at a time. Its number voids all earlier ones, at the
//! ledger and here: an answer that comes too late is not looked at, and the ledger takes back what
//! it granted once it hears the next message (see [`crate::quota::lease`]).

mod demand;

use std::rc::Rc;

use crate::decision::QuotaState;
use crate::quota::{
    Charge, Cost, GrantOutcome, Lease, LeaseReport, LedgerReply, LedgerRequest, MeterUnits, Taking,
    Want,
};
use crate::time::Timestamp;

use demand::Demand;

/// What one isolate holds of one account. Nothing here is authoritative: it may be lost any time.
#[derive(Debug)]
pub struct Holder {
    name: Rc<str>,
    next_number: u64,
    /// How long after a request its units may still be given back.
    refund_ms: i64,
    horizon_ms: i64,
    pockets: Vec<Pocket>,
    leases: Vec<Held>,
    under_way: Option<UnderWay>,
    degraded: Vec<MeterUnits>,
    failures: u32,
    ask_again_at: Timestamp,
    top_up_again_at: Timestamp,
}

/// Whether the ledger can be asked for units that a request waits for.
#[derive(Debug)]
pub enum Ask {
    /// Send this, and hand the reply to [`Holder::answered`].
    Send {
        /// The message.
        request: LedgerRequest,
        /// Units that were held already and are set aside for the request.
        charge: Charge,
    },
    /// Another message is under way: look again in a moment.
    Wait,
    /// The ledger failed a moment ago, or another request is finding out whether it still does.
    Unavailable,
}

/// What is to be done about a lease that nobody asks for any more.
#[derive(Debug)]
pub enum Watch {
    /// Nothing, ever.
    Done,
    /// Send this, hand the reply to [`Holder::answered`], and look again.
    Send(LedgerRequest),
    /// Look again after this many milliseconds.
    Wait(i64),
}

/// What an answer of the ledger came to.
#[derive(Debug)]
pub struct Answered {
    /// The units that the message needed, taken from what was granted.
    pub charge: Charge,
    /// Leases that have to be watched from now on.
    pub to_watch: Vec<u64>,
}

impl Holder {
    /// Holds nothing. `name` must be random enough never to be met twice; units may be given back
    /// until `refund_ms` after they were taken.
    pub fn new(name: &str, refund_ms: i64) -> Self {
        Self {
            name: name.into(),
            next_number: 1,
            refund_ms,
            horizon_ms: DEFAULT_HORIZON_MS,
            pockets: Vec::new(),
            leases: Vec::new(),
            under_way: None,
            degraded: Vec::new(),
            failures: 0,
            ask_again_at: Timestamp::default(),
            top_up_again_at: Timestamp::default(),
        }
    }

    /// Notes that a request wants these units, whether or not it will get them. Once a request.
    pub fn note_demand(&mut self, costs: &[Cost], member: Option<&str>, now: Timestamp) {
        for cost in costs {
            let place = self.pocket_for(&cost.meter, member);
            if let Some(pocket) = self.pockets.get_mut(place) {
                pocket.demand.note(cost.units, now);
            }
        }
    }

    /// Takes all of the costs from what is held; `None`, and nothing taken, where that is too
    /// little.
    pub fn take(&mut self, costs: &[Cost], member: Option<&str>, now: Timestamp) -> Option<Charge> {
        let is_enough =
            costs.iter().all(|cost| self.available(&cost.meter, member, now) >= cost.units);
        is_enough.then(|| self.set_aside(costs, member, now))
    }

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
        let request = self.message(wants, plan, deadline_ms, now);
        Ask::Send { request, charge }
    }

    /// The message that fetches more before what is held runs out, if it is time for one. Where
    /// `refresh` says that news of the account are due anyway, it goes out in any case, and what is
    /// held is filled up with it.
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
        let is_due = refresh || !wants.is_empty();
        is_due.then(|| self.message(wants, plan, deadline_ms, now))
    }

    /// When the ledger will be asked again after a failure; long past where it didn't fail.
    pub fn ask_again_at(&self) -> Timestamp {
        self.ask_again_at
    }

    /// Takes over the answer to a message of the holder of this name. `None` where a later message
    /// has voided it, or it was another holder's: one that was forgotten to make room, and whose
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
        let is_unchanged = |lease: &Held| message.reports.contains(&lease.report());
        self.leases.retain(|lease| !(message.settled.contains(&lease.id) && is_unchanged(lease)));
        for (lease, report) in self.leases.iter_mut().filter_map(|lease| {
            let report = message.reports.iter().find(|report| report.id == lease.id)?;
            Some((lease, report))
        }) {
            (lease.told_spent, lease.told_returned) = (report.spent, report.returned);
        }
        let mut answered = Answered { charge: self.nothing(), to_watch: Vec::new() };
        if let Some(GrantOutcome::Granted { leases, quotas }) = &reply.grant {
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

    /// Gives units back that a request took. Returns the lease that has to be watched again.
    ///
    /// What comes later than the holder remembers the lease stays spent.
    pub fn give_back(&mut self, charge: &Charge, now: Timestamp) -> Vec<u64> {
        let mut to_watch = Vec::new();
        let is_ours = charge.holder == self.name;
        for taking in charge.takings.iter().filter(|_| is_ours) {
            let is_it = |lease: &&mut Held| lease.id == taking.lease;
            let Some(lease) = self.leases.iter_mut().find(is_it) else { continue };
            let units = taking.units.min(lease.spent());
            lease.available = lease.available.saturating_add(units);
            lease.expire(now);
            // An origin may take longer than the lease lived, and whoever looked after it is gone.
            let is_over = now >= lease.expires_at;
            lease.tell_until = lease.tell_until.max(now.plus_ms(WATCH_GIVES_UP_MS));
            if !lease.is_watched || is_over {
                lease.is_watched = true;
                to_watch.push(lease.id);
            }
        }
        to_watch
    }

    /// Looks after a lease: gives back what nobody asks for any more.
    pub fn watch(&mut self, id: u64, deadline_ms: u32, now: Timestamp) -> Watch {
        let is_asking = self.is_asking(now);
        let Some(lease) = self.leases.iter_mut().find(|lease| lease.id == id) else {
            return Watch::Done;
        };
        let quiet_at = lease.last_taken_at.plus_ms(QUIET_MS);
        let due_at = quiet_at.min(lease.expires_at);
        if now < due_at && (lease.available > 0 || lease.has_news()) {
            return Watch::Wait(due_at.ms_since(now));
        }
        lease.close();
        if !lease.has_news() || now >= lease.tell_until {
            lease.is_watched = false;
            return Watch::Done;
        }
        if is_asking {
            return Watch::Wait(LOOK_AGAIN_MS);
        }
        if now < self.ask_again_at {
            return Watch::Wait(self.ask_again_at.ms_since(now));
        }
        Watch::Send(self.message(Vec::new(), None, deadline_ms, now))
    }

    /// Gives everything back, since the isolate forgets this account. `None` where nothing is held
    /// or a message is under way.
    pub fn close(&mut self, deadline_ms: u32, now: Timestamp) -> Option<LedgerRequest> {
        let is_holding = self.leases.iter().any(|lease| lease.available > 0);
        if !is_holding || self.is_asking(now) {
            return None;
        }
        for lease in &mut self.leases {
            lease.close();
        }
        Some(self.message(Vec::new(), None, deadline_ms, now))
    }

    /// Notes that a request passed without being counted, since the ledger is out of reach.
    pub fn count_degraded(&mut self, costs: &[Cost]) {
        for cost in costs {
            match self.degraded.iter_mut().find(|other| other.meter == cost.meter) {
                Some(total) => total.units = total.units.saturating_add(cost.units),
                None => {
                    self.degraded.push(MeterUnits { meter: cost.meter.clone(), units: cost.units })
                }
            }
        }
    }

    /// The quotas of these meters as this isolate knows them: what it holds and has not spent is
    /// still the account's.
    pub fn quotas(&self, costs: &[Cost], member: Option<&str>, now: Timestamp) -> Vec<QuotaState> {
        let mut states = Vec::new();
        for cost in costs {
            let Some(pocket) = self.pocket(&cost.meter, member) else { continue };
            let held = self.available(&cost.meter, member, now);
            states.extend(pocket.quotas.iter().map(|quota| {
                let used = quota.used.saturating_sub(held);
                QuotaState { used, ..quota.clone() }
            }));
        }
        states
    }

    /// Units of a meter that can be spent now.
    pub fn available(&self, meter: &str, member: Option<&str>, now: Timestamp) -> u64 {
        let Some(place) = self.place(meter, member) else { return 0 };
        let is_live = |lease: &&Held| lease.pocket == place && now < lease.expires_at;
        let live = self.leases.iter().filter(is_live);
        live.fold(0, |sum: u64, lease| sum.saturating_add(lease.available))
    }

    /// Whether a message is under way.
    fn is_asking(&mut self, now: Timestamp) -> bool {
        // Whoever was to bring the answer is gone.
        self.under_way.take_if(|message| message.until <= now);
        self.under_way.is_some()
    }

    /// The message of this number, if it is the one under way.
    fn take_under_way(&mut self, holder: &str, number: u64) -> Option<UnderWay> {
        let is_ours = holder == &*self.name;
        self.under_way.take_if(|message| is_ours && message.number == number)
    }

    fn nothing(&self) -> Charge {
        Charge { holder: Rc::clone(&self.name), takings: Vec::new() }
    }

    /// Takes as much of the costs as is held, from what expires first.
    fn set_aside(&mut self, costs: &[Cost], member: Option<&str>, now: Timestamp) -> Charge {
        let mut charge = self.nothing();
        for cost in costs {
            let Some(place) = self.place(&cost.meter, member) else { continue };
            let mut missing = cost.units;
            // Leases expire in the order they came, but for those that end with a period.
            for lease in self.leases.iter_mut().filter(|lease| lease.pocket == place) {
                let units = missing.min(lease.available);
                if units == 0 || now >= lease.expires_at {
                    continue;
                }
                lease.available = lease.available.saturating_sub(units);
                lease.last_taken_at = now;
                missing = missing.saturating_sub(units);
                charge.push(lease.id, &cost.meter, units);
            }
        }
        charge
    }

    /// Units to ask for beyond what is needed: what the next seconds will want, less what is held.
    fn ahead(&self, meter: &str, member: Option<&str>, now: Timestamp) -> u64 {
        let Some(pocket) = self.pocket(meter, member) else { return 0 };
        let expected = pocket.demand.expected(self.horizon_ms, now);
        expected.saturating_sub(self.available(meter, member, now))
    }

    /// What a pocket wants before it runs dry, if it is about to or is asked for all the same.
    fn wanted_soon(&self, pocket: &Pocket, is_due: bool, now: Timestamp) -> Option<Want> {
        let soon = now.plus_ms(LOW_MS);
        let member = pocket.member.as_deref();
        let lasting = self.available(&pocket.meter, member, soon);
        let ahead = pocket.demand.expected(self.horizon_ms, now).saturating_sub(lasting);
        let is_low = lasting <= pocket.demand.expected(LOW_MS, now);
        ((is_low || is_due) && ahead > 0).then(|| Want {
            meter: pocket.meter.clone(),
            member: pocket.member.clone(),
            needed: 0,
            ahead,
        })
    }

    /// A message with everything that the ledger should know.
    fn message(
        &mut self,
        wants: Vec<Want>,
        plan: Option<&str>,
        deadline_ms: u32,
        now: Timestamp,
    ) -> LedgerRequest {
        for lease in &mut self.leases {
            lease.expire(now);
        }
        // A request may have waited for the ledger between taking units and asking its origin.
        let waited_ms = i64::from(deadline_ms).saturating_add(ANSWER_SLACK_MS);
        let refund_ms = self.refund_ms.saturating_add(waited_ms);
        let is_settled =
            |lease: &&Held| lease.available == 0 && lease.last_taken_at.plus_ms(refund_ms) <= now;
        let settled = self.leases.iter().filter(is_settled).map(|lease| lease.id).collect();
        let reports: Vec<_> = self.leases.iter().map(Held::report).collect();
        // A holder that never wanted units is nothing that the ledger has to remember.
        let is_reader = self.next_number == 1 && wants.is_empty();
        let number = if is_reader { 0 } else { self.next_number };
        if !is_reader {
            let wanted = u64::try_from(wants.len()).unwrap_or(u64::MAX).max(1);
            self.next_number = number.saturating_add(wanted);
        }
        let request = LedgerRequest {
            holder: self.name.to_string(),
            number,
            plan: plan.map(str::to_owned),
            wants: wants.clone(),
            leases: reports.clone(),
            degraded: self.degraded.clone(),
            merge: None,
        };
        let until = now.plus_ms(i64::from(deadline_ms).saturating_add(ANSWER_SLACK_MS));
        self.under_way = Some(UnderWay { number, asked_at: now, until, wants, reports, settled });
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
        let is_of_member = lease.is_some_and(|lease| lease.is_of_member);
        let member = want.member.as_deref().filter(|_| is_of_member);
        let place = match lease {
            Some(_) => self.exact_pocket_for(&want.meter, member),
            None => self.pocket_for(&want.meter, want.member.as_deref()),
        };
        if let Some(pocket) = self.pockets.get_mut(place) {
            pocket.quotas = quotas.to_vec();
        }
        let units = lease.map_or(0, |lease| lease.units);
        if units < want.needed.saturating_add(want.ahead) {
            // The limit is near: there is no use in asking ahead all the time.
            self.top_up_again_at = now.plus_ms(TOP_UP_PAUSE_MS);
        }
        let Some(lease) = lease else { return };
        let lifetime_ms = i64::try_from(lease.lifetime_ms).unwrap_or(i64::MAX);
        let expires_at = message.asked_at.plus_ms(lifetime_ms);
        let held = Held {
            id: lease.id,
            pocket: place,
            units: lease.units,
            available: lease.units.saturating_sub(want.needed),
            returned: 0,
            expires_at,
            tell_until: expires_at.plus_ms(WATCH_GIVES_UP_MS),
            last_taken_at: now,
            is_lenient: lease.is_lenient,
            is_watched: lease.units > want.needed || lease.is_lenient,
            told_spent: 0,
            told_returned: 0,
        };
        if want.needed > 0 {
            answered.charge.push(lease.id, &want.meter, want.needed.min(lease.units));
        }
        if held.is_watched {
            answered.to_watch.push(held.id);
        }
        self.leases.push(held);
    }

    fn pocket(&self, meter: &str, member: Option<&str>) -> Option<&Pocket> {
        self.pockets.get(self.place(meter, member)?)
    }

    /// The pocket of this member, or else that of the whole account.
    fn place(&self, meter: &str, member: Option<&str>) -> Option<usize> {
        let place_of = |member: Option<&str>| {
            self.pockets.iter().position(|pocket| pocket.is_for(meter, member))
        };
        place_of(member).or_else(|| member.and_then(|_| place_of(None)))
    }

    fn pocket_for(&mut self, meter: &str, member: Option<&str>) -> usize {
        self.place(meter, member).unwrap_or_else(|| self.add_pocket(meter, None, Demand::default()))
    }

    fn exact_pocket_for(&mut self, meter: &str, member: Option<&str>) -> usize {
        let exact = self.pockets.iter().position(|pocket| pocket.is_for(meter, member));
        exact.unwrap_or_else(|| {
            let demand = self.pocket(meter, None).map_or_else(Demand::default, |all| all.demand);
            self.add_pocket(meter, member, demand)
        })
    }

    fn add_pocket(&mut self, meter: &str, member: Option<&str>, demand: Demand) -> usize {
        let (meter, member) = (meter.to_owned(), member.map(str::to_owned));
        self.pockets.push(Pocket { meter, member, demand, quotas: Vec::new() });
        self.pockets.len().saturating_sub(1)
    }

    /// Up to half of `pause_ms`, different for each holder and failure, so that not all of them
    /// come back at once.
    fn jitter_ms(&self, pause_ms: i64) -> i64 {
        let seed = self.name.bytes().fold(u64::from(self.failures), |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        let half_ms = (pause_ms / 2).max(1).unsigned_abs();
        i64::try_from(seed.checked_rem(half_ms).unwrap_or(0)).unwrap_or(0)
    }
}

impl Charge {
    /// Units of a meter in it.
    pub fn units_of(&self, meter: &str) -> u64 {
        let of_meter = self.takings.iter().filter(|taking| taking.meter == meter);
        of_meter.fold(0, |sum: u64, taking| sum.saturating_add(taking.units))
    }

    /// Whether nothing was taken.
    pub fn is_empty(&self) -> bool {
        self.takings.is_empty()
    }

    /// Both together; they are of the same holder.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        let holder = if self.is_empty() { other.holder } else { self.holder };
        Self { holder, takings: self.takings.into_iter().chain(other.takings).collect() }
    }

    /// The part of it beyond `units` of a meter: what was taken too much.
    #[must_use]
    pub fn beyond(&self, meter: &str, units: u64) -> Self {
        let mut rest = units;
        let mut charge = Self { holder: Rc::clone(&self.holder), takings: Vec::new() };
        for taking in self.takings.iter().filter(|taking| taking.meter == meter) {
            let kept = taking.units.min(rest);
            rest = rest.saturating_sub(kept);
            charge.push(taking.lease, meter, taking.units.saturating_sub(kept));
        }
        charge
    }

    fn push(&mut self, lease: u64, meter: &str, units: u64) {
        if units > 0 {
            self.takings.push(Taking { lease, meter: meter.to_owned(), units });
        }
    }
}

/// Units of one meter, and how many of them are wanted.
#[derive(Debug)]
struct Pocket {
    meter: String,
    /// Only where the plan counts each member.
    member: Option<String>,
    demand: Demand,
    /// As the ledger said last, all that it granted included.
    quotas: Vec<QuotaState>,
}

impl Pocket {
    fn is_for(&self, meter: &str, member: Option<&str>) -> bool {
        self.meter == meter && self.member.as_deref() == member
    }
}

/// A lease as its holder sees it.
#[derive(Debug)]
struct Held {
    id: u64,
    pocket: usize,
    units: u64,
    /// Units that may still be taken.
    available: u64,
    /// Units that won't be.
    returned: u64,
    expires_at: Timestamp,
    /// Until when an errand tries to tell what became of it.
    tell_until: Timestamp,
    last_taken_at: Timestamp,
    is_lenient: bool,
    is_watched: bool,
    /// What the ledger has confirmed to know.
    told_spent: u64,
    told_returned: u64,
}

impl Held {
    fn spent(&self) -> u64 {
        self.units.saturating_sub(self.available).saturating_sub(self.returned)
    }

    /// What is left after the lifetime is returned.
    fn expire(&mut self, now: Timestamp) {
        if now >= self.expires_at {
            self.close();
        }
    }

    fn close(&mut self) {
        self.returned = self.returned.saturating_add(self.available);
        self.available = 0;
    }

    fn report(&self) -> LeaseReport {
        LeaseReport { id: self.id, spent: self.spent(), returned: self.returned }
    }

    /// Whether the ledger should hear of it for its own sake: nobody else will ask.
    fn has_news(&self) -> bool {
        self.returned != self.told_returned || (self.is_lenient && self.spent() != self.told_spent)
    }
}

/// The message that an answer is waited for.
#[derive(Debug)]
struct UnderWay {
    number: u64,
    asked_at: Timestamp,
    until: Timestamp,
    wants: Vec<Want>,
    reports: Vec<LeaseReport>,
    /// Leases that are over, and need not be named again once this is heard.
    settled: Vec<u64>,
}

/// For how much of the demand to ask at a time, unless the ledger says more.
const DEFAULT_HORIZON_MS: i64 = 10_000;
/// More is fetched when what is held lasts for less than this: far longer than an answer takes.
const LOW_MS: i64 = 2_000;
/// What nobody asked for in this time goes back.
pub const QUIET_MS: i64 = 5_000;
/// How long nothing is asked ahead after the ledger gave less than was asked.
const TOP_UP_PAUSE_MS: i64 = 1_000;
/// How long a ledger isn't asked again after it failed; twice that after the next failure, and so
/// on, so that an outage costs a request in a while its deadline and a recovery isn't run over.
pub const RETRY_MS: i64 = 2_000;
const MAX_BACKOFF_DOUBLINGS: u32 = 2;
/// Whoever waits for an answer gives up at the deadline; only after that is a message given up for
/// one that nobody waits for.
const ANSWER_SLACK_MS: i64 = 500;
/// How soon a lease is looked at again while another message is under way.
const LOOK_AGAIN_MS: i64 = 100;
/// How long after its end, or after units came back later still, an errand tries to tell of a
/// lease, as far as the platform lets one wait.
const WATCH_GIVES_UP_MS: i64 = 4_000;
