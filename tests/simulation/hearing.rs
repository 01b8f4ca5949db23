//! The book's side of a message that a ledger heard, and of its answer.

use tollgate::plan::Plan;
use tollgate::quota::lease::LEASE_LIFETIME_MS;
use tollgate::quota::ledger::LEASE_MARGIN_MS;
use tollgate::quota::{GrantOutcome, LeaseReport, LedgerReply, LedgerRequest, Want};
use tollgate::time::Timestamp;

use crate::book::{
    Book, Few, GAP_MS, Lease, Pack, State, Window, counts_members, is_lenient, member_place,
    meter_place, place_of_holder,
};
use crate::counts::Count;
use crate::rules::Rule;
use crate::schedule::Schedule;
use crate::store::Forgotten;

impl Book {
    /// Takes in a call that was committed at `now` on the ledger's clock. `forgotten` are the
    /// holders that the ledger forgot in it.
    pub(crate) fn heard(
        &mut self,
        schedule: &Schedule,
        request: &LedgerRequest,
        reply: &LedgerReply,
        forgotten: &[Forgotten],
        now: Timestamp,
    ) {
        for holder in forgotten {
            self.forget(schedule, holder, now);
        }
        if request.number == 0 {
            return;
        }
        let place = place_of_holder(&request.holder);
        let holder = &mut self.holders[place];
        let is_void = matches!(reply.grant, Some(GrantOutcome::Void));
        if request.number <= holder.heard {
            if !is_void {
                let how = format!("{request:?}, after {}, got {reply:?}", holder.heard);
                self.fail(Rule::HeardAgain, how);
            }
            return;
        }
        holder.heard = request.number + (request.wants.len() as u64).max(1) - 1;
        holder.heard_at = now;
        let mut news = Vec::new();
        for units in &request.degraded {
            let known = &mut holder.heard_uncounted[meter_place(&units.meter)];
            if units.units > *known {
                *known = units.units;
                news.push(units);
            }
        }
        self.hear_reports(place, &request.leases, now);
        let plan = self.plan(schedule);
        if let Some(plan) = plan {
            for units in news {
                self.open_windows(plan, &units.meter, now);
            }
        }
        match (&reply.grant, plan) {
            (Some(GrantOutcome::Granted { leases, .. }), Some(plan)) => {
                for (want, id) in request.wants.iter().zip(request.number..) {
                    let lease = leases.iter().find(|lease| lease.id == id);
                    self.granted(plan, place, want, id, lease, now);
                }
            }
            (Some(GrantOutcome::Refused { .. }), Some(plan)) => {
                self.refused(schedule, plan, &request.wants, now);
            }
            (None, _) if request.wants.is_empty() => {}
            (Some(GrantOutcome::NoPlan), None) if !request.wants.is_empty() => {}
            (grant, _) => {
                let how = format!("{request:?} got {grant:?}");
                self.fail(Rule::BooksDiffer, how);
            }
        }
    }

    /// The plan that the account is on.
    pub(crate) fn plan<'s>(&self, schedule: &'s Schedule) -> Option<&'s Plan> {
        let id = self.record.own.plan.as_ref()?;
        schedule.plans.iter().find(|plan| plan.id == *id)
    }

    fn hear_reports(&mut self, place: usize, reports: &[LeaseReport], now: Timestamp) {
        for index in 0..self.holders[place].leases.len() {
            let lease = &mut self.holders[place].leases[index];
            if lease.state != State::Out {
                continue;
            }
            let Some(report) = reports.iter().find(|report| report.id == lease.id) else {
                let arrived = lease.has_arrived;
                lease.state = if arrived { State::Settled } else { State::NeverArrived };
                let lease = *lease;
                if !arrived {
                    self.goes_back(&lease, lease.units);
                    if lease.spent > 0 {
                        let how = format!("not named, but spent: {lease:?}");
                        self.fail(Rule::SpentGoneUnit, how);
                    }
                }
                continue;
            };
            let before = *lease;
            lease.heard_returned = report.returned.clamp(lease.heard_returned, lease.units);
            lease.heard_spent = report.spent;
            lease.has_arrived = true;
            let units = lease.heard_returned - before.heard_returned;
            let is_kept = (GAP_MS..LEASE_LIFETIME_MS).contains(&now.ms_since(before.taken_at));
            self.returned_after_gaps += u64::from(units > 0 && is_kept);
            self.goes_back(&before, units);
        }
    }

    /// Units of a lease go back: credits first, the pack that was taken last first of all.
    fn goes_back(&mut self, lease: &Lease, units: u64) {
        let last = lease.units - lease.heard_returned;
        let first = last - units;
        for (pack, units) in lease.credits(first, last) {
            self.packs[pack].left += units;
        }
        let quota_part = last.min(lease.from_quota) - first.min(lease.from_quota);
        for window in lease.windows.iter() {
            self.windows[window].used -= quota_part;
        }
    }

    fn forget(&mut self, schedule: &Schedule, forgotten: &Forgotten, now: Timestamp) {
        let Forgotten { place, is_remembered } = *forgotten;
        let holder = &mut self.holders[place];
        let silent_ms = now.ms_since(holder.heard_at);
        if !is_remembered {
            holder.heard = 0;
            holder.heard_uncounted = [0; 3];
        }
        if silent_ms < LEASE_LIFETIME_MS + LEASE_MARGIN_MS {
            let how = format!("isolate {} after {silent_ms} ms", holder.isolate);
            self.fail(Rule::ForgottenTooSoon, how);
        }
        for index in 0..self.holders[place].leases.len() {
            let lease = &mut self.holders[place].leases[index];
            if lease.state != State::Out {
                continue;
            }
            if !is_lenient(schedule, lease.meter) {
                lease.state = State::LostAndCharged;
                continue;
            }
            lease.state = State::LostAndReturned;
            let lease = *lease;
            self.goes_back(&lease, lease.units - lease.heard_returned - lease.heard_spent);
            let unheard = lease.heard_spent..lease.spent.max(lease.heard_spent);
            let of_quota = unheard.end.min(lease.from_quota) - unheard.start.min(lease.from_quota);
            for window in lease.windows.iter() {
                self.windows[window].unheard += of_quota;
            }
            for (pack, units) in lease.credits(unheard.start, unheard.end) {
                self.packs[pack].unheard += units;
            }
        }
    }

    fn granted(
        &mut self,
        plan: &Plan,
        holder: usize,
        want: &Want,
        id: u64,
        lease: Option<&tollgate::quota::Lease>,
        now: Timestamp,
    ) {
        let mut counts = self.counts(plan, &want.meter, want.member.as_deref(), now);
        let units = lease.map_or(0, |lease| lease.units);
        let is_limited = !counts.is_empty();
        let most = if is_limited { want.needed + want.ahead } else { 0 };
        if (is_limited && units < want.needed) || units > most {
            let how = format!("{want:?} got {lease:?}");
            self.fail(Rule::Underpaid, how);
        }
        if lease.is_none() {
            return;
        }
        let room = counts.iter().map(Count::room).min().unwrap_or(u64::MAX);
        let (from_packs, missing) = self.take_credits(units.saturating_sub(room), now);
        // Units beyond the credits are the quota's, also where they are too many.
        let from_quota = units.min(room) + missing;
        let mut windows = Few::default();
        let mut quota_ends_at = Timestamp::from_millis(i64::MAX);
        if from_quota > 0 {
            for count in &mut counts {
                count.place = Some(self.open_window(count));
            }
            for count in &counts {
                let place = self.open_window(count);
                let window = &mut self.windows[place];
                window.used += from_quota;
                window.ceiling = window.ceiling.max(count.ceiling);
                quota_ends_at = quota_ends_at.min(count.ends_at);
                windows.push(place);
            }
        }
        self.holders[holder].leases.push(Lease {
            id,
            meter: meter_place(&want.meter),
            member: member_of(want.member.as_deref()),
            counts_members: counts_members(plan, &want.meter),
            units,
            from_quota,
            from_packs,
            windows,
            quota_ends_at,
            state: State::Out,
            has_arrived: false,
            taken_at: now,
            spent: 0,
            heard_spent: 0,
            heard_returned: 0,
        });
    }

    /// Takes what expires first. Returns what was taken, and how much could not be.
    fn take_credits(&mut self, units: u64, now: Timestamp) -> (Few<(usize, u64)>, u64) {
        let mut taken = Few::default();
        let mut missing = units;
        let last = Timestamp::from_millis(i64::MAX);
        while missing > 0 {
            let usable = self.packs.iter().enumerate().filter(|(_, pack)| pack.is_usable(now));
            let first = usable.min_by_key(|(_, pack)| {
                (pack.bought.expires_at.unwrap_or(last), pack.bought.added_at)
            });
            let Some((place, _)) = first else { break };
            let pack = &mut self.packs[place];
            let part = pack.left.min(missing);
            pack.left -= part;
            missing -= part;
            taken.push((place, part));
        }
        // Nothing right gets here: it is some pack's, if there is one, also where that has none.
        let lasting = |(_, pack): &(usize, &Pack)| pack.lasts(now);
        if missing > 0
            && let Some((place, _)) = self.packs.iter().enumerate().rfind(lasting)
        {
            taken.push((place, missing));
            missing = 0;
        }
        (taken, missing)
    }

    /// A refusal is right where one of the wants can't be met, also with all of the credits.
    fn refused(&mut self, schedule: &Schedule, plan: &Plan, wants: &[Want], now: Timestamp) {
        let mut credits = self.credits_left(now);
        for want in wants {
            let counts = self.counts(plan, &want.meter, want.member.as_deref(), now);
            let room = counts.iter().map(Count::room).min().unwrap_or(u64::MAX);
            let missing = want.needed.saturating_sub(room);
            if missing > credits {
                return;
            }
            credits -= missing;
        }
        let how = format!("{wants:?} of seed {}", schedule.seed);
        self.fail(Rule::RefusedWithRoom, how);
    }

    pub(crate) fn credits_left(&self, now: Timestamp) -> u64 {
        self.packs.iter().filter(|pack| pack.is_usable(now)).map(|pack| pack.left).sum()
    }

    /// Units that passed during an outage are counted apart, but in rows of the same windows.
    fn open_windows(&mut self, plan: &Plan, meter: &str, now: Timestamp) {
        for count in self.counts(plan, meter, None, now) {
            self.open_window(&count);
        }
    }

    fn open_window(&mut self, count: &Count) -> usize {
        count.place.unwrap_or_else(|| {
            self.windows.push(Window {
                key: count.key,
                used: 0,
                carried: count.carried,
                passed: 0,
                ceiling: 0,
                unheard: 0,
            });
            self.windows.len() - 1
        })
    }
}

/// The member of a want, as the book names it.
pub(crate) fn member_of(member: Option<&str>) -> Option<usize> {
    member.map(member_place)
}
