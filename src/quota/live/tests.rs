use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::plan::Period;

/// The tables in memory.
#[derive(Clone, Debug, Default)]
struct Tables {
    live: BTreeMap<String, (Timestamp, Vec<u8>)>,
    past: BTreeMap<CounterKey, Counter>,
    holders: BTreeMap<String, (HolderTimes, Vec<u8>)>,
    writes: usize,
}

impl LiveRows for Tables {
    fn live_row(&self, member: &str) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.live.get(member).map(|(_, value)| value.clone()))
    }

    fn put_live_row(
        &mut self,
        member: &str,
        starts_at: Timestamp,
        value: &[u8],
    ) -> Result<(), StoreError> {
        self.writes = self.writes.saturating_add(1);
        self.live.insert(member.to_owned(), (starts_at, value.to_vec()));
        Ok(())
    }

    fn delete_live_row(&mut self, member: &str) -> Result<(), StoreError> {
        self.live.remove(member).expect("only a row that is there is deleted");
        Ok(())
    }

    fn live_rows_before(&self, started_before: Timestamp) -> Result<Vec<String>, StoreError> {
        let rows = self.live.iter().filter(|(_, (starts_at, _))| *starts_at < started_before);
        Ok(rows.map(|(member, _)| member.clone()).collect())
    }

    fn past_counter(&self, key: &CounterKey) -> Result<Option<Counter>, StoreError> {
        Ok(self.past.get(key).copied())
    }

    fn put_past_counter(&mut self, key: &CounterKey, counter: &Counter) -> Result<(), StoreError> {
        self.writes = self.writes.saturating_add(1);
        self.past.insert(key.clone(), *counter);
        Ok(())
    }

    fn delete_past_counters(&mut self, meter: &str, before: Timestamp) -> Result<(), StoreError> {
        self.past.retain(|key, _| key.meter != meter || key.starts_at >= before);
        Ok(())
    }

    fn own_holder(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.holders.get(name).map(|(_, value)| value.clone()))
    }

    fn put_own_holder(&mut self, times: &HolderTimes, value: &[u8]) -> Result<(), StoreError> {
        self.writes = self.writes.saturating_add(1);
        self.holders.insert(times.name.clone(), (times.clone(), value.to_vec()));
        Ok(())
    }

    fn delete_own_holder(&mut self, name: &str) -> Result<(), StoreError> {
        self.holders.remove(name).expect("only a row that is there is deleted");
        Ok(())
    }

    fn own_holder_times(&self) -> Result<Vec<HolderTimes>, StoreError> {
        Ok(self.holders.values().map(|(times, _)| times.clone()).collect())
    }
}

fn key(period: Period, member: Option<&str>, at_s: i64) -> CounterKey {
    let (meter, member) = ("api".to_owned(), member.map(str::to_owned));
    CounterKey { meter, member, period, starts_at: Timestamp::from_seconds(at_s) }
}

fn counter(used: u64) -> Counter {
    Counter { used, ..Counter::default() }
}

fn holder(name: &str, heard: u64) -> HolderRow {
    HolderRow { name: name.to_owned(), heard, ..HolderRow::default() }
}

#[test]
fn a_message_about_few_holders_writes_one_row() {
    let mut tables = Tables::default();
    for name in ["a", "b", "c", "d", "a"] {
        let pages = LivePages::default();
        let before = tables.writes;
        for period in [Period::Hour, Period::Day, Period::Month] {
            pages.put_counter(&mut tables, &key(period, None, 0), &counter(7)).unwrap();
        }
        pages.put_holder(&mut tables, &holder(name, 1)).unwrap();
        pages.write(&mut tables).unwrap();
        assert_eq!(tables.writes - before, 1, "{name}");
    }
    let pages = LivePages::default();
    let before = tables.writes;
    pages.put_counter(&mut tables, &key(Period::Day, None, 0), &counter(8)).unwrap();
    pages.put_counter(&mut tables, &key(Period::Day, Some("m"), 0), &counter(1)).unwrap();
    pages.put_holder(&mut tables, &holder("b", 2)).unwrap();
    pages.write(&mut tables).unwrap();
    assert_eq!(tables.writes - before, 2, "one for the account, one for the member");
    let pages = LivePages::default();
    pages.put_holder(&mut tables, &holder("e", 2)).unwrap();
    pages.write(&mut tables).unwrap();
    assert_eq!(tables.writes - before, 4, "a fifth holder has a row of its own");
    let pages = LivePages::default();
    assert_eq!(pages.holder(&tables, "e").unwrap(), Some(holder("e", 2)));
    pages.write(&mut tables).unwrap();
    assert_eq!(tables.writes - before, 4, "reading writes nothing");
}

#[test]
fn windows_that_are_over_leave_the_live_row() {
    let mut tables = Tables::default();
    for (period, kept) in [(Period::Minute, 2), (Period::Day, 5)] {
        let pages = LivePages::default();
        for at_s in 0..5 {
            let used = u64::try_from(at_s).unwrap();
            pages.put_counter(&mut tables, &key(period, None, at_s), &counter(used)).unwrap();
        }
        pages.write(&mut tables).unwrap();
        let pages = LivePages::default();
        let found = |at_s: i64| pages.counter(&tables, &key(period, None, at_s)).unwrap();
        let all: Vec<_> = (0..5).filter_map(found).map(|one| one.used).collect();
        assert_eq!(all, (5 - kept..5).collect::<Vec<_>>(), "{period:?}");
    }
    assert_eq!(tables.past.len(), 3);
    let pages = LivePages::default();
    pages.delete_counters(&mut tables, "api", Timestamp::from_seconds(4)).unwrap();
    pages.write(&mut tables).unwrap();
    let pages = LivePages::default();
    for period in [Period::Minute, Period::Day] {
        let left =
            (0..5).filter_map(|at_s| pages.counter(&tables, &key(period, None, at_s)).unwrap());
        assert_eq!(left.count(), 1);
    }
}

#[test]
fn a_row_with_nothing_in_it_is_deleted() {
    let mut tables = Tables::default();
    let pages = LivePages::default();
    pages.put_holder(&mut tables, &holder("a", 1)).unwrap();
    pages.write(&mut tables).unwrap();
    pages.delete_holder(&mut tables, "a").unwrap();
    pages.delete_holder(&mut tables, "b").unwrap();
    pages.write(&mut tables).unwrap();
    assert!(tables.live.is_empty());
}

#[test]
fn a_row_that_was_read_along_is_not_read_again() {
    let mut tables = Tables::default();
    let pages = LivePages::default();
    pages.put_holder(&mut tables, &holder("a", 1)).unwrap();
    pages.write(&mut tables).unwrap();
    let (_, value) = tables.live.remove("").unwrap();
    let pages = LivePages::default();
    pages.know_account(Some(&value)).unwrap();
    assert_eq!(pages.holder(&tables, "a").unwrap(), Some(holder("a", 1)));
    pages.put_holder(&mut tables, &holder("a", 2)).unwrap();
    pages.know_account(Some(&value)).unwrap();
    assert_eq!(pages.holder(&tables, "a").unwrap(), Some(holder("a", 2)), "the newer one stays");
}

#[test]
fn a_row_that_can_not_be_read_fails_the_message() {
    let mut tables = Tables::default();
    tables.live.insert(String::new(), (Timestamp::default(), b"gibberish".to_vec()));
    let error = LivePages::default().holder_times(&tables).unwrap_err();
    assert!(error.0.contains("can't be read"), "{error:?}");
}

#[derive(Clone, Debug)]
enum Action {
    Count { period: Period, member: Option<&'static str>, at_s: i64, used: u64 },
    Delete { before_s: i64 },
    Hold { name: u8, heard: u64 },
    Forget { name: u8 },
    EndMessage,
    UndoMessage,
}

fn action() -> impl Strategy<Value = Action> {
    let period = prop::sample::select(vec![Period::Hour, Period::Day]);
    let member = prop::sample::select(vec![None, Some("m"), Some("n")]);
    prop_oneof![
        5 => (period, member, 0_i64..6, 1_u64..9)
            .prop_map(|(period, member, at_s, used)| Action::Count { period, member, at_s, used }),
        1 => (0_i64..6).prop_map(|before_s| Action::Delete { before_s }),
        4 => (0_u8..8, 1_u64..9).prop_map(|(name, heard)| Action::Hold { name, heard }),
        2 => (0_u8..8).prop_map(|name| Action::Forget { name }),
        3 => Just(Action::EndMessage),
        1 => Just(Action::UndoMessage),
    ]
}

/// Rows that stand each for itself.
#[derive(Clone, Debug, Default, PartialEq)]
struct Plain {
    counters: BTreeMap<CounterKey, Counter>,
    holders: BTreeMap<String, HolderRow>,
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn packed_rows_are_as_good_as_plain_ones(actions in prop::collection::vec(action(), 1..60)) {
        let (mut tables, mut plain) = (Tables::default(), Plain::default());
        let (mut kept_tables, mut kept_plain) = (tables.clone(), plain.clone());
        let mut pages = LivePages::default();
        for action in actions {
            match action {
                Action::Count { period, member, at_s, used } => {
                    let key = key(period, member, at_s);
                    pages.put_counter(&mut tables, &key, &counter(used)).unwrap();
                    plain.counters.insert(key, counter(used));
                }
                Action::Delete { before_s } => {
                    let before = Timestamp::from_seconds(before_s);
                    pages.delete_counters(&mut tables, "api", before).unwrap();
                    plain.counters.retain(|key, _| key.starts_at >= before);
                }
                Action::Hold { name, heard } => {
                    let row = holder(&name.to_string(), heard);
                    pages.put_holder(&mut tables, &row).unwrap();
                    plain.holders.insert(row.name.clone(), row);
                }
                Action::Forget { name } => {
                    pages.delete_holder(&mut tables, &name.to_string()).unwrap();
                    plain.holders.remove(&name.to_string());
                }
                Action::EndMessage => {
                    pages.write(&mut tables).unwrap();
                    pages = LivePages::default();
                    (kept_tables, kept_plain) = (tables.clone(), plain.clone());
                }
                Action::UndoMessage => {
                    pages = LivePages::default();
                    (tables, plain) = (kept_tables.clone(), kept_plain.clone());
                }
            }
            for period in [Period::Hour, Period::Day] {
                for member in [None, Some("m"), Some("n")] {
                    for at_s in 0..6 {
                        let key = key(period, member, at_s);
                        let found = pages.counter(&tables, &key).unwrap();
                        prop_assert_eq!(found, plain.counters.get(&key).copied());
                    }
                }
            }
            let mut times = pages.holder_times(&tables).unwrap();
            times.sort_by(|one, other| one.name.cmp(&other.name));
            let expected: Vec<_> = plain.holders.values().map(HolderRow::times).collect();
            prop_assert_eq!(times, expected);
            for name in 0..8 {
                let found = pages.holder(&tables, &name.to_string()).unwrap();
                prop_assert_eq!(found.as_ref(), plain.holders.get(&name.to_string()));
            }
        }
    }
}
