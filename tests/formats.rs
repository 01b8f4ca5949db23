//! The formats of messages and stored values, held against the bytes of each release: see
//! docs/formats.md.
//!
//! `tests/formats/<number>/values.txt` has a line for each: its name, and its bytes in hex.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::arithmetic_side_effects,
    reason = "a test fails by panicking"
)]

#[path = "formats/accounts.rs"]
mod accounts;
#[path = "formats/inbox.rs"]
mod inbox;
#[path = "formats/ledger.rs"]
mod ledger;
#[path = "formats/sample.rs"]
mod sample;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use sample::Sample;
use tollgate::text::hex;

/// The folder of the newest release that runs somewhere: from then on it stays as it is. Raise it
/// with a release, then write the next folder.
const RELEASED: u32 = 0;
const NEXT: u32 = RELEASED + 1;

/// Today's samples.
fn samples() -> Vec<Sample> {
    let samples: Vec<_> =
        [accounts::samples(), inbox::samples(), ledger::samples()].into_iter().flatten().collect();
    let names: BTreeSet<_> = samples.iter().map(|sample| &sample.name).collect();
    assert_eq!(names.len(), samples.len(), "each sample has a name of its own");
    samples
}

/// The samples whose value reads otherwise in the bytes of an earlier release, for instance without
/// a field that was added since. The others read as today's.
fn earlier_samples(release: u32) -> Vec<Sample> {
    match release {
        1 => Vec::new(),
        other => panic!("release {other} is not listed: add it with the values that differ"),
    }
}

#[test]
fn the_bytes_of_every_release_are_read_today() {
    let today = samples();
    for release in 1..=NEXT {
        let earlier = earlier_samples(release);
        let lines = lines(release);
        assert!(lines.len() > 80, "release {release}: {} values", lines.len());
        for (name, bytes) in lines {
            let is_it = |sample: &&Sample| sample.name == name;
            let sample = earlier.iter().find(is_it).or_else(|| today.iter().find(is_it));
            let sample = sample.unwrap_or_else(|| {
                panic!("release {release}: {name} has no sample any more, and is read for two more")
            });
            (sample.compare)(&bytes).unwrap_or_else(|difference| {
                panic!("release {release}: {name} {difference}");
            });
        }
    }
}

#[test]
fn today_writes_the_bytes_of_the_next_release() {
    let samples = samples();
    if std::env::var_os("TOLLGATE_WRITE_FORMATS").is_some() {
        let mut text = String::new();
        for Sample { name, bytes, .. } in &samples {
            writeln!(text, "{name}: {}", hex::encode(bytes)).unwrap();
        }
        fs::create_dir_all(path(NEXT).parent().unwrap()).unwrap();
        return fs::write(path(NEXT), text).unwrap();
    }
    let lines = lines(NEXT);
    let written: Vec<_> =
        samples.iter().map(|sample| (sample.name.clone(), sample.bytes.clone())).collect();
    let differing: BTreeSet<_> = written
        .iter()
        .filter(|line| !lines.contains(line))
        .chain(lines.iter().filter(|line| !written.contains(line)))
        .map(|(name, _)| name)
        .collect();
    assert!(
        differing.is_empty(),
        "the bytes of {differing:?} are not those of {}. Where docs/formats.md allows the change, \
         run `TOLLGATE_WRITE_FORMATS=1 cargo test --features cli --test formats` and commit the \
         file",
        path(NEXT).display()
    );
}

#[test]
fn a_change_of_a_value_shows() {
    let sample = Sample::new("a pair", (1_u64, "x".to_owned()));
    assert_eq!((sample.compare)(&sample.bytes), Ok(()));
    let other = Sample::new("a pair", (1_u64, "y".to_owned()));
    assert!((sample.compare)(&other.bytes).unwrap_err().starts_with("is read as"));
    assert!((sample.compare)(&[8]).unwrap_err().starts_with("can't be read"));
}

/// The values of a release, each with its name and bytes.
fn lines(release: u32) -> Vec<(String, Vec<u8>)> {
    let text = fs::read_to_string(path(release))
        .unwrap_or_else(|error| panic!("{}: {error}", path(release).display()));
    let line = |line: &str| {
        let (name, bytes) = line.split_once(": ").unwrap();
        (name.to_owned(), hex::decode(bytes).unwrap())
    };
    text.lines().map(line).collect()
}

fn path(release: u32) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("tests/formats/{release}/values.txt"))
}
