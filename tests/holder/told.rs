//! The standing of quotas, as callers see it.

use crate::pair::{Pair, api, cost, each, monthly};

/// Name and used of each quota that these costs are about.
fn told(pair: &Pair, meters: &[&str]) -> Vec<(String, u64)> {
    let costs: Vec<_> = meters.iter().map(|meter| cost(meter, 1)).collect();
    let states = pair.holder.quotas(&costs, pair.member, pair.now);
    states.into_iter().map(|state| (state.name.to_string(), state.used)).collect()
}

#[test]
fn what_is_held_is_still_the_accounts() {
    let mut pair = Pair::new(1_000);
    assert_eq!(told(&pair, &["api"]), []);
    for _ in 0..20 {
        pair.take(&api(1));
    }
    let (request, _) = pair.request(&api(1));
    pair.exchange(&request);
    for used in 1..=10 {
        assert_eq!(told(&pair, &["api"]), [("api/month".to_owned(), used)]);
        pair.take(&api(1)).expect("there is enough");
    }
    let charge = pair.take(&api(4)).expect("there is enough");
    assert_eq!(told(&pair, &["api"])[0].1, 15);
    pair.holder.give_back(&charge, pair.now);
    assert_eq!(told(&pair, &["api"])[0].1, 11);
}

#[test]
fn every_quota_of_every_meter_is_told() {
    let quotas = vec![monthly("api", 1_000), monthly("tokens", 1_000), each(100)];
    let mut pair = Pair::with(quotas);
    pair.member = Some("alice");
    let both = [cost("api", 1), cost("tokens", 40)];
    for _ in 0..10 {
        pair.take(&both);
    }
    let (request, _) = pair.request(&both);
    pair.exchange(&request);
    pair.take(&both).expect("there is enough");
    let expected = [("api/month", 2), ("api/month/member", 2), ("tokens/month", 80)]
        .map(|(name, used)| (name.to_owned(), used));
    assert_eq!(told(&pair, &["api", "tokens"]), expected);
    assert_eq!(told(&pair, &["tokens"]), expected[2..]);
    assert_eq!(told(&pair, &["other"]), []);
    pair.member = Some("bob");
    assert_eq!(told(&pair, &["tokens"]), expected[2..]);
    assert!(told(&pair, &["api"]).iter().all(|(_, used)| *used != 2), "alice's own is not bob's");
}
