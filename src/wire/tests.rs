use std::collections::BTreeMap;

use super::field::VALUE;
use super::write::write_number;
use super::*;
use crate::time::Timestamp;
use proptest::prelude::*;

#[derive(Clone, Debug, PartialEq)]
struct Sample {
    name: String,
    at: Timestamp,
    count: u32,
    more: Vec<Kind>,
    flag: bool,
    map: BTreeMap<String, u64>,
    boxed: Option<Box<Kind>>,
}

#[derive(Clone, Debug, PartialEq)]
enum Kind {
    Unit,
    Pair { left: u64, right: Option<String> },
    Tuple(usize),
}

wire!(Sample { 1: name, 2: at, 3: count, 4: more, 5: flag, 6: map, 7: boxed });
wire! { enum Kind { 1: Unit, 2: Pair { 1: left, 2: right }, 3: Tuple(number) } }

/// [`Sample`] in a later release: with another field in front, one behind, and one fewer.
#[derive(Clone, Debug, PartialEq)]
struct LaterSample {
    weight: u32,
    name: String,
    at: Timestamp,
    count: u32,
    flag: bool,
    more: Vec<LaterKind>,
    map: BTreeMap<String, u64>,
    notes: Vec<String>,
}

#[derive(Clone, Debug, PartialEq)]
enum LaterKind {
    Unit,
    Pair { left: u64, right: Option<String>, middle: Option<u64> },
    Tuple(usize),
    Other,
}

wire!(LaterSample { 8: weight = 1, 1: name, 2: at, 3: count, 4: more, 5: flag, 6: map, 9: notes });
wire! {
    enum LaterKind {
        1: Unit, 2: Pair { 1: left, 2: right, 3: middle }, 3: Tuple(number), 4: Other,
    }
}

fn kind() -> impl Strategy<Value = Kind> {
    prop_oneof![
        Just(Kind::Unit),
        any::<(u64, Option<String>)>().prop_map(|(left, right)| Kind::Pair { left, right }),
        any::<usize>().prop_map(Kind::Tuple),
    ]
}

fn sample() -> impl Strategy<Value = Sample> {
    let simple = any::<(String, i64, u32, bool)>();
    let kinds = (prop::collection::vec(kind(), 0..4), prop::option::of(kind()));
    let map = prop::collection::btree_map(".{0,4}", any::<u64>(), 0..3);
    (simple, kinds, map).prop_map(|((name, ms, count, flag), (more, boxed), map)| {
        let (at, boxed) = (Timestamp::from_millis(ms), boxed.map(Box::new));
        Sample { name, at, count, more, flag, map, boxed }
    })
}

/// The examples of <https://protobuf.dev/programming-guides/encoding/>.
#[test]
fn bytes_are_those_of_protocol_buffers() {
    assert_eq!(encode(&150_u64), [0x08, 0x96, 0x01]);
    let mut text = Vec::new();
    write_text(2, "testing", &mut text);
    assert_eq!(text, b"\x12\x07testing");
    for (value, zigzag) in [(0, 0_u64), (-1, 1), (1, 2), (-2, 3), (i64::MAX, u64::MAX - 1)] {
        assert_eq!(encode(&value), encode(&zigzag));
        assert_eq!(decode(&encode(&value)), Ok(value));
    }
    assert_eq!(encode(&i64::MIN), encode(&u64::MAX));
    let kind = Kind::Pair { left: 7, right: Some("ü".to_owned()) };
    assert_eq!(encode(&kind), b"\x0a\x08\x12\x06\x08\x07\x12\x02\xc3\xbc");
    assert_eq!(encode(&vec![true, false]), [0x08, 1, 0x08, 0]);
    let lists = vec![vec![7_u64, 8], vec![]];
    assert_eq!(encode(&lists), b"\x0a\x04\x08\x07\x08\x08\x0a\0");
    assert_eq!(decode(&encode(&lists)), Ok(lists));
    assert_eq!((encode(&None::<u64>), decode(&[])), (vec![], Ok(None::<u64>)));
}

#[test]
fn a_message_longer_than_127_bytes_has_a_longer_length() {
    for length in [0, 1, 119, 120, 121, 122, 123, 124, 125, 126, 127, 128, 16_380, 16_384, 70_000] {
        let kind = Kind::Pair { left: 1, right: Some("x".repeat(length)) };
        assert_eq!(decode(&encode(&kind)), Ok(kind));
    }
}

#[test]
fn unsafe_absences_variants_and_numbers_are_refused() {
    let without = |skipped: u32| {
        let mut out = Vec::new();
        let message = begin_message(VALUE, &mut out);
        for number in (1..=3).chain([5]).filter(|number| *number != skipped) {
            match number {
                1 => write_text(1, "n", &mut out),
                2 => Timestamp::default().write(2, &mut out),
                number => write_number(number, 1, &mut out),
            }
        }
        end_message(message, &mut out);
        decode::<Sample>(&out)
    };
    assert!(without(0).is_ok(), "lists, maps and options may be absent");
    for (number, name) in
        [(1, "Sample.name"), (2, "Sample.at"), (3, "Sample.count"), (5, "Sample.flag")]
    {
        let missing = without(number).unwrap_err();
        assert_eq!(missing, Unreadable::Missing(name));
        assert_eq!(missing.to_string(), format!("{name} is missing"));
    }
    assert_eq!(decode::<Kind>(&encode(&LaterKind::Other)), Err(Unreadable::Unknown("Kind")));
    assert_eq!(
        Unreadable::Unknown("Kind").to_string(),
        "it has a Kind that this release does not know"
    );
    assert_eq!(decode::<Kind>(&encode(&"text".to_owned())).unwrap_err(), Unreadable::Broken);
    assert_eq!(decode::<u64>(&encode(&"text".to_owned())), Err(Unreadable::Broken));
    assert_eq!(decode::<String>(&encode(&7_u64)), Err(Unreadable::Broken));
    assert_eq!(decode::<u8>(&encode(&256_u64)), Err(Unreadable::Broken));
    assert_eq!(decode::<bool>(&encode(&2_u64)), Err(Unreadable::Broken));
    assert_eq!(decode::<String>(b"\x0a\x02\xe2\x82"), Err(Unreadable::Broken), "half a letter");
    for broken in [
        &b"\x08"[..],
        b"\x08\x80",
        b"\x0a\x05abc",
        b"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02",
        b"\x08\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01",
        b"\x0d\0\0\0\0",
    ] {
        assert_eq!(decode::<u64>(broken), Err(Unreadable::Broken), "{broken:x?}");
    }
    let most = b"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01";
    assert_eq!(decode::<u64>(most), Ok(u64::MAX));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn everything_is_read_as_it_was_written(sample in sample()) {
        prop_assert_eq!(decode(&encode(&sample)), Ok(sample));
    }

    #[test]
    fn releases_read_each_other(sample in sample(), weight: u32, notes: Vec<String>) {
        let later: LaterSample = decode(&encode(&sample)).unwrap();
        prop_assert_eq!((later.weight, &later.name, later.at), (1, &sample.name, sample.at));
        prop_assert_eq!((later.count, later.flag), (sample.count, sample.flag));
        prop_assert_eq!((&later.map, later.notes.len()), (&sample.map, 0));
        let later = LaterSample { weight, notes, ..later };
        let earlier: Sample = decode(&encode(&later)).unwrap();
        prop_assert_eq!(earlier, Sample { boxed: None, ..sample });
    }

    #[test]
    fn a_message_that_is_cut_short_is_refused(
        sample in sample(),
        at in any::<prop::sample::Index>(),
    ) {
        let bytes = encode(&sample);
        let cut = &bytes[..at.index(bytes.len())];
        prop_assert!(decode::<Sample>(cut).is_err());
    }

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
        let _ = (decode::<Sample>(&bytes), decode::<Vec<LaterSample>>(&bytes));
    }
}
