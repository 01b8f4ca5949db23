//! A reader's views on one isolate.

use tollgate::allowance::{CountKey, Grant, ReaderId, ReaderMemory, SHARDS, Verdict};

use crate::site::{Site, allowance};

#[test]
fn five_pages_are_free_and_each_as_often_as_one_likes() {
    let mut site = Site::new("5 per month", 1);
    let mut cookie = None;
    for number in 1..=5 {
        let served = site.get(0, cookie.as_deref(), number);
        assert!(served.grant().is_some());
        assert_eq!(
            (served.view.quota.used, served.view.quota.remaining()),
            (number.into(), (5 - number).into())
        );
        cookie = served.cookie;
    }
    for number in 1..=5 {
        let again = site.get(0, cookie.as_deref(), number);
        assert_eq!((again.view.verdict, again.cookie), (Verdict::AlreadySeen, None));
    }
    let sixth = site.get(0, cookie.as_deref(), 6);
    assert_eq!(sixth.view.verdict, Verdict::UsedUp);
    assert_eq!((sixth.view.quota.used, sixth.view.quota.limit), (5, 5));
    assert_eq!(sixth.view.quota.resets_at.rfc3339(), "2026-12-01T00:00:00Z");
    site.now = sixth.view.quota.resets_at;
    assert!(site.get(0, cookie.as_deref(), 6).grant().is_some(), "a new month");
}

#[test]
fn an_isolate_that_has_seen_more_is_not_fooled() {
    let mut site = Site::new("3 per month", 1);
    let first = site.get(0, None, 1).cookie.unwrap();
    let second = site.get(0, Some(&first), 2);
    let third = site.get(0, second.cookie.as_deref(), 3);
    assert!(third.grant().is_some());
    let replayed = site.get(0, Some(&first), 4);
    assert_eq!((replayed.view.verdict, replayed.view.quota.used), (Verdict::UsedUp, 3));
    let seen = site.get(0, Some(&first), 2);
    assert_eq!(seen.view.verdict, Verdict::AlreadySeen, "what was paid for stays open");
}

#[test]
fn an_isolate_that_was_shown_more_is_not_fooled_either() {
    let mut site = Site::new("3 per month", 2);
    let first = site.get(0, None, 1).cookie.unwrap();
    let second = site.get(0, Some(&first), 2).cookie.unwrap();
    let third = site.get(0, Some(&second), 3).cookie.unwrap();
    assert_eq!(site.get(1, Some(&third), 4).view.verdict, Verdict::UsedUp);
    assert_eq!(site.get(1, Some(&first), 4).view.verdict, Verdict::UsedUp);
}

#[test]
fn tabs_that_are_opened_at_once_are_all_counted_and_all_stay_open() {
    let mut site = Site::new("5 per month", 1);
    let first = site.get(0, None, 1).cookie.unwrap();
    let tabs: Vec<_> = (2..=6).map(|number| site.get(0, Some(&first), number)).collect();
    let granted = tabs.iter().filter(|served| served.grant().is_some()).count();
    assert_eq!(granted, 4);
    // The browser keeps the cookie that came last.
    let last = tabs.iter().filter_map(|served| served.cookie.as_deref()).next_back();
    for number in 1..=5 {
        assert_eq!(site.get(0, last, number).view.verdict, Verdict::AlreadySeen, "/{number}");
    }
}

#[test]
fn a_view_that_came_to_nothing_is_given_back() {
    let mut site = Site::new("2 per month", 1);
    let first = site.get(0, None, 1).cookie.unwrap();
    for _ in 0..3 {
        site.get_failing(0, Some(&first), 2);
    }
    assert!(site.get(0, Some(&first), 3).grant().is_some());
    assert!(site.get(0, Some(&first), 4).grant().is_none());
    assert_eq!(site.take(0).len(), 1, "only what was delivered is reported");
}

#[test]
fn two_allowances_are_counted_apart_and_the_same_one_together() {
    let mut site = Site::new("1 per month", 1);
    let first = site.get(0, None, 1).cookie.unwrap();
    assert!(site.get(0, Some(&first), 2).grant().is_none());
    site.allowance = allowance("1 per day");
    let both = site.get(0, Some(&first), 2).cookie.unwrap();
    assert!(site.get(0, Some(&both), 3).grant().is_none());
    site.allowance = allowance("1 per month");
    assert_eq!(site.get(0, Some(&both), 1).view.verdict, Verdict::AlreadySeen);
}

#[test]
fn reports_wait_for_company_but_not_for_ever() {
    let mut site = Site::new("9 per month", 1);
    let first = site.get(0, None, 1);
    let mut watch = ReaderMemory::default();
    let confirm = |watch: &mut ReaderMemory, site: &mut Site, number: u32| {
        let served = site.get(0, first.cookie.as_deref(), number);
        watch.confirm(&served.grant().unwrap(), site.now)
    };
    assert_eq!(watch.confirm(&first.grant().unwrap(), site.now), None, "nothing to go back to");
    let due = confirm(&mut watch, &mut site, 2).unwrap();
    assert_eq!(due.after_ms, 2_000);
    assert_eq!(confirm(&mut watch, &mut site, 3), None, "somebody will report already");
    site.now = site.now.plus_ms(10_000);
    let again = confirm(&mut watch, &mut site, 4);
    assert_eq!(again, Some(due), "and hasn't: the request that would have was ended");
    let report = watch.take(due.shard).unwrap();
    assert_eq!(report.observations.len(), 1);
    let seen = report.observations[0];
    assert_eq!((seen.count.reader, seen.had, seen.has), (first.reader, 1, 4));
    assert_eq!(watch.take(due.shard), None);
}

#[test]
fn many_observations_do_not_wait_and_too_many_are_lost() {
    let mut site = Site::new("3 per month", 1);
    let first = site.get(0, None, 1).cookie;
    let grant = site.get_undelivered(0, first.as_deref(), 2).grant().unwrap();
    let mut due = Vec::new();
    for number in 0..8_000_u16 {
        let mut id = [0; 12];
        id[..2].copy_from_slice(&number.to_le_bytes());
        let count = CountKey { reader: ReaderId::from_bytes(id), ..grant.count };
        let grant = Grant { count, ..grant };
        due.extend(site.isolates[0].confirm(&grant, site.now));
    }
    for shard in 0..SHARDS {
        let mine = due.iter().filter(|due| due.shard == shard).map(|due| due.after_ms);
        assert_eq!(mine.collect::<Vec<_>>(), [2_000, 0], "one promise to wait, one not to");
    }
    for request in site.take(0) {
        assert_eq!(request.observations.len(), 256);
    }
}
