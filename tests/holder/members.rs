//! Pockets of members, where the plan counts each of them.

use tollgate::plan::Plan;

use crate::pair::{Pair, api, each, monthly, sizes};

fn team() -> Pair {
    Pair::with(vec![monthly("api", 10_000), each(400)])
}

impl Pair {
    fn be(&mut self, member: &'static str) {
        self.member = Some(member);
    }

    /// Asks for a crowd of this member's requests.
    fn crowd(&mut self, member: &'static str) {
        self.be(member);
        for _ in 0..20 {
            self.take(&api(1));
        }
        let (request, _) = self.request(&api(1));
        self.exchange(&request);
    }
}

#[test]
fn each_spends_only_its_own() {
    let mut pair = team();
    pair.crowd("alice");
    let alices = pair.available();
    assert!(alices > 10);
    pair.be("bob");
    assert_eq!((pair.available(), pair.take(&api(1))), (0, None));
    pair.crowd("bob");
    let bobs = pair.available();
    pair.take(&api(2)).expect("there is enough");
    assert_eq!(pair.available(), bobs - 2);
    pair.be("alice");
    assert_eq!(pair.available(), alices);
    pair.be("carol");
    assert_eq!((pair.available(), pair.take(&api(1))), (0, None));
}

#[test]
fn where_the_plan_counts_no_members_they_share() {
    let mut pair = Pair::new(10_000);
    pair.crowd("alice");
    let held = pair.available();
    pair.be("bob");
    assert_eq!(pair.available(), held);
    pair.take(&api(1)).expect("there is enough");
    pair.be("alice");
    assert_eq!(pair.available(), held - 1);
}

#[test]
fn all_members_who_run_low_are_topped_up_in_one_message() {
    let mut pair = team();
    pair.crowd("alice");
    pair.crowd("bob");
    for member in ["alice", "bob"] {
        pair.be(member);
        while pair.available() > 0 {
            pair.take(&api(1)).expect("there is enough");
        }
    }
    let request = pair.top_up(false).expect("both are dry");
    let members: Vec<_> = request.wants.iter().map(|want| want.member.as_deref()).collect();
    assert_eq!(members, [Some("alice"), Some("bob")], "and nobody in particular wants none");
    let before = pair.counted();
    pair.exchange(&request);
    let mut held = 0;
    for member in ["alice", "bob"] {
        pair.be(member);
        assert!(pair.available() > 0);
        held += pair.available();
    }
    assert_eq!(pair.counted(), before + held, "the account's count has both");
}

#[test]
fn a_new_member_asks_as_a_new_account_does() {
    let mut pair = team();
    pair.crowd("alice");
    pair.pass_ms(60_000);
    pair.be("bob");
    pair.take(&api(1));
    let (request, _) = pair.request(&api(1));
    assert_eq!((sizes(&request), request.wants[0].member.as_deref()), (vec![(1, 0)], Some("bob")));
    pair.exchange(&request);
    assert!(pair.top_up(false).is_none());
}

#[test]
fn many_members_come_and_go() {
    let mut pair = team();
    for number in 0..200 {
        pair.be(Box::leak(format!("m{number}").into_boxed_str()));
        pair.pass_ms(2_000);
        pair.serve(&api(1)).expect("there is enough");
        pair.serve(&api(1)).expect("there is enough");
        if let Some(request) = pair.top_up(true) {
            assert!(request.wants.len() < 40, "{}", request.wants.len());
            assert!(request.leases.len() < 100, "{}", request.leases.len());
            pair.exchange(&request);
        }
    }
}

#[test]
fn a_plan_that_begins_to_count_members_closes_the_common_pocket() {
    let mut pair = Pair::new(10_000);
    let quotas = vec![monthly("api", 10_000), each(400)];
    pair.plans.push(Plan { id: "team".into(), quotas, ..Plan::default() });
    pair.crowd("alice");
    let common = pair.available();
    assert!(common > 10);
    pair.store.account.as_mut().expect("it is there").own.plan = Some("team".into());
    // Dearer than what is held, so that the ledger is asked.
    let charge = pair.serve(&api(common + 2)).expect("there is enough");
    assert_eq!(charge.takings.len(), 2);
    pair.holder.give_back(&charge, pair.now);
    pair.be("bob");
    assert_eq!(pair.available(), 0, "it would be counted in nobody's own quota");
    assert_eq!(pair.holder.available("api", None, pair.now), 0);
}

#[test]
fn a_plan_that_counts_members_no_more_opens_it() {
    let mut pair = team();
    pair.plans.push(Plan {
        id: "p2".into(),
        quotas: vec![monthly("api", 10_000)],
        ..Plan::default()
    });
    pair.crowd("alice");
    pair.crowd("bob");
    pair.store.account.as_mut().expect("it is there").own.plan = Some("p2".into());
    while pair.available() > 0 {
        pair.take(&api(1)).expect("there is enough");
    }
    pair.serve(&api(1)).expect("there is enough");
    let common = pair.available();
    assert!(common > 0);
    for member in ["alice", "carol", "bob"] {
        pair.be(member);
        assert_eq!(pair.available(), common, "{member}");
    }
}

#[test]
fn what_many_members_want_is_not_what_a_new_one_wants() {
    let mut pair = team();
    let (mut most_ahead, mut most_out) = (0, 0);
    for turn in 0..300 {
        pair.be(Box::leak(format!("m{turn}").into_boxed_str()));
        pair.pass_ms(20);
        assert!(pair.take(&api(1)).is_none());
        let (request, _) = pair.request(&api(1));
        // A cold isolate can't tell yet.
        if turn > 10 {
            most_ahead = most_ahead.max(sizes(&request)[0].1);
        }
        pair.exchange(&request);
        most_out = most_out.max(pair.counted() - (turn + 1));
    }
    assert_eq!((most_ahead, most_out), (0, 0), "each asks for the first time");
}
