//! An isolate's work off a request's path, as in `src/edge/errands.rs`; and its end.

use tollgate::quota::holder::WatchAction;
use tollgate::quota::{Charge, LedgerReply};

use crate::book::place_of_holder;
use crate::faults::Fault;
use crate::network::Asked;
use crate::world::{Event, Purpose, World};

impl World<'_> {
    /// Fetches more units before they run out.
    pub(crate) fn top_up(&mut self, isolate: usize, account: usize) {
        let now = self.now_at(isolate);
        let deadline_ms = self.schedule.deadline_ms;
        let Some(view) = self.known_view(isolate, account) else { return };
        let refresh = view.fresh_until.plus_ms(-REFRESH_AHEAD_MS) <= now;
        if let Some(request) = view.holder.top_up(None, refresh, deadline_ms, now) {
            self.send(isolate, account, request, Purpose::Tell, Charge::default());
        }
    }

    /// Puts units back that a request took.
    pub(crate) fn give_back(&mut self, isolate: usize, account: usize, charge: &Charge) {
        if charge.is_empty() {
            return;
        }
        let now = self.now_at(isolate);
        let is_twice = self.options.fault == Some(Fault::UnitsComeBackTwice);
        let Some(view) = self.known_view(isolate, account) else { return };
        let is_ours = place_of_holder(&charge.holder) == view.place;
        let mut to_watch = view.holder.give_back(charge, now);
        if is_twice {
            to_watch.extend(view.holder.give_back(charge, now));
        }
        if is_ours {
            self.accounts[account].book.give_back(charge);
        }
        for lease in to_watch {
            self.begin_watch(isolate, account, lease);
        }
    }

    /// Begins an errand that looks after a lease. The platform ends it after a while.
    pub(crate) fn begin_watch(&mut self, isolate: usize, account: usize, lease: u64) {
        if self.options.fault != Some(Fault::NothingIsGivenBack) {
            self.watch(isolate, account, lease, self.now_ms + ERRAND_MS);
        }
    }

    pub(crate) fn watch(&mut self, isolate: usize, account: usize, lease: u64, until_ms: u64) {
        if self.now_ms > until_ms {
            return self.tell(isolate, || format!("the platform ends the errand of lease {lease}"));
        }
        let now = self.now_at(isolate);
        let deadline_ms = self.schedule.deadline_ms;
        let Some(view) = self.known_view(isolate, account) else { return };
        match view.holder.watch(lease, deadline_ms, now) {
            WatchAction::Done => {}
            WatchAction::Send(request) => {
                let purpose = Purpose::Watch { lease, until_ms };
                self.send(isolate, account, request, purpose, Charge::default());
            }
            WatchAction::Wait(ms) => {
                let life = self.isolates[isolate].life;
                let at_ms = self.after(isolate, ms.max(1));
                self.queue.push(at_ms, Event::Watch { isolate, life, account, lease, until_ms });
            }
        }
    }

    /// Takes over what a ledger answered to a message off a request's path.
    pub(crate) fn told(
        &mut self,
        isolate: usize,
        account: usize,
        asked: &Asked,
        reply: Option<&LedgerReply>,
    ) {
        let now = self.now_at(isolate);
        let Some(view) = self.known_view(isolate, account) else { return };
        let Asked { holder, number } = asked;
        let Some(reply) = reply else { return view.holder.failed(holder, *number, now) };
        let Some(answered) = view.holder.answered(holder, *number, reply, now) else { return };
        view.take_snapshot(reply, now);
        for lease in answered.to_watch {
            self.begin_watch(isolate, account, lease);
        }
    }

    /// An isolate dies, and another takes its place.
    pub(crate) fn die(&mut self, isolate: usize) {
        self.tell(isolate, || "dies".to_owned());
        self.isolates[isolate].life += 1;
        let now = self.ledger_now();
        for (account, view) in std::mem::take(&mut self.isolates[isolate].views) {
            self.accounts[account].book.died(view.place, now);
        }
    }

    /// An isolate forgets an account, which has to make room for others.
    pub(crate) fn evict(&mut self, isolate: usize, account: usize) {
        let views = &mut self.isolates[isolate].views;
        let Some(place) = views.iter().position(|(other, _)| *other == account) else { return };
        let (_, mut view) = views.remove(place);
        self.tell(isolate, || format!("forgets account {account}"));
        self.accounts[account].book.trouble(view.place, "forgotten");
        let now = self.now_at(isolate);
        if let Some(request) = view.holder.close(self.schedule.deadline_ms, now) {
            self.send(isolate, account, request, Purpose::Tell, Charge::default());
        }
    }
}

/// As in `src/gate/admit.rs`.
const REFRESH_AHEAD_MS: i64 = 2_000;
/// For how long after a response the platform lets an errand run.
const ERRAND_MS: u64 = 30_000;
