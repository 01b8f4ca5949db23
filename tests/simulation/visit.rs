//! An isolate's handling of a request: the way through `src/gate/admit.rs`, around a holder.

use tollgate::plan::Cost;
use tollgate::quota::holder::Ask;
use tollgate::quota::{Charge, GrantOutcome, Holder, LedgerReply};
use tollgate::time::Timestamp;

use crate::book::meter_place;
use crate::faults::Fault;
use crate::rules::Rule;
use crate::world::{Event, Pending, Purpose, Refused, View, World};

impl World<'_> {
    /// Has a request come in.
    pub(crate) fn request(
        &mut self,
        isolate: usize,
        account: usize,
        route: usize,
        member: usize,
        is_probe: bool,
    ) {
        self.outcome.tally.requests += 1;
        let request = self.pending.add(Pending {
            isolate,
            life: self.isolates[isolate].life,
            account,
            route,
            member,
            started_at: self.now_at(isolate),
            waits: 0,
            is_noted: false,
            is_probe,
        });
        self.visit(request);
    }

    /// Decides from what the isolate holds and remembers, or asks the ledger.
    pub(crate) fn visit(&mut self, request: usize) {
        let pending = *self.pending.get(request);
        let Pending { isolate, account, route, member, .. } = pending;
        if !self.is_alive(isolate, pending.life) {
            self.pending.remove(request);
            return;
        }
        let now = self.now_at(isolate);
        let deadline_ms = self.schedule.deadline_ms;
        let schedule = self.schedule;
        let place = self.view(isolate, account);
        let view = &mut self.isolates[isolate].views[place].1;
        let is_fresh = now < view.fresh_until;
        let costs = limited(&schedule.routes[route].costs, view, is_fresh, schedule);
        let who = Some(self.members[member].as_str());
        if !pending.is_noted {
            view.holder.note_demand(&costs, who, now);
            self.pending.get_mut(request).is_noted = true;
        }
        if costs.is_empty() {
            return self.pass(request, Charge::default());
        }
        if is_fresh && view.plan.is_none() {
            return self.deny(request, "no plan");
        }
        if let Some(charge) = view.holder.take(&costs, who, now) {
            self.take(account, &charge, member, true);
            return self.pass(request, charge);
        }
        if view.refuses(&costs, member, now) {
            return self.refuse(request, "remembered");
        }
        match view.holder.ask(&costs, who, None, deadline_ms, now) {
            Ask::Send { request: message, charge } => {
                self.take(account, &charge, member, true);
                self.outcome.tally.waited += u64::from(pending.waits == 0);
                self.send(isolate, account, *message, Purpose::Request(request), charge);
            }
            Ask::Wait => self.wait(request, now),
            Ask::Unavailable => self.without_ledger(request),
        }
    }

    fn take(&mut self, account: usize, charge: &Charge, member: usize, is_held: bool) {
        let now = self.ledger_now();
        self.accounts[account].book.take(charge, member, is_held, now);
        self.check(account);
    }

    /// Takes an answer over that a request waits for.
    pub(crate) fn answered(
        &mut self,
        request: usize,
        number: u64,
        set_aside: Charge,
        reply: &LedgerReply,
    ) {
        let Pending { isolate, account, route, member, .. } = *self.pending.get(request);
        let now = self.now_at(isolate);
        let place = self.view(isolate, account);
        let view = &mut self.isolates[isolate].views[place].1;
        let Some(answered) = view.holder.answered(&set_aside.holder, number, reply, now) else {
            self.give_back(isolate, account, &set_aside);
            return self.wait(request, now);
        };
        view.take_snapshot(reply, now);
        self.take(account, &answered.charge, member, false);
        let charge = set_aside.plus(answered.charge);
        match &reply.grant {
            Some(GrantOutcome::Granted { .. }) => self.pass(request, charge),
            Some(GrantOutcome::Refused { meter, quota, .. }) => {
                self.give_back(isolate, account, &charge);
                let costs = &self.schedule.routes[route].costs;
                let place = self.view(isolate, account);
                let view = &mut self.isolates[isolate].views[place].1;
                if let Some(cost) = costs.iter().find(|cost| cost.meter == *meter) {
                    let mut until = now.plus_ms(DENIAL_TTL_MS).min(quota.resets_at);
                    if self.options.fault == Some(Fault::RefusalsAreKept) {
                        until = now.plus_ms(DENIAL_TTL_MS * 1_000);
                    }
                    let (meter, units) = (meter_place(meter), cost.units);
                    view.remember(Refused { meter, units, member, until }, now);
                }
                self.refuse(request, "by the ledger");
            }
            Some(GrantOutcome::NoPlan) => {
                let view = &mut self.isolates[isolate].views[place].1;
                view.fresh_until = view.fresh_until.min(now.plus_ms(DENIAL_TTL_MS));
                self.give_back(isolate, account, &charge);
                self.deny(request, "no plan");
            }
            Some(GrantOutcome::UnknownPlan | GrantOutcome::Void) | None => {
                self.give_back(isolate, account, &charge);
                self.deny(request, "the ledger knows a later message");
            }
        }
        for lease in answered.to_watch {
            self.begin_watch(isolate, account, lease);
        }
    }

    /// No answer came.
    pub(crate) fn not_answered(&mut self, request: usize, number: u64, set_aside: &Charge) {
        let Pending { isolate, account, .. } = *self.pending.get(request);
        let now = self.now_at(isolate);
        let place = self.view(isolate, account);
        self.isolates[isolate].views[place].1.holder.failed(&set_aside.holder, number, now);
        self.give_back(isolate, account, set_aside);
        self.without_ledger(request);
    }

    fn wait(&mut self, request: usize, now: Timestamp) {
        let pending = self.pending.get_mut(request);
        let deadline_ms = i64::from(self.schedule.deadline_ms) * 2;
        if now.ms_since(pending.started_at) >= deadline_ms {
            return self.without_ledger(request);
        }
        self.outcome.tally.waited += u64::from(pending.waits == 0);
        let for_ms = 4_i64.checked_shl(pending.waits).unwrap_or(32).min(32);
        pending.waits = (pending.waits + 1).min(8);
        let isolate = pending.isolate;
        self.queue.push(self.after(isolate, for_ms), Event::Poll { request });
    }

    fn without_ledger(&mut self, request: usize) {
        let Pending { isolate, account, route, is_probe, .. } = self.pending.remove(request);
        self.outcome.tally.unavailable += 1;
        if is_probe {
            self.probe_refused();
        }
        if !self.schedule.passes_in_outage {
            return self.tell(isolate, || "answers 503".to_owned());
        }
        let costs = &self.schedule.routes[route].costs;
        let place = self.view(isolate, account);
        self.isolates[isolate].views[place].1.holder.count_degraded(costs);
        for cost in costs {
            let book = &mut self.accounts[account].book;
            book.passed_in_outage[meter_place(&cost.meter)] += cost.units;
        }
        self.tell(isolate, || "passes a request uncounted".to_owned());
    }

    fn pass(&mut self, request: usize, charge: Charge) {
        let pending = self.pending.remove(request);
        let Pending { isolate, account, route, is_probe, .. } = pending;
        let schedule = self.schedule;
        self.outcome.tally.passed += 1;
        self.tell(isolate, || format!("passes {} for {charge:?}", pending.said(schedule)));
        for cost in &schedule.routes[route].costs {
            let paid = charge.units_of(&cost.meter);
            let is_limited = schedule.plans.iter().all(|plan| plan.limits(&cost.meter));
            if paid > cost.units || (paid < cost.units && is_limited) {
                self.fail(Rule::Underpaid, format!("{cost:?} passed for {charge:?}"));
            }
        }
        if is_probe {
            self.probe_passed();
        }
        self.top_up(isolate, account);
        self.ask_origin(isolate, account, route, charge);
    }

    fn refuse(&mut self, request: usize, why: &str) {
        let pending = self.pending.remove(request);
        self.outcome.tally.refused += 1;
        let schedule = self.schedule;
        self.tell(pending.isolate, || format!("refuses {}, {why}", pending.said(schedule)));
        if pending.is_probe {
            self.probe_refused();
        }
    }

    fn deny(&mut self, request: usize, why: &str) {
        let pending = self.pending.remove(request);
        self.tell(pending.isolate, || format!("denies a request: {why}"));
    }

    /// Sends the request to its origin, as far as that will bring units back.
    fn ask_origin(&mut self, isolate: usize, account: usize, route: usize, charge: Charge) {
        let luck = &mut self.isolates[isolate].luck;
        let (fails, real, how_long) =
            (luck.below(1_000), luck.next(), luck.between(0, self.schedule.origin_ms));
        let takes_ms = match luck.below(4) {
            0 => how_long,
            1 if how_long % 2 == 0 => self.schedule.origin_ms,
            1 => self.schedule.origin_ms - 1,
            _ => how_long / 64,
        };
        if self.is_calm || charge.is_empty() {
            return;
        }
        let route = &self.schedule.routes[route];
        let back = if fails < self.schedule.rates.origin_fails {
            charge
        } else if route.is_settled {
            let beyond = |all: Charge, cost: &Cost| {
                all.plus(charge.beyond(&cost.meter, real % (cost.units + 1)))
            };
            let nothing = Charge { holder: charge.holder.clone(), takings: Vec::new() };
            route.costs.iter().fold(nothing, beyond)
        } else {
            return;
        };
        if !back.is_empty() {
            let life = self.isolates[isolate].life;
            let at_ms = self.after(isolate, i64::try_from(takes_ms).unwrap());
            let back = Box::new(back);
            self.queue.push(at_ms, Event::Origin { isolate, life, account, back });
        }
    }

    /// The place of what the isolate remembers of an account; nothing yet where it is new.
    pub(crate) fn view(&mut self, isolate: usize, account: usize) -> usize {
        let views = &self.isolates[isolate].views;
        if let Some(place) = views.iter().position(|(other, _)| *other == account) {
            return place;
        }
        let book = &mut self.accounts[account].book;
        let known = book.holders.iter().position(|holder| holder.isolate == isolate);
        let is_reused = self.options.fault == Some(Fault::NamesAreReused);
        let place = match known.filter(|_| is_reused) {
            Some(place) => place,
            None => book.add_holder(isolate),
        };
        let refund_ms = i64::try_from(self.schedule.origin_ms).unwrap();
        let view = View {
            holder: Holder::new(&place.to_string(), refund_ms),
            place,
            fresh_until: Timestamp::default(),
            plan: None,
            refusals: Vec::new(),
        };
        let views = &mut self.isolates[isolate].views;
        views.push((account, view));
        views.len() - 1
    }

    pub(crate) fn known_view(&mut self, isolate: usize, account: usize) -> Option<&mut View> {
        let mut views = self.isolates[isolate].views.iter_mut();
        views.find(|(other, _)| *other == account).map(|(_, view)| view)
    }
}

impl Pending {
    fn said(&self, schedule: &crate::schedule::Schedule) -> String {
        let costs = schedule.routes[self.route].costs.iter();
        let costs: Vec<_> = costs.map(|cost| format!("{} {}", cost.units, cost.meter)).collect();
        format!("{} of account {} for m{}", costs.join(" + "), self.account, self.member)
    }
}

impl View {
    pub(crate) fn take_snapshot(&mut self, reply: &LedgerReply, now: Timestamp) {
        let plan = reply.account.as_ref().and_then(|record| record.own.plan.as_deref());
        self.plan = plan.map(|id| usize::from(id == "q"));
        self.fresh_until = now.plus_ms(SNAPSHOT_TTL_MS.max(i64::from(reply.horizon_ms)));
    }

    fn refuses(&self, costs: &[Cost], member: usize, now: Timestamp) -> bool {
        self.refusals.iter().any(|refused| {
            let is_about = |cost: &Cost| {
                meter_place(&cost.meter) == refused.meter && cost.units == refused.units
            };
            now < refused.until && refused.member == member && costs.iter().any(is_about)
        })
    }

    fn remember(&mut self, refused: Refused, now: Timestamp) {
        self.refusals.retain(|other| now < other.until);
        self.refusals.insert(0, refused);
        self.refusals.truncate(MAX_REFUSALS);
    }
}

/// The costs of a request on the meters that its plan limits, as far as the plan is known.
fn limited<'s>(
    costs: &'s [Cost],
    view: &View,
    is_fresh: bool,
    schedule: &'s crate::schedule::Schedule,
) -> std::borrow::Cow<'s, [Cost]> {
    let plan = view.plan.filter(|_| is_fresh).map(|plan| &schedule.plans[plan]);
    let is_limited = |cost: &&Cost| plan.is_none_or(|plan| plan.limits(&cost.meter));
    if costs.iter().all(|cost| is_limited(&cost)) {
        return costs.into();
    }
    costs.iter().filter(is_limited).cloned().collect::<Vec<_>>().into()
}

/// As in `src/gate/admit.rs` and `src/gate/memory.rs`.
pub(crate) const DENIAL_TTL_MS: i64 = 3_000;
const SNAPSHOT_TTL_MS: i64 = 10_000;
const MAX_REFUSALS: usize = 8;
