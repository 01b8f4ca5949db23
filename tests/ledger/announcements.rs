//! Reached thresholds: announced once in a period.

use tollgate::plan::{Meter, Period, Plan};
use tollgate::quota::store::{Announcement, Threshold};

use crate::bench::{Bench, Hand, NOW, each, lasting, meter, quota, soft, want, want_of};

/// The announcements: quota, percent and units used.
fn announced(bench: &Bench) -> Vec<(&str, u8, u64)> {
    thresholds(bench).iter().map(|one| (lasting(&one.quota), one.percent, one.used)).collect()
}

fn thresholds(bench: &Bench) -> Vec<&Threshold> {
    let all = bench.store.announcements.iter();
    all.map(|one| match one {
        Announcement::Threshold(threshold) => threshold,
        Announcement::Note { .. } => panic!("{one:?}"),
    })
    .collect()
}

fn announcing(quotas: Vec<tollgate::plan::Quota>) -> Bench {
    Bench { announces: true, ..Bench::new(quotas) }
}

#[test]
fn each_threshold_is_announced_once_in_a_period() {
    let mut bench = announcing(vec![quota(Period::Minute, 100)]);
    let mut hand = Hand::new("h");
    for _ in 0..100 {
        assert_eq!(hand.get(&mut bench, 1, 0), Some(1));
    }
    assert_eq!(announced(&bench), [("api/minute", 80, 80), ("api/minute", 95, 95)]);
    let first = thresholds(&bench)[0];
    assert_eq!((first.at, first.limit, &first.member), (NOW, 100, &None));
    assert_eq!(first.resets_at, NOW.plus_seconds(60));
    bench.now = NOW.plus_seconds(60);
    assert_eq!(hand.get(&mut bench, 80, 0), Some(80));
    assert_eq!(bench.store.announcements.len(), 3, "and again in the next");
}

#[test]
fn of_several_thresholds_that_are_reached_at_once_the_highest_is_announced() {
    let mut bench = announcing(vec![quota(Period::Month, 100)]);
    bench.meters = vec![Meter { notify_at: vec![10, 50, 100], ..meter("api") }];
    let mut hand = Hand::new("h");
    assert_eq!(hand.get(&mut bench, 60, 0), Some(60));
    assert_eq!(announced(&bench), [("api/month", 50, 60)]);
    assert_eq!(hand.get(&mut bench, 40, 0), Some(40));
    assert_eq!(announced(&bench)[1..], [("api/month", 100, 100)]);
}

#[test]
fn a_threshold_that_is_reached_again_after_a_return_is_no_news() {
    let mut bench = announcing(vec![quota(Period::Month, 10)]);
    let mut hand = Hand::new("h");
    assert_eq!(hand.get(&mut bench, 9, 0), Some(9));
    hand.give_back(&mut bench, 1, 9);
    assert_eq!(bench.used(), [0]);
    assert_eq!(hand.get(&mut bench, 9, 0), Some(9));
    assert_eq!(announced(&bench), [("api/month", 80, 9)]);
    assert_eq!(hand.get(&mut bench, 1, 0), Some(1));
    assert_eq!(announced(&bench)[1..], [("api/month", 95, 10)]);
}

#[test]
fn each_quota_and_each_member_has_thresholds_of_its_own() {
    let mut bench = announcing(vec![quota(Period::Month, 20), each(Period::Month, 10)]);
    let mut hand = Hand::new("h");
    hand.ask(&mut bench, vec![want_of("alice", 8, 0), want_of("bob", 8, 0)]);
    let told: Vec<_> = thresholds(&bench)
        .iter()
        .map(|one| (lasting(&one.quota), one.member.as_deref(), one.used))
        .collect();
    let expected = [
        ("api/month", None, 16),
        ("api/month/member", Some("alice"), 8),
        ("api/month/member", Some("bob"), 8),
    ];
    assert_eq!(told, expected);
}

#[test]
fn a_soft_quota_that_is_passed_is_announced_up_to_its_highest_threshold() {
    let mut bench = announcing(vec![soft(Period::Month, 10)]);
    bench.meters = vec![Meter { notify_at: vec![100], ..meter("api") }];
    let mut hand = Hand::new("h");
    for _ in 0..30 {
        assert_eq!(hand.get(&mut bench, 1, 0), Some(1));
    }
    assert_eq!(announced(&bench), [("api/month", 100, 10)]);
}

#[test]
fn a_larger_plan_announces_only_what_is_higher() {
    let mut bench = announcing(vec![quota(Period::Month, 10)]);
    let large =
        Plan { id: "large".into(), quotas: vec![quota(Period::Month, 100)], ..Plan::default() };
    bench.plans.push(large);
    let mut hand = Hand::new("h");
    assert_eq!(hand.get(&mut bench, 8, 0), Some(8));
    bench.record().own.plan = Some("large".into());
    assert_eq!(hand.get(&mut bench, 75, 0), Some(75));
    assert_eq!(hand.get(&mut bench, 15, 0), Some(15));
    assert_eq!(announced(&bench), [("api/month", 80, 8), ("api/month", 95, 98)]);
}

#[test]
fn nothing_is_announced_where_nobody_listens_or_nothing_is_granted() {
    let mut silent = Bench::new(vec![quota(Period::Month, 10)]);
    assert_eq!(Hand::new("h").get(&mut silent, 10, 0), Some(10));
    assert!(silent.store.announcements.is_empty());
    let mut off = announcing(vec![quota(Period::Month, 10)]);
    off.meters = vec![Meter { notify_at: Vec::new(), ..meter("api") }];
    assert_eq!(Hand::new("h").get(&mut off, 10, 0), Some(10));
    assert!(off.store.announcements.is_empty());
    let mut refusing = announcing(vec![quota(Period::Month, 10)]);
    Hand::new("h").ask(&mut refusing, vec![want(11, 0)]);
    assert!(refusing.store.announcements.is_empty());
    // A quota of nothing is used up from the start; that is no news.
    let mut prepaid = announcing(vec![quota(Period::Month, 0)]).with_credits(5);
    assert_eq!(Hand::new("h").get(&mut prepaid, 1, 0), Some(1));
    assert!(prepaid.store.announcements.is_empty());
}
