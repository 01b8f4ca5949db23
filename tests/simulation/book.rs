//! An independent book of one account: what was granted, what passed, and what of it is charged.
//!
//! It is written from the messages that were heard and from the isolates' actions, by rules of its
//! own that are much simpler than the ledger's, and it never reads the ledger's rows but to
//! compare.

use tollgate::account::AccountRecord;
use tollgate::plan::{Lost, Period, Plan, Scope};
use tollgate::quota::lease::LEASE_LIFETIME_MS;
use tollgate::quota::store::{Counter, CounterKey};
use tollgate::quota::{Charge, CreditPack, LedgerRequest, Taking};
use tollgate::time::Timestamp;

use crate::rules::{Broken, Rule};
use crate::schedule::Schedule;

/// The book.
#[derive(Debug, Default)]
pub(crate) struct Book {
    pub(crate) record: AccountRecord,
    pub(crate) windows: Vec<Window>,
    /// In the order in which they came.
    pub(crate) packs: Vec<Pack>,
    pub(crate) holders: Vec<Holder>,
    /// The first rule that was broken.
    pub(crate) broken: Option<Broken>,
    /// Units of each meter that passed uncounted while the ledger was out of reach.
    pub(crate) passed_in_outage: [u64; 3],
    /// Units taken from leases that were kept through a gap: see [`GAP_MS`].
    pub(crate) held_across_gaps: u64,
    /// Leases that were kept through a gap, and then returned.
    pub(crate) returned_after_gaps: u64,
    /// The same that died with their isolates.
    pub(crate) lost_in_gaps: u64,
}

/// A window of a quota, of the account or of a member.
#[derive(Clone, Debug)]
pub(crate) struct Window {
    pub(crate) key: WindowKey,
    /// Units that are charged: granted, and not heard to be returned.
    pub(crate) used: u64,
    pub(crate) carried: u64,
    /// Units that passed and were not given back.
    pub(crate) passed: u64,
    /// The most that was allowed at any grant.
    pub(crate) ceiling: u64,
    /// Units that lost holders of a lenient meter spent since they were last heard.
    pub(crate) unheard: u64,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct WindowKey {
    pub(crate) meter: usize,
    pub(crate) member: Option<usize>,
    pub(crate) period: Period,
    pub(crate) starts_at: Timestamp,
}

/// A pack of credits.
#[derive(Clone, Debug)]
pub(crate) struct Pack {
    pub(crate) bought: CreditPack,
    pub(crate) left: u64,
    pub(crate) passed: u64,
    pub(crate) unheard: u64,
}

/// A holder: one isolate's view of the account, from its making until it is dropped.
#[derive(Debug)]
pub(crate) struct Holder {
    pub(crate) isolate: usize,
    /// The trouble that may lose units: its death, or a message that didn't come through.
    pub(crate) trouble: Option<&'static str>,
    pub(crate) heard: u64,
    pub(crate) heard_at: Timestamp,
    /// Its reports of uncounted units of each meter.
    pub(crate) heard_uncounted: [u64; 3],
    pub(crate) leases: Vec<Lease>,
}

/// A lease that the ledger granted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lease {
    pub(crate) id: u64,
    pub(crate) meter: usize,
    /// The member that it was asked for, and whether the plan counts each member.
    pub(crate) member: Option<usize>,
    pub(crate) counts_members: bool,
    pub(crate) units: u64,
    pub(crate) from_quota: u64,
    /// The packs of credits of the others, with the number of units from each.
    pub(crate) from_packs: Few<(usize, u64)>,
    pub(crate) windows: Few<usize>,
    /// The end of the first of its windows.
    pub(crate) quota_ends_at: Timestamp,
    pub(crate) state: State,
    pub(crate) has_arrived: bool,
    /// The time of the last request that took of it, or of the grant.
    pub(crate) taken_at: Timestamp,
    /// Units that requests took and did not give back.
    pub(crate) spent: u64,
    pub(crate) heard_spent: u64,
    pub(crate) heard_returned: u64,
}

/// The fate of a lease.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum State {
    /// The holder may have it.
    Out,
    /// The holder named it once, and no longer does.
    Settled,
    /// The holder never named it.
    NeverArrived,
    /// Its holder was not heard of for too long. What it had is charged.
    LostAndCharged,
    /// Its holder was not heard of for too long. Units not reported as spent went back.
    LostAndReturned,
}

impl Book {
    pub(crate) fn new(record: AccountRecord, packs: &[CreditPack]) -> Self {
        let mut book = Self { record, ..Self::default() };
        for pack in packs {
            book.add_pack(pack);
        }
        book
    }

    pub(crate) fn add_pack(&mut self, pack: &CreditPack) {
        self.packs.push(Pack { left: pack.units, bought: pack.clone(), passed: 0, unheard: 0 });
    }

    pub(crate) fn add_holder(&mut self, isolate: usize) -> usize {
        self.holders.push(Holder {
            isolate,
            trouble: None,
            heard: 0,
            heard_at: Timestamp::default(),
            heard_uncounted: [0; 3],
            leases: Vec::new(),
        });
        self.holders.len() - 1
    }

    /// Notes that an isolate died, and what it held.
    pub(crate) fn died(&mut self, holder: usize, now: Timestamp) {
        self.trouble(holder, "died");
        let is_lost = |lease: &&Lease| {
            lease.state == State::Out
                && lease.spent + lease.heard_returned < lease.units
                && (GAP_MS..LEASE_LIFETIME_MS).contains(&now.ms_since(lease.taken_at))
        };
        self.lost_in_gaps += self.holders[holder].leases.iter().filter(is_lost).count() as u64;
    }

    pub(crate) fn trouble(&mut self, holder: usize, what: &'static str) {
        self.holders[holder].trouble.get_or_insert(what);
    }

    /// Notes that a request took units: of leases that are held, or what it waited for.
    pub(crate) fn take(&mut self, charge: &Charge, member: usize, is_held: bool, now: Timestamp) {
        if charge.is_empty() {
            return;
        }
        let holder = place_of_holder(&charge.holder);
        for taking in &charge.takings {
            self.take_one(holder, taking, member, is_held, now);
        }
    }

    fn take_one(
        &mut self,
        place: usize,
        taking: &Taking,
        member: usize,
        is_held: bool,
        now: Timestamp,
    ) {
        let holder = &mut self.holders[place];
        let Some(lease) = holder.leases.iter_mut().rfind(|lease| lease.id == taking.lease) else {
            let how = format!("isolate {} took {taking:?}, never granted", holder.isolate);
            return self.fail(Rule::SpentGoneUnit, how);
        };
        let (from, to) = (lease.spent, lease.spent + taking.units);
        lease.spent = to;
        let is_kept = is_held && now.ms_since(lease.taken_at) > GAP_MS;
        lease.taken_at = now;
        self.held_across_gaps += u64::from(is_kept);
        let said = || format!("isolate {} took {taking:?} of {lease:?}", holder.isolate);
        if lease.state != State::Out || to + lease.heard_returned > lease.units {
            let is_twice = lease.state == State::Out && lease.heard_returned == 0;
            let rule = if is_twice { Rule::SpentTwice } else { Rule::SpentGoneUnit };
            let how = said();
            return self.fail(rule, how);
        }
        if lease.counts_members && lease.member != Some(member) {
            let how = said();
            return self.fail(Rule::MembersMixedUp, format!("for m{member}, {how}"));
        }
        let quota_part = to.min(lease.from_quota) - from.min(lease.from_quota);
        if is_held && quota_part > 0 && now >= lease.quota_ends_at {
            let how = said();
            return self.fail(Rule::SpentAfterItsEnd, how);
        }
        let lease = *lease;
        if quota_part > 0 {
            for place in lease.windows.iter() {
                let window = &mut self.windows[place];
                window.passed += quota_part;
                if window.passed > window.ceiling + window.unheard {
                    let how = format!("{window:?}");
                    self.fail(Rule::QuotaExceeded, how);
                }
            }
        }
        for (pack, units) in lease.credits(from, to) {
            let pack = &mut self.packs[pack];
            pack.passed += units;
            let is_over = pack.passed > pack.bought.units + pack.unheard;
            let is_expired = is_held && pack.bought.expires_at.is_some_and(|at| at <= now);
            if is_over || is_expired {
                let how = format!("{pack:?}");
                let over = Rule::CreditsOverspent;
                self.fail(if is_over { over } else { Rule::SpentAfterItsEnd }, how);
            }
        }
    }

    /// Notes that a request gave units back to the leases that it took them from.
    pub(crate) fn give_back(&mut self, charge: &Charge) {
        let holder = place_of_holder(&charge.holder);
        for taking in &charge.takings {
            let leases = &mut self.holders[holder].leases;
            let is_it =
                |lease: &&mut Lease| lease.id == taking.lease && lease.spent >= taking.units;
            let Some(lease) = leases.iter_mut().rfind(is_it) else { continue };
            let (from, to) = (lease.spent - taking.units, lease.spent);
            lease.spent = from;
            let quota_part = to.min(lease.from_quota) - from.min(lease.from_quota);
            let lease = *lease;
            for place in lease.windows.iter() {
                self.windows[place].passed -= quota_part;
            }
            for (pack, units) in lease.credits(from, to) {
                let pack = &mut self.packs[pack];
                pack.passed -= units;
            }
        }
    }

    /// Notes the reports of a holder's message.
    pub(crate) fn check_reports(&mut self, request: &LedgerRequest) {
        let holder = place_of_holder(&request.holder);
        let wrong = request.leases.iter().find(|report| {
            let is_right = |lease: &Lease| {
                lease.id == report.id
                    && lease.spent == report.spent
                    && report.spent + report.returned <= lease.units
            };
            !self.holders[holder].leases.iter().rev().any(is_right)
        });
        if let Some(report) = wrong {
            let known = self.holders[holder].leases.iter().rfind(|lease| lease.id == report.id);
            let how = format!("{report:?}, but it is {known:?}");
            self.fail(Rule::ReportIsWrong, how);
        }
    }

    pub(crate) fn fail(&mut self, rule: Rule, how: String) {
        self.broken.get_or_insert(Broken { rule, how });
    }

    /// The window of a counter, if the book has it.
    pub(crate) fn window_of(&self, key: &CounterKey) -> Option<&Window> {
        let key = WindowKey {
            meter: meter_place(&key.meter),
            member: key.member.as_deref().map(member_place),
            period: key.period,
            starts_at: key.starts_at,
        };
        self.windows.iter().rfind(|window| window.key == key)
    }

    /// Holds rows that were written against the book.
    pub(crate) fn compare(&mut self, key: &CounterKey, counter: &Counter) {
        let known = self.window_of(key);
        let is_same = known.map_or((0, 0), |known| (known.used, known.carried))
            == (counter.used, counter.carried);
        if !is_same {
            let how = format!("{key:?} is {counter:?}, but {known:?}");
            self.fail(Rule::BooksDiffer, how);
        }
    }
}

impl Book {
    /// The same for credits.
    pub(crate) fn compare_packs(&mut self, rows: &[CreditPack]) {
        for row in rows {
            let known = self.packs.iter().find(|pack| pack.bought.id == row.id);
            if known.map(|known| known.left) != Some(row.left) {
                let how = format!("{row:?}, but {known:?}");
                self.fail(Rule::BooksDiffer, how);
            }
        }
    }
}

impl Lease {
    /// The packs of the units from `from` to `to`, when those of the quota are spent first.
    pub(crate) fn credits(&self, from: u64, to: u64) -> impl Iterator<Item = (usize, u64)> {
        let mut begins = self.from_quota;
        self.from_packs.iter().filter_map(move |(pack, units)| {
            let (first, last) = (begins.max(from), (begins + units).min(to));
            begins += units;
            (first < last).then(|| (pack, last - first))
        })
    }

    /// Units of it that the account pays for.
    pub(crate) fn charged(&self) -> u64 {
        match self.state {
            State::NeverArrived => 0,
            State::LostAndReturned => self.heard_spent,
            State::Out | State::Settled | State::LostAndCharged => self.units - self.heard_returned,
        }
    }
}

/// A lease that is kept for longer without a request is kept for the sake of slow demand: at five
/// seconds others go back, and messages take a while.
pub(crate) const GAP_MS: i64 = 6_000;

/// A few things, without a trip to the heap.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Few<T> {
    items: [T; 8],
    length: usize,
}

impl<T: Copy> Few<T> {
    pub(crate) fn push(&mut self, item: T) {
        self.items[self.length] = item;
        self.length += 1;
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = T> {
        self.items[..self.length].iter().copied()
    }
}

pub(crate) fn place_of_holder(name: &str) -> usize {
    name.parse().unwrap()
}

pub(crate) fn meter_place(name: &str) -> usize {
    usize::from(name.as_bytes()[0] - b'a')
}

pub(crate) fn member_place(name: &str) -> usize {
    name[1..].parse().unwrap()
}

/// Whether a plan has quotas of a meter that are each member's own.
pub(crate) fn counts_members(plan: &Plan, meter: &str) -> bool {
    plan.quotas.iter().any(|quota| quota.meter == meter && quota.scope == Scope::Member)
}

pub(crate) fn is_lenient(schedule: &Schedule, meter: usize) -> bool {
    schedule.meters[meter].lost == Lost::Lenient
}
