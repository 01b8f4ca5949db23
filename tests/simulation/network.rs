//! Between isolates and ledgers: messages that get lost, wait, overtake each other or come twice;
//! and ledgers that fail in the middle.

use std::time::Instant;

use tollgate::quota::{Charge, GrantOutcome, Ledger, LedgerError, LedgerReply, LedgerRequest};

use crate::faults::Fault;
use crate::rules::Rule;
use crate::schedule::Strike;
use crate::world::{Call, Event, Purpose, World};

/// A call whose answer is waited for no more.
struct Closed {
    isolate: usize,
    account: usize,
    purpose: Purpose,
    charge: Charge,
    asked: Asked,
}

/// The message that an answer belongs to.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) holder: String,
    pub(crate) number: u64,
}

impl World<'_> {
    /// Sends a message, with any fate.
    pub(crate) fn send(
        &mut self,
        isolate: usize,
        account: usize,
        request: LedgerRequest,
        purpose: Purpose,
        charge: Charge,
    ) {
        let place = crate::book::place_of_holder(&request.holder);
        self.accounts[account].book.check_reports(&request);
        self.check(account);
        self.tell(isolate, || format!("sends {}", said(&request)));
        self.outcome.tally.calls += 1;
        let life = self.isolates[isolate].life;
        let mut call = Call {
            request,
            isolate,
            life,
            account,
            place,
            purpose,
            charge,
            is_open: true,
            events: 1,
        };
        let rates = &self.schedule.rates;
        let latency_ms = self.schedule.isolates[isolate].latency_ms;
        let luck = &mut self.isolates[isolate].luck;
        let mut ways = [None, None];
        for (copy, way) in ways.iter_mut().enumerate() {
            let happens = luck.happens(rates.copied);
            let is_lost = luck.happens(rates.lost) && !self.is_calm;
            let takes_ms = luck.between(latency_ms, latency_ms + latency_ms / 4);
            let (delay, late, ghost) =
                (luck.happens(rates.delayed), luck.happens(rates.late), luck.happens(rates.ghosts));
            let by_ms = match luck.next() {
                by if ghost => 86_000 + by % 120_000,
                by if late => 10_000 + by % 70_000,
                by if delay => 200 + by % 2_800,
                _ => 0,
            };
            let is_sent = copy == 0 || (happens && !self.is_calm);
            let by_ms = if self.is_calm { 0 } else { by_ms };
            *way = (is_sent && !is_lost).then_some(takes_ms + by_ms);
        }
        let (dies, evicted, cancelled) =
            (luck.happens(rates.dies), luck.happens(rates.evicted), luck.happens(rates.cancelled));
        let soon_ms = luck.between(0, 3 * latency_ms + 5);
        if ways[0].is_none() {
            self.accounts[account].book.trouble(place, "a message of it was lost");
        }
        let is_on_path = matches!(purpose, Purpose::Request(_));
        if cancelled && is_on_path && !self.is_calm {
            self.accounts[account].book.trouble(place, "a request of it was cancelled");
            call.is_open = false;
            self.outcome
                .story
                .extend(self.options.tells.then(|| "... and is cancelled".to_owned()));
        }
        call.events += ways.iter().flatten().count() as u32;
        let call = self.calls.add(call);
        for takes_ms in ways.into_iter().flatten() {
            self.queue.push(self.now_ms + takes_ms, Event::Deliver { call });
        }
        let deadline_ms = i64::from(self.schedule.deadline_ms);
        self.queue.push(self.after(isolate, deadline_ms), Event::Deadline { call });
        if dies && !self.is_calm {
            let strike = Box::new(Strike::Dies { isolate });
            self.queue.push(self.now_ms + soon_ms, Event::Fate { strike });
        }
        if evicted && !self.is_calm {
            let strike = Box::new(Strike::Evicts { isolate, account });
            self.queue.push(self.now_ms + soon_ms, Event::Fate { strike });
        }
    }

    /// A message reaches its ledger.
    pub(crate) fn deliver(&mut self, call: usize) {
        let Call { isolate, account, place, is_open, .. } = *self.calls.get(call);
        let schedule = self.schedule;
        let rates = &schedule.rates;
        let luck = &mut self.isolates[isolate].luck;
        let (fails, after, restarts) =
            (luck.happens(rates.store_fails), luck.below(16), luck.happens(rates.restarts));
        let (is_lost, is_delayed, by_ms) =
            (luck.happens(rates.lost), luck.happens(rates.delayed), luck.between(200, 3_000));
        let latency_ms = schedule.isolates[isolate].latency_ms;
        let takes_ms = luck.between(latency_ms, latency_ms + latency_ms / 4);
        if self.accounts[account].is_out {
            self.accounts[account].book.trouble(place, "its ledger was out of reach");
            return self.event_over(call);
        }
        let is_calm = self.is_calm;
        let takes_ms = takes_ms + if is_delayed && !is_calm { by_ms } else { 0 };
        if fails && !is_calm {
            self.accounts[account].store.fails_after.set(Some(after));
        }
        let reply = self.handle(call).map(|reply| self.carried_reply(reply));
        let Some(mut reply) = reply else {
            self.accounts[account].book.trouble(place, "its ledger failed");
            self.accounts[account].ledger = Ledger::default();
            self.calls.get_mut(call).events += 1;
            self.queue.push(self.now_ms + takes_ms, Event::Refuse { call });
            return self.event_over(call);
        };
        if let Some(fault) = self.options.fault {
            fault.spoil_reply(&mut reply);
        }
        let is_granted = matches!(&reply.grant, Some(GrantOutcome::Granted { .. }));
        if matches!(&reply.grant, Some(GrantOutcome::Void)) && is_open {
            // The platform takes the answer that comes first: that of a copy, which is empty.
            self.accounts[account].book.trouble(place, "an answer was overtaken by that of a copy");
        }
        if is_granted && !is_open {
            self.accounts[account].book.trouble(place, "a message of it came too late");
        }
        if restarts && !is_calm {
            self.restart(account);
        }
        if (is_lost || restarts) && !is_calm {
            self.accounts[account].book.trouble(place, "an answer to it was lost");
            return self.event_over(call);
        }
        self.calls.get_mut(call).events += 1;
        let reply = Box::new(reply);
        self.queue.push(self.now_ms + takes_ms, Event::Reply { call, reply });
        self.event_over(call);
    }

    /// Has a ledger handle a message, as one transaction. `None` where it failed.
    fn handle(&mut self, call: usize) -> Option<LedgerReply> {
        let now = self.ledger_now();
        let (schedule, fault) = (self.schedule, self.options.fault);
        let terms = self.terms();
        let Call { isolate, account: number, .. } = *self.calls.get(call);
        let carried = self.carried_request(isolate, &self.calls.get(call).request);
        let is_later = self.is_ledger_later();
        if std::mem::replace(&mut self.accounts[number].is_later, is_later) != is_later {
            self.restart(number);
            self.accounts[number].store.set_later(is_later);
        }
        let Self { accounts, calls, changed, outcome, .. } = self;
        let Call { account: number, request: sent, .. } = calls.get(call);
        let account = &mut accounts[*number];
        let spoilt = fault.and_then(|fault| fault.spoilt(sent));
        let terms = fault.map_or(terms, |fault| fault.spoilt_terms(terms, &self.lenient));
        let request = spoilt.as_ref().unwrap_or(&carried);
        let begun = self.options.measures.then(Instant::now);
        let result = account.ledger.handle(&mut account.store, terms, request, now);
        outcome.tally.ledger_ns += begun.map_or(0, |begun| begun.elapsed().as_nanos() as u64);
        outcome.tally.ledger_calls += 1;
        if self.options.tells {
            let answer = result.as_ref().map_or_else(|_| "fails".to_owned(), said_reply);
            let line = format!("{:>9} ms  ledger {number}: hears", self.now_ms);
            outcome.story.push(format!("{line} {}; {answer}", said(request)));
        }
        let reply = match result {
            Ok(reply) => reply,
            Err(error) => {
                account.store.roll_back();
                if fault.is_none() && !matches!(error, LedgerError::Store(_)) {
                    account.book.fail(Rule::LedgerFaulty, error.to_string());
                }
                let number = *number;
                self.check(number);
                return None;
            }
        };
        if fault == Some(Fault::AnswersBeforeItWrites) && now.as_millis() % 4 == 0 {
            account.store.roll_back();
        }
        account.store.commit(changed);
        account.book.heard(schedule, sent, &reply, &changed.forgotten, now);
        if self.options.compares {
            account.compare(changed);
        }
        if let Some(how) = account.store.difference() {
            account.book.fail(Rule::BooksDiffer, how);
        }
        if fault == Some(Fault::RepeatsAreCounted) {
            let mut again = sent.clone();
            again.number += again.wants.len() as u64;
            match account.ledger.handle(&mut account.store, terms, &again, now) {
                Ok(second) => {
                    account.store.commit(changed);
                    account.book.heard(schedule, &again, &second, &changed.forgotten, now);
                }
                Err(_) => account.store.roll_back(),
            }
        }
        let number = *number;
        self.check(number);
        Some(reply)
    }

    /// An answer reaches its isolate.
    pub(crate) fn replied(&mut self, call: usize, reply: &LedgerReply) {
        if let Some(closed) = self.close(call) {
            let Closed { isolate, account, asked, .. } = closed;
            match closed.purpose {
                Purpose::Request(request) => {
                    self.answered(request, asked.number, closed.charge, reply);
                }
                Purpose::Tell => self.told(isolate, account, &asked, Some(reply)),
                Purpose::Watch { lease, until_ms } if self.now_ms <= until_ms => {
                    self.told(isolate, account, &asked, Some(reply));
                    self.watch(isolate, account, lease, until_ms);
                }
                Purpose::Watch { .. } => {}
            }
        }
        self.event_over(call);
    }

    /// The ledger failed, or no answer came in time.
    pub(crate) fn unanswered(&mut self, call: usize) {
        let place = self.calls.get(call).place;
        if let Some(closed) = self.close(call) {
            let Closed { isolate, account, asked, .. } = closed;
            self.accounts[account].book.trouble(place, "a message of it went unanswered");
            self.tell(isolate, || format!("has no answer to message {}", asked.number));
            match closed.purpose {
                Purpose::Request(request) => {
                    self.not_answered(request, asked.number, &closed.charge);
                }
                Purpose::Tell => self.told(isolate, account, &asked, None),
                Purpose::Watch { lease, until_ms } if self.now_ms <= until_ms => {
                    self.told(isolate, account, &asked, None);
                    self.watch(isolate, account, lease, until_ms);
                }
                Purpose::Watch { .. } => {}
            }
        }
        self.event_over(call);
    }

    /// Closes a call whose answer is waited for; `None` where none is, or nobody is there any more.
    fn close(&mut self, call: usize) -> Option<Closed> {
        let call = self.calls.get_mut(call);
        if !std::mem::take(&mut call.is_open) {
            return None;
        }
        let Call { isolate, life, account, purpose, .. } = *call;
        let charge = std::mem::take(&mut call.charge);
        let asked = Asked { holder: call.request.holder.clone(), number: call.request.number };
        if self.is_alive(isolate, life) {
            return Some(Closed { isolate, account, purpose, charge, asked });
        }
        if let Purpose::Request(request) = purpose {
            self.pending.remove(request);
        }
        None
    }

    fn event_over(&mut self, place: usize) {
        let call = self.calls.get_mut(place);
        call.events -= 1;
        if call.events == 0 {
            self.calls.remove(place);
        }
    }

    /// A ledger forgets what it did not write.
    pub(crate) fn restart(&mut self, account: usize) {
        self.tell_of(account, || "restarts".to_owned());
        self.accounts[account].ledger = Ledger::default();
    }
}

fn said(request: &LedgerRequest) -> String {
    let wants = request.wants.iter().map(|want| {
        let member = want.member.as_deref().unwrap_or("all");
        format!(" wants {}+{} {} for {member}", want.needed, want.ahead, want.meter)
    });
    let leases = request.leases.iter().map(|lease| {
        format!(" lease {} spent {} returned {}", lease.id, lease.spent, lease.returned)
    });
    let rest: String = wants.chain(leases).collect::<Vec<_>>().join(",");
    format!("message {} of holder {}:{rest}", request.number, request.holder)
}

fn said_reply(reply: &LedgerReply) -> String {
    match &reply.grant {
        None => "noted".to_owned(),
        Some(GrantOutcome::Granted { leases, .. }) => {
            let lease = |lease: &tollgate::quota::Lease| {
                format!("lease {} of {} for {} ms", lease.id, lease.units, lease.lifetime_ms)
            };
            format!("grants {}", leases.iter().map(lease).collect::<Vec<_>>().join(", "))
        }
        Some(GrantOutcome::Refused { reason, quota, .. }) => {
            format!("refuses: {reason:?}, {} is {} of {}", quota.name, quota.used, quota.limit)
        }
        Some(other) => format!("{other:?}"),
    }
}
