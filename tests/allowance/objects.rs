//! The object that watches over readers: what it keeps, what it answers, and what it costs.

use proptest::prelude::*;
use tollgate::allowance::{
    Allowance, Correction, CountKey, Observation, Readers, ReadersReply, ReadersRequest, SHARDS,
};
use tollgate::identity::ObjectName;
use tollgate::wire;

use crate::memory_readers::MemoryReaders;
use crate::site::{NOW, allowance, key};

fn seen(had: u8, has: u8) -> Observation {
    let allowance = allowance("5 per month");
    let starts_at = allowance.window(NOW).starts_at;
    let count = CountKey { reader: key().reader_id("one"), allowance, starts_at };
    Observation { count, had, has }
}

fn tell(object: &mut Readers, store: &mut MemoryReaders, seen: &[Observation]) -> ReadersReply {
    object.handle(store, &ReadersRequest { observations: seen.to_vec() }, NOW).unwrap()
}

#[test]
fn only_the_highest_count_is_kept_and_only_less_is_answered() {
    let (mut object, mut store) = (Readers::default(), MemoryReaders::default());
    let mut used = |had, has| {
        let reply = tell(&mut object, &mut store, &[seen(had, has)]);
        reply.corrections.first().map(|correction| correction.used)
    };
    assert_eq!(used(1, 2), None);
    assert_eq!(used(2, 4), None);
    assert_eq!(used(2, 4), Some(4), "came with less than it has had");
    assert_eq!(used(4, 5), None);
    assert_eq!(used(1, 2), Some(5));
    assert_eq!((store.rows.len(), store.writes), (1, 3), "a row is written where it says more");
    assert_eq!(store.rows.values().next().unwrap().highest, 5);
}

#[test]
fn a_count_beyond_the_limit_is_the_limit() {
    let (mut object, mut store) = (Readers::default(), MemoryReaders::default());
    tell(&mut object, &mut store, &[seen(1, 255)]);
    let reply = tell(&mut object, &mut store, &[seen(1, 2)]);
    assert_eq!(reply.corrections[0].used, 5);
}

#[test]
fn periods_and_allowances_are_kept_apart_and_forgotten_when_they_are_over() {
    let (mut object, mut store) = (Readers::default(), MemoryReaders::default());
    let month = seen(1, 3);
    let minute = allowance("5 per minute");
    let starts_at = minute.window(NOW).starts_at;
    let short = CountKey { allowance: minute, starts_at, ..month.count };
    let next = CountKey { starts_at: minute.window(NOW.plus_seconds(60)).starts_at, ..short };
    let [short, next] = [short, next].map(|count| Observation { count, ..month });
    let reply = tell(&mut object, &mut store, &[month, short, next]);
    assert_eq!((store.rows.len(), reply.corrections.len()), (3, 0));
    let nothing = ReadersRequest::default();
    object.handle(&mut store, &nothing, NOW.plus_seconds(3_599)).unwrap();
    assert_eq!(store.rows.len(), 3, "it isn't tidied up at each call");
    object.handle(&mut store, &nothing, NOW.plus_seconds(3_600)).unwrap();
    assert_eq!(store.rows.len(), 1);
    object
        .handle(&mut store, &nothing, month.count.allowance.window(NOW).ends_at.plus_seconds(600))
        .unwrap();
    assert!(store.rows.is_empty());
}

#[test]
fn a_store_that_fails_is_an_error_and_no_answer() {
    let (mut object, mut store) = (Readers::default(), MemoryReaders::default());
    store.is_broken.set(true);
    let request = ReadersRequest { observations: vec![seen(1, 2)] };
    assert!(object.handle(&mut store, &request, NOW).is_err());
    store.is_broken.set(false);
    assert!(object.handle(&mut store, &request, NOW).is_ok());
}

#[test]
fn messages_are_read_as_they_were_written() {
    let request = ReadersRequest { observations: vec![seen(1, 2), seen(3, 4)] };
    assert_eq!(wire::decode::<ReadersRequest>(&wire::encode(&request)), Ok(request));
    let correction = Correction { count: seen(0, 0).count, used: 5 };
    let reply = ReadersReply { corrections: vec![correction] };
    assert_eq!(wire::decode::<ReadersReply>(&wire::encode(&reply)), Ok(reply));
    let read = |limit: u64, period: &str| {
        wire::decode::<Allowance>(&wire::encode(&(limit, period.to_owned())))
    };
    assert_eq!(read(5, "month"), Ok(Allowance::parse("5 per month").unwrap()));
    for (limit, period) in [(5, "cycle"), (0, "month"), (101, "month"), (500, "month"), (5, "week")]
    {
        assert!(read(limit, period).is_err(), "{limit} per {period}");
    }
}

#[test]
fn each_shard_is_an_object_of_its_own() {
    let names: Vec<_> =
        (0..SHARDS).map(|shard| ObjectName::ReaderRegistry(shard).to_string()).collect();
    for (index, name) in names.iter().enumerate() {
        assert!(!names[..index].contains(name));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_order_of_reports_does_not_matter(
        mut reports in prop::collection::vec((0_u8..5, 1_u8..=5), 1..12),
        again in any::<prop::sample::Index>(),
    ) {
        let keep = |reports: &[(u8, u8)]| {
            let (mut object, mut store) = (Readers::default(), MemoryReaders::default());
            for (had, has) in reports {
                tell(&mut object, &mut store, &[seen(*had, *has)]);
            }
            store.rows
        };
        let first = keep(&reports);
        reports.push(reports[again.index(reports.len())]);
        reports.reverse();
        prop_assert_eq!(first, keep(&reports));
    }
}
