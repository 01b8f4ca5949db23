//! Leases that nobody asks for any more.

use tollgate::quota::holder::{QUIET_MS, WatchAction};
use tollgate::quota::{LeaseReport, LedgerRequest};

use crate::pair::{DEADLINE_MS, NOW, Pair, api};

impl Pair {
    fn watch(&mut self, lease: u64) -> WatchAction {
        self.holder.watch(lease, DEADLINE_MS, self.now)
    }

    /// The message that a watch sends.
    fn watch_sends(&mut self, lease: u64) -> LedgerRequest {
        match self.watch(lease) {
            WatchAction::Send(request) => request,
            other => panic!("{other:?}"),
        }
    }

    /// For how long a watch waits.
    fn watch_waits(&mut self, lease: u64) -> i64 {
        match self.watch(lease) {
            WatchAction::Wait(ms) => ms,
            other => panic!("{other:?}"),
        }
    }

    fn watch_is_done(&mut self, lease: u64) {
        let next = self.watch(lease);
        assert!(matches!(next, WatchAction::Done), "{next:?}");
    }
}

/// A pair that holds some units in its first lease, of which it spent one.
fn holding(mut pair: Pair) -> Pair {
    for _ in 0..20 {
        pair.take(&api(1));
    }
    let (request, _) = pair.request(&api(1));
    assert_eq!(pair.exchange(&request).to_watch, [1]);
    assert!(pair.available() > 10);
    pair
}

#[test]
fn units_without_demand_go_back_after_five_seconds_or_two_gaps() {
    let mut pair = holding(Pair::new(1_000));
    let held = pair.available();
    assert_eq!(pair.watch_waits(1), QUIET_MS);
    pair.pass_ms(3_000);
    pair.take(&api(1)).expect("there is enough");
    pair.pass_ms(2_000);
    let two_gaps_ms = 6_000;
    assert_eq!(pair.watch_waits(1), two_gaps_ms - 2_000, "they were asked for 3 s apart");
    pair.pass_ms(two_gaps_ms - 2_000);
    let request = pair.watch_sends(1);
    assert_eq!(request.leases, [LeaseReport { id: 1, spent: 2, returned: held - 1 }]);
    assert!(request.wants.is_empty());
    assert_eq!(pair.available(), 0);
    pair.exchange(&request);
    assert_eq!(pair.counted(), 2);
    pair.watch_is_done(1);
}

#[test]
fn a_lease_that_waits_for_its_turn_is_kept() {
    let mut pair = holding(Pair::new(1_000));
    for _ in 0..100 {
        pair.holder.note_demand(&api(1), None, pair.now);
    }
    let request = pair.top_up(true).expect("it is due");
    let second = request.number;
    assert_eq!(pair.exchange(&request).to_watch, [second]);
    for _ in 0..6 {
        pair.pass_ms(1_000);
        let charge = pair.take(&api(1)).expect("there is enough");
        assert_eq!(charge.takings[0].lease, 1, "the older one is spent first");
        assert_eq!(pair.watch_waits(second), QUIET_MS);
    }
    pair.pass_ms(QUIET_MS);
    assert_eq!(pair.watch_sends(second).leases[1].spent, 0, "nobody asks for any of them");
}

#[test]
fn a_lenient_lease_that_is_spent_does_not_wait_for_others() {
    let mut pair = holding(Pair::lenient(1_000));
    let held = pair.available();
    for _ in 0..100 {
        pair.holder.note_demand(&api(1), None, pair.now);
    }
    let request = pair.top_up(true).expect("it is due");
    pair.exchange(&request);
    pair.holder.take(&api(held), None, pair.now).expect("there is enough");
    pair.pass_ms(QUIET_MS - 1_000);
    pair.holder.take(&api(1), None, pair.now).expect("there is enough");
    pair.pass_ms(1_000);
    let report = LeaseReport { id: 1, spent: held + 1, returned: 0 };
    assert_eq!(pair.watch_sends(1).leases[0], report);
}

#[test]
fn a_lease_that_is_used_all_the_time_goes_back_when_it_ends() {
    let mut pair = holding(Pair::new(1_000));
    for _ in 0..24 {
        pair.pass_ms(1_000);
        pair.take(&api(1)).expect("there is enough");
        assert!(matches!(pair.watch(1), WatchAction::Wait(_)));
    }
    assert_eq!(pair.watch_waits(1), 1_000);
    pair.now = NOW.plus_ms(25_000);
    assert_eq!(pair.available(), 0);
    let request = pair.watch_sends(1);
    pair.exchange(&request);
    assert_eq!(pair.counted(), 25);
    pair.watch_is_done(1);
}

#[test]
fn nothing_is_told_of_a_lease_that_was_spent() {
    let mut pair = holding(Pair::new(1_000));
    let held = pair.available();
    pair.take(&api(held)).expect("there is enough");
    pair.watch_is_done(1);
    pair.watch_is_done(99);
    let mut pair = Pair::new(1_000);
    let (request, _) = pair.request(&api(3));
    assert!(pair.exchange(&request).to_watch.is_empty(), "a request takes all of it");
}

#[test]
fn of_a_lenient_lease_is_told_what_was_spent() {
    let mut pair = Pair::lenient(1_000);
    let (request, _) = pair.request(&api(3));
    assert_eq!(pair.exchange(&request).to_watch, [1], "though a request takes all of it");
    assert_eq!(pair.watch_waits(1), QUIET_MS);
    pair.pass_ms(QUIET_MS);
    let request = pair.watch_sends(1);
    assert_eq!(request.leases, [LeaseReport { id: 1, spent: 3, returned: 0 }]);
    pair.exchange(&request);
    pair.watch_is_done(1);
    assert_eq!(pair.store.holders["h"].leases[0].spent, 3);
}

#[test]
fn one_message_speaks_for_all_leases() {
    let mut pair = holding(Pair::new(1_000));
    for _ in 0..40 {
        pair.holder.note_demand(&api(1), None, pair.now);
    }
    let request = pair.top_up(true).expect("it is due");
    let second = request.number;
    assert_eq!(pair.exchange(&request).to_watch, [second]);
    pair.pass_ms(QUIET_MS);
    let request = pair.watch_sends(1);
    assert_eq!(pair.watch_waits(second), 100, "another message is under way");
    pair.exchange(&request);
    // The second was closed after that message had gone.
    let request = pair.watch_sends(second);
    assert!(request.leases.iter().all(|lease| lease.returned > 0));
    pair.exchange(&request);
    pair.watch_is_done(1);
    pair.watch_is_done(second);
    assert_eq!(pair.counted(), 1);
}

#[test]
fn another_message_may_say_it_first() {
    let mut pair = holding(Pair::new(1_000));
    let (slow, _) = pair.request(&[]);
    pair.pass_ms(QUIET_MS - 1_000);
    pair.exchange(&slow);
    let (request, _) = pair.request(&[]);
    pair.pass_ms(1_000);
    assert_eq!(pair.watch_waits(1), 100);
    pair.exchange(&request);
    // It was sent before the lease was closed; the next one has it.
    let (request, _) = pair.request(&[]);
    assert!(request.leases[0].returned > 0);
    pair.exchange(&request);
    pair.watch_is_done(1);
    assert_eq!(pair.counted(), 1);
}

#[test]
fn a_ledger_that_fails_is_tried_again_and_given_up_in_the_end() {
    let mut pair = holding(Pair::new(1_000));
    pair.pass_ms(QUIET_MS);
    let mut sent = 0;
    loop {
        match pair.watch(1) {
            WatchAction::Send(request) => {
                sent += 1;
                pair.holder.failed("h", request.number, pair.now);
            }
            WatchAction::Wait(ms) => pair.pass_ms(ms),
            WatchAction::Done => break,
        }
    }
    let lasted_ms = pair.now.ms_since(NOW);
    assert!((29_000..30_000 + 12_000).contains(&lasted_ms), "{lasted_ms}");
    assert!((3..=5).contains(&sent), "{sent}");
    // The next message has it all the same.
    pair.now = NOW.plus_ms(60_000);
    let (request, _) = pair.request(&[]);
    pair.exchange(&request);
    assert_eq!(pair.counted(), 1);
}

#[test]
fn after_a_pause_of_the_whole_isolate_it_goes_on() {
    let mut pair = holding(Pair::new(1_000));
    pair.pass_ms(20_000);
    let request = pair.watch_sends(1);
    pair.exchange(&request);
    assert_eq!(pair.counted(), 1);
}

#[test]
fn what_an_isolate_forgets_goes_back() {
    let mut pair = holding(Pair::new(1_000));
    pair.take(&api(1)).expect("there is enough");
    let request = pair.holder.close(DEADLINE_MS, pair.now).expect("some is held");
    pair.deliver(&request);
    assert_eq!((pair.counted(), pair.available()), (2, 0));

    let mut pair = Pair::new(1_000);
    assert!(pair.holder.close(DEADLINE_MS, pair.now).is_none(), "it never held any");
    pair.serve(&api(3)).expect("there is enough");
    assert!(pair.holder.close(DEADLINE_MS, pair.now).is_none(), "it was all spent");

    // A message that is under way is voided, in either order.
    for is_overtaken in [false, true] {
        let mut pair = holding(Pair::new(1_000));
        let (asking, set_aside) = pair.request(&api(500));
        let closing = pair.holder.close(DEADLINE_MS, pair.now).expect("some is held");
        if is_overtaken {
            pair.deliver(&closing);
        }
        let reply = pair.deliver(&asking);
        if !is_overtaken {
            pair.deliver(&closing);
        }
        assert!(pair.holder.answered("h", asking.number, &reply, pair.now).is_none());
        let spent = 1 + set_aside.units_of("api");
        assert_eq!(pair.counted(), spent, "{is_overtaken}");
    }
}
