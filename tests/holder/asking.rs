//! One message at a time, numbers that rise, and what they report.

use tollgate::quota::holder::Ask;
use tollgate::quota::{GrantOutcome, LeaseReport, LedgerReply};

use crate::pair::{NOW, Pair, api, cost, monthly, sizes};

#[test]
fn while_one_message_is_under_way_others_wait() {
    let mut pair = Pair::new(1_000);
    let (request, _) = pair.request(&api(1));
    assert!(matches!(pair.ask(&api(1)), Ask::Wait));
    assert!(pair.top_up(true).is_none());
    pair.pass_ms(1_499);
    assert!(matches!(pair.ask(&api(1)), Ask::Wait), "its deadline, and a little");
    pair.exchange(&request);
    assert!(matches!(pair.ask(&api(1)), Ask::Send { .. }));
}

#[test]
fn a_message_whose_bringer_is_gone_is_given_up() {
    let mut pair = Pair::new(1_000);
    let (lost, _) = pair.request(&api(1));
    let answer = pair.deliver(&lost);
    pair.pass_ms(1_500);
    let (request, _) = pair.request(&api(1));
    assert_eq!((request.number, request.leases.len()), (2, 0));
    assert!(pair.holder.answered("h", lost.number, &answer, pair.now).is_none(), "it is void");
    assert_eq!(pair.available(), 0);
    pair.exchange(&request);
    assert_eq!(pair.counted(), 1, "what the first one got has gone back");
}

#[test]
fn an_answer_counts_once() {
    let mut pair = Pair::new(1_000);
    let (request, _) = pair.request(&api(1));
    let reply = pair.deliver(&request);
    assert!(pair.holder.answered("h", 7, &reply, pair.now).is_none(), "nobody asked that");
    assert!(pair.holder.answered("i", 1, &reply, pair.now).is_none(), "another did");
    pair.holder.failed("i", 1, pair.now);
    assert!(pair.holder.answered("h", 1, &reply, pair.now).is_some());
    assert!(pair.holder.answered("h", 1, &reply, pair.now).is_none());
}

#[test]
fn numbers_rise_by_the_number_of_wants() {
    let mut pair = Pair::with(vec![monthly("api", 1_000), monthly("tokens", 1_000)]);
    for (costs, number) in [
        (vec![cost("api", 1)], 1),
        (vec![cost("api", 1), cost("tokens", 1)], 2),
        (vec![], 4),
        (vec![cost("tokens", 1)], 5),
    ] {
        let (request, _) = pair.request(&costs);
        assert_eq!(request.number, number);
        pair.exchange(&request);
    }
}

#[test]
fn whoever_never_wanted_units_has_no_number() {
    let mut pair = Pair::new(1_000);
    for _ in 0..3 {
        let (request, _) = pair.request(&[]);
        assert_eq!((request.number, request.wants.len()), (0, 0));
        let answered = pair.exchange(&request);
        assert!(answered.charge.is_empty() && answered.to_watch.is_empty());
    }
    assert!(pair.store.holders.is_empty());
    let (request, _) = pair.request(&api(1));
    assert_eq!(request.number, 1);
}

#[test]
fn reports_are_running_totals_of_every_lease() {
    let mut pair = Pair::new(1_000_000);
    for _ in 0..30 {
        pair.take(&api(1));
    }
    let (request, _) = pair.request(&api(1));
    pair.exchange(&request);
    let units = pair.available() + 1;
    pair.take(&api(1)).expect("there is enough");
    pair.take(&api(4)).expect("there is enough");
    let (request, set_aside) = pair.request(&api(units));
    let spent = 6 + set_aside.units_of("api");
    assert_eq!(spent, units, "what is set aside is taken");
    assert_eq!(request.leases, [LeaseReport { id: 1, spent, returned: 0 }]);
    // The answer never comes, and the units go back into the lease.
    pair.pass_ms(1_500);
    pair.holder.give_back(&set_aside, pair.now);
    let (request, _) = pair.request(&[]);
    assert_eq!(request.leases, [LeaseReport { id: 1, spent: 6, returned: 0 }]);
}

#[test]
fn a_lease_that_is_over_is_named_until_it_is_settled() {
    let mut pair = Pair::new(1_000);
    pair.serve(&api(2)).expect("there is enough");
    let named = |pair: &mut Pair| {
        let (request, _) = pair.request(&[]);
        pair.exchange(&request);
        request.leases.iter().map(|lease| lease.id).collect::<Vec<_>>()
    };
    // Its units may come back for thirty seconds after a wait for the ledger.
    for ms in [1_000, 31_499, 31_500] {
        pair.now = NOW.plus_ms(ms);
        assert_eq!(named(&mut pair), [1], "{ms}");
    }
    assert_eq!(named(&mut pair), [0; 0], "the ledger knows what became of it");
    assert!(pair.store.holders["h"].leases.is_empty());
    assert_eq!(pair.counted(), 2);
}

#[test]
fn a_settled_lease_is_named_again_where_the_answer_got_lost() {
    let mut pair = Pair::new(1_000);
    pair.serve(&api(2)).expect("there is enough");
    pair.pass_ms(30_000);
    for _ in 0..3 {
        let (request, _) = pair.request(&[]);
        assert_eq!(request.leases.len(), 1);
        pair.deliver(&request);
        pair.pass_ms(1_500);
    }
    assert_eq!(pair.counted(), 2);
}

#[test]
fn units_come_from_what_ends_first_and_never_from_what_is_over() {
    let mut pair = Pair::new(1_000_000);
    for _ in 0..10 {
        pair.take(&api(1));
    }
    let (request, _) = pair.request(&api(1));
    pair.exchange(&request);
    pair.pass_ms(10_000);
    for _ in 0..10 {
        pair.holder.note_demand(&api(1), None, pair.now);
    }
    let request = pair.top_up(true).expect("it is due");
    pair.exchange(&request);
    let charge = pair.take(&api(1)).expect("there is enough");
    assert_eq!(charge.takings[0].lease, 1);
    pair.now = NOW.plus_ms(25_000);
    let charge = pair.take(&api(1)).expect("there is enough");
    assert_eq!(charge.takings[0].lease, request.number, "the first has ended");
    pair.now = NOW.plus_ms(35_000);
    assert_eq!((pair.available(), pair.take(&api(1))), (0, None));
}

#[test]
fn a_charge_may_come_from_several_leases() {
    let mut pair = Pair::new(1_000_000);
    for _ in 0..5 {
        pair.take(&api(1));
    }
    let (request, _) = pair.request(&api(1));
    pair.exchange(&request);
    let first = pair.available();
    let (request, _) = pair.request(&[]);
    pair.exchange(&request);
    for _ in 0..10 {
        pair.holder.note_demand(&api(1), None, pair.now);
    }
    let request = pair.top_up(true).expect("it is due");
    pair.exchange(&request);
    let charge = pair.take(&api(first + 2)).expect("there is enough");
    let takings: Vec<_> = charge.takings.iter().map(|one| (one.lease, one.units)).collect();
    assert_eq!(takings, [(1, first), (request.number, 2)]);
}

#[test]
fn several_meters_are_taken_all_or_nothing() {
    let mut pair = Pair::with(vec![monthly("api", 1_000), monthly("tokens", 1_000)]);
    let both = [cost("api", 1), cost("tokens", 10)];
    for _ in 0..5 {
        pair.take(&both);
    }
    let (request, _) = pair.request(&both);
    pair.exchange(&request);
    let held =
        |pair: &Pair| ["api", "tokens"].map(|meter| pair.holder.available(meter, None, pair.now));
    let [api_held, tokens_held] = held(&pair);
    assert!(api_held > 2 && tokens_held > 20, "{api_held} {tokens_held}");
    assert!(pair.take(&[cost("api", 1), cost("tokens", tokens_held + 1)]).is_none());
    assert!(pair.take(&[cost("api", api_held + 1), cost("tokens", 1)]).is_none());
    assert!(pair.take(&[cost("api", 1), cost("other", 1)]).is_none());
    assert_eq!(held(&pair), [api_held, tokens_held], "nothing was taken");
    pair.take(&[cost("api", api_held), cost("tokens", tokens_held)]).expect("there is enough");
    assert_eq!(held(&pair), [0, 0]);
}

#[test]
fn a_refusal_grants_nothing_and_leaves_what_is_held() {
    let mut pair = Pair::new(8);
    assert_eq!(pair.serve(&api(6)).expect("there is enough").units_of("api"), 6);
    for _ in 0..3 {
        assert!(pair.serve(&api(3)).is_none());
    }
    assert_eq!(pair.serve(&api(2)).expect("there is enough").units_of("api"), 2);
    assert_eq!((pair.counted(), pair.available()), (8, 0));
}

#[test]
fn answers_that_make_no_sense_break_nothing() {
    let mut pair = Pair::new(1_000);
    let (request, _) = pair.request(&api(5));
    let mut reply = pair.deliver(&request);
    if let Some(GrantOutcome::Granted { leases, quotas }) = &mut reply.grant {
        leases[0].units = 2;
        leases[0].lifetime_ms = u64::MAX;
        quotas.push(Vec::new());
    }
    let answered = pair.holder.answered("h", 1, &reply, pair.now).expect("it is waited for");
    assert_eq!(answered.charge.units_of("api"), 2, "never more than was granted");
    let (request, _) = pair.request(&api(5));
    let reply = LedgerReply { grant: Some(GrantOutcome::Void), ..LedgerReply::default() };
    let answered = pair.holder.answered("h", request.number, &reply, pair.now);
    assert!(answered.expect("it is waited for").charge.is_empty());
    assert_eq!(sizes(&request), [(5, 0)]);
}
