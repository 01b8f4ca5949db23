//! Holders that are gone, what they held, and counts that are too old to be kept.

use tollgate::plan::{Lost, Meter, Period};
use tollgate::quota::lease::LEASE_LIFETIME_MS;
use tollgate::quota::ledger::LEASE_MARGIN_MS;
use tollgate::quota::{LeaseReport, LedgerRequest, Merge};
use tollgate::time::Timestamp;

use crate::bench::{Bench, DAY_MS, Hand, NOW, meter, on, quota, soft, want};

/// The time after which a holder that was last heard now is forgotten.
const FORGOTTEN_MS: i64 = LEASE_LIFETIME_MS + LEASE_MARGIN_MS;

/// Makes the ledger look at what is to be tidied up.
fn nudge(bench: &mut Bench, now: Timestamp) {
    bench.now = now;
    bench.call(&LedgerRequest { holder: "nudge".into(), ..LedgerRequest::default() });
}

#[test]
fn what_a_silent_holder_held_stays_charged() {
    let mut bench = Bench::new(vec![quota(Period::Month, 5)]);
    let mut hand = Hand::new("h");
    assert_eq!(hand.get(&mut bench, 5, 0), Some(5));
    bench.now = NOW.plus_ms(FORGOTTEN_MS - 1);
    hand.give_back(&mut bench, 1, 1);
    assert_eq!(bench.used(), [4], "a late report still counts");
    let heard = bench.now;
    nudge(&mut bench, heard.plus_ms(FORGOTTEN_MS));
    assert!(bench.store.holders.is_empty());
    hand.give_back(&mut bench, 1, 5);
    assert_eq!(bench.used(), [4]);
}

#[test]
fn on_a_lenient_meter_goes_back_what_was_not_said_to_be_spent() {
    let mut bench = Bench::new(vec![quota(Period::Month, 50), on("b", quota(Period::Month, 50))]);
    bench.meters = vec![Meter { lost: Lost::Lenient, ..meter("api") }];
    let mut hand = Hand::new("h");
    let mut wants = vec![want(10, 0), want(10, 0), want(10, 0)];
    wants[2].meter = "b".into();
    let outcome = hand.ask(&mut bench, wants);
    let lenient: Vec<_> =
        crate::bench::leases(&outcome).iter().map(|lease| lease.is_lenient).collect();
    assert_eq!(lenient, [true, true, false]);
    hand.leases[0] = LeaseReport { id: 1, spent: 3, returned: 2 };
    hand.leases[1] = LeaseReport { id: 2, spent: 10, returned: 0 };
    hand.leases[2] = LeaseReport { id: 3, spent: 1, returned: 0 };
    hand.tell(&mut bench);
    assert_eq!(bench.used(), [18, 10]);
    nudge(&mut bench, NOW.plus_ms(FORGOTTEN_MS - 1));
    assert_eq!(bench.used(), [18, 10]);
    nudge(&mut bench, NOW.plus_ms(FORGOTTEN_MS + 5_000));
    assert_eq!(bench.used(), [13, 10], "three spent and ten spent; the other meter is strict");
    assert!(bench.store.holders.is_empty());
}

#[test]
fn each_message_puts_the_forgetting_off() {
    let mut bench = Bench::new(vec![quota(Period::Month, 5)]);
    let mut hand = Hand::new("h");
    assert_eq!(hand.get(&mut bench, 1, 0), Some(1));
    for _ in 0..5 {
        bench.now = bench.now.plus_ms(FORGOTTEN_MS - 1);
        hand.tell(&mut bench);
    }
    assert_eq!(bench.store.holders["h"].leases.len(), 1);
}

#[test]
fn looking_for_the_gone_is_done_now_and_then() {
    let mut bench = Bench::new(vec![quota(Period::Month, 100)]);
    let mut gone = Hand::new("gone");
    assert_eq!(gone.get(&mut bench, 1, 0), Some(1));
    nudge(&mut bench, NOW.plus_ms(FORGOTTEN_MS - 1));
    let reads_nothing = |bench: &mut Bench| {
        let names: Vec<_> = bench.store.holders.keys().cloned().collect();
        names == ["gone"]
    };
    // It was looked at a moment ago: not again for five seconds.
    nudge(&mut bench, NOW.plus_ms(FORGOTTEN_MS + 4_998));
    assert!(reads_nothing(&mut bench));
    nudge(&mut bench, NOW.plus_ms(FORGOTTEN_MS + 4_999));
    assert!(bench.store.holders.is_empty());
}

#[test]
fn a_clock_that_was_far_ahead_for_a_moment_puts_nothing_off() {
    let mut bench = Bench::new(vec![quota(Period::Month, 5)]);
    nudge(&mut bench, NOW.plus_seconds(1_000_000_000));
    bench.now = NOW;
    assert_eq!(Hand::new("h").get(&mut bench, 1, 0), Some(1));
    nudge(&mut bench, NOW.plus_ms(FORGOTTEN_MS));
    assert!(bench.store.holders.is_empty());
}

#[test]
fn the_rows_of_a_ledger_that_was_restarted_are_looked_at_at_once() {
    let mut bench = Bench::new(vec![quota(Period::Month, 5)]);
    assert_eq!(Hand::new("h").get(&mut bench, 1, 0), Some(1));
    bench.ledger = tollgate::quota::Ledger::default();
    nudge(&mut bench, NOW.plus_ms(FORGOTTEN_MS));
    assert!(bench.store.holders.is_empty());
}

#[test]
fn counts_are_kept_as_long_as_the_meter_says() {
    let quotas = vec![soft(Period::Day, 9), soft(Period::Month, 9), on("b", soft(Period::Day, 9))];
    let mut bench = Bench::new(quotas);
    bench.meters = vec![Meter { keep_days: Some(10), ..meter("api") }];
    let starts = |bench: &Bench, meter: &str, period: Period| {
        let of_it = bench.store.counters.keys();
        of_it.filter(|key| key.meter == meter && key.period == period).count()
    };
    for day in 0..60 {
        bench.now = NOW.plus_ms(day * DAY_MS);
        let mut hand = Hand::new("h");
        hand.number = u64::try_from(day).expect("it is not negative") * 2 + 1;
        let mut other = want(1, 0);
        other.meter = "b".into();
        hand.ask(&mut bench, vec![want(1, 0), other]);
    }
    assert_eq!(starts(&bench, "b", Period::Day), 60, "all of them, where nothing is said");
    // Ten days after the end of the longest period that may have started then.
    assert_eq!(starts(&bench, "api", Period::Day), 42);
    assert_eq!(starts(&bench, "api", Period::Month), 1, "January; December ended on day 31");
    nudge(&mut bench, NOW.plus_ms(72 * DAY_MS));
    assert_eq!(starts(&bench, "api", Period::Month), 1, "it ended on day 62");
    nudge(&mut bench, NOW.plus_ms(73 * DAY_MS));
    assert_eq!(starts(&bench, "api", Period::Month), 0);
}

#[test]
fn what_was_merged_is_forgotten_soon_after_its_period() {
    let mut bench = Bench::new(vec![quota(Period::Month, 50)]);
    let mut hand = Hand::new("h");
    let ends_at = NOW.plus_ms(DAY_MS);
    let merge = Merge { name: "r".into(), meter: "api".into(), units: 3, ends_at, member: None };
    let mut say = |bench: &mut Bench, now: Timestamp| {
        bench.now = now;
        bench.call(&LedgerRequest {
            merge: Some(Box::new(merge.clone())),
            ..hand.message(Vec::new())
        });
        bench.used()
    };
    assert_eq!(say(&mut bench, NOW), [3]);
    assert_eq!(say(&mut bench, ends_at), [3], "a clock may lag");
    nudge(&mut bench, ends_at.plus_ms(2 * DAY_MS));
    assert!(bench.store.merged.is_empty());
}
