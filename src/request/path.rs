//! The readings of a path: every way in which a server behind the gate may understand it.
//!
//! Servers disagree about the meaning of `/open/..%2fpremium`. The gate does not guess which one
//! stands behind it. It takes each change that servers make to a path as a [step](steps), and
//! follows all of them, in every order and any number of times, until nothing new comes out. The
//! results are the path's [`Readings`]. A path without anything special in it has one reading
//! and costs one look at each byte.

pub(super) mod kept;
mod steps;

use std::borrow::Cow;
use std::fmt;

use steps::{Marks, STEPS};

/// The longest path that is looked at, in bytes.
pub const MAX_PATH_BYTES: usize = 8 * 1024;
/// The most readings a path may have. Paths in real use have at most about fifteen, those with a
/// whole URL in them that is encoded twice.
pub const MAX_READINGS: usize = 32;
/// The most bytes that all readings of a path may have together.
pub const MAX_READING_BYTES: usize = 48 * 1024;
/// The most bytes that all steps may go through for one path. This bounds the time that it takes:
/// some nanoseconds for each byte.
pub const MAX_STEP_BYTES: usize = 128 * 1024;

/// Every way in which a server may read one path, without duplicates; never empty.
///
/// A reading is a path of bytes: it starts with `/`, and need not be UTF-8.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Readings<'a> {
    literal: Cow<'a, [u8]>,
    others: Cow<'a, [Vec<u8>]>,
}

impl Readings<'_> {
    /// The readings; the first is the path as it was written.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        std::iter::once(&*self.literal).chain(self.others.iter().map(Vec::as_slice))
    }

    /// Whether all servers read this path alike.
    pub fn is_single(&self) -> bool {
        self.others.is_empty()
    }

    /// The position of this path to everything under `prefix`, such as `/_tollgate/`.
    ///
    /// ASCII case and the slashes around `prefix` don't matter; `/_tollgate` itself is inside.
    pub fn reach(&self, prefix: &str) -> Reach {
        let inside = self.iter().filter(|reading| lies_under(reading, prefix.as_bytes())).count();
        match inside {
            0 => Reach::Outside,
            _ if inside > self.others.len() => Reach::Inside,
            _ => Reach::Both,
        }
    }
}

/// The position of a path to a part of the site.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Reach {
    /// Some servers read it as inside, others as outside.
    Both,
    /// Every server reads it as inside.
    Inside,
    /// Every server reads it as outside.
    Outside,
}

/// The reason why a path can't be read safely.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum PathError {
    /// A `%` that no two hexadecimal digits follow, or a `%u0041`: servers decode those
    /// differently.
    BadEscape,
    /// A control character, NUL included, as it is or behind percent signs.
    ControlCharacter,
    /// It does not start with `/`.
    NotAbsolute,
    /// It is longer than [`MAX_PATH_BYTES`].
    TooLong,
    /// It has more readings than [`MAX_READINGS`], longer ones than [`MAX_READING_BYTES`], or takes
    /// more work than [`MAX_STEP_BYTES`].
    TooManyReadings,
}

impl PathError {
    /// The stable word for logs.
    pub const fn code(self) -> &'static str {
        match self {
            Self::BadEscape => "path-bad-escape",
            Self::ControlCharacter => "path-control-character",
            Self::NotAbsolute => "path-not-absolute",
            Self::TooLong => "path-too-long",
            Self::TooManyReadings => "path-too-many-readings",
        }
    }
}

impl fmt::Display for PathError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.code())
    }
}

impl std::error::Error for PathError {}

/// Every way in which a server may read `raw_path`: the path as it stands in the URL, from its
/// first `/` to before the `?`, neither decoded nor resolved.
///
/// The first reading has those percent-escapes decoded that can't be written otherwise, such as
/// `%20` and `%C3%BC` (RFC 3986 §3.3 allows neither a space nor `ü`); it needs no UTF-8, so that a
/// Latin-1 `%FC` is read too. No reading holds a control character.
///
/// # Errors
///
/// [`PathError`], for a path that no two servers need to agree about.
pub fn readings(raw_path: &str) -> Result<Readings<'_>, PathError> {
    let raw = raw_path.as_bytes();
    if raw.len() > MAX_PATH_BYTES {
        return Err(PathError::TooLong);
    }
    if raw.first() != Some(&b'/') {
        return Err(PathError::NotAbsolute);
    }
    if Marks::of(raw).is_empty() {
        return Ok(Readings { literal: Cow::Borrowed(raw), others: Cow::Borrowed(&[]) });
    }
    if !steps::escapes_are_valid(raw) {
        return Err(PathError::BadEscape);
    }
    follow_all_steps(steps::literal(raw))
}

fn follow_all_steps(literal: Vec<u8>) -> Result<Readings<'static>, PathError> {
    let mut walk = Walk { bytes: literal.len(), step_bytes: 0, found: vec![literal] };
    walk.follow()?;
    let others = walk.found.split_off(1);
    let literal = Cow::Owned(walk.found.pop().unwrap_or_default());
    Ok(Readings { literal, others: Cow::Owned(others) })
}

/// The readings that were found so far, and the work for them.
struct Walk {
    found: Vec<Vec<u8>>,
    /// Of all that were found.
    bytes: usize,
    /// Those that steps went through.
    step_bytes: usize,
}

impl Walk {
    /// Applies every step to the literal path, to the results, and so on until nothing new comes
    /// out.
    ///
    /// It ends, bounds or not: a step makes a path shorter or replaces special characters by plain
    /// ones.
    fn follow(&mut self) -> Result<(), PathError> {
        for index in 0..MAX_READINGS {
            let Some(current) = self.found.get(index) else { return Ok(()) };
            let marks = Marks::of(current);
            if marks.contains(Marks::CONTROL) {
                return Err(PathError::ControlCharacter);
            }
            if marks.contains(Marks::PERCENT) && steps::has_wide_escape(current) {
                return Err(PathError::BadEscape);
            }
            let mut outcomes = Vec::new();
            for (_, step) in STEPS.iter().filter(|(needed, _)| marks.intersects(*needed)) {
                self.step_bytes = self.step_bytes.saturating_add(current.len());
                if self.step_bytes > MAX_STEP_BYTES {
                    return Err(PathError::TooManyReadings);
                }
                outcomes.push(step(current));
            }
            for outcome in outcomes {
                if !self.found.contains(&outcome) {
                    self.bytes = self.bytes.saturating_add(outcome.len());
                    self.found.push(outcome);
                }
            }
            // At once: to follow all that are there already would be for nothing.
            if self.bytes > MAX_READING_BYTES || self.found.len() >= MAX_READINGS {
                break;
            }
        }
        Err(PathError::TooManyReadings)
    }
}

fn lies_under(path: &[u8], prefix: &[u8]) -> bool {
    let mut segments = path.split(|byte| *byte == b'/').skip(1);
    let mut wanted = prefix.split(|byte| *byte == b'/').filter(|segment| !segment.is_empty());
    wanted.all(|name| segments.next().is_some_and(|segment| segment.eq_ignore_ascii_case(name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(raw: &str) -> Vec<String> {
        let readings = readings(raw).unwrap();
        readings.iter().map(|one| String::from_utf8_lossy(one).into_owned()).collect()
    }

    fn assert_reads_as(raw: &str, expected: &str) {
        let found = read(raw);
        assert!(found.iter().any(|one| one == expected), "{raw}: {expected} is not in {found:?}");
    }

    #[test]
    fn a_plain_path_has_one_reading_and_is_not_copied() {
        for raw in ["/", "/articles/2024/a-b_c~d", "/a.b/c.json", "/@me/x:y/(z)!$&'*+,=", "/a/"] {
            let found = readings(raw).unwrap();
            assert!(found.is_single(), "{raw}");
            assert!(matches!(found.literal, Cow::Borrowed(_)), "{raw}");
        }
    }

    #[test]
    fn what_can_only_be_written_encoded_is_no_second_reading() {
        assert_eq!(read("/caf%C3%A9/%e3%81%82"), ["/café/あ"]);
        assert_eq!(read("/my%20file.txt"), ["/my file.txt"]);
        assert_eq!(read("/.well-known/x"), ["/.well-known/x"]);
        assert_eq!(readings("/f%FCr").unwrap().iter().next(), Some(&b"/f\xfcr"[..]));
    }

    #[test]
    fn each_habit_of_a_server_is_a_reading() {
        for (raw, expected) in [
            ("/%70remium", "/premium"),
            ("/%2570remium", "/premium"),
            ("/%252570remium", "/premium"),
            ("/a/%70/x%2fy", "/a/p/x%2fy"),
            ("/a\\b", "/a/b"),
            ("/a%5cb", "/a/b"),
            ("/open//../premium", "/premium"),
            ("/open//../premium", "/open/premium"),
            ("/open/%2e%2E/premium", "/premium"),
            ("/open/..%2fpremium", "/premium"),
            ("/open/%252e%252e/premium", "/premium"),
            ("/open/..;x=1/premium", "/premium"),
            ("/a/../premium/b", "/a/premium/b"),
            ("/premium;v=1/a", "/premium/a"),
            ("/premium%3bv/a", "/premium/a"),
            ("/premium%3fa=b/c", "/premium"),
            ("/premium%23a/c", "/premium"),
            ("//open/premium", "/premium"),
            ("/\\open/premium", "/premium"),
            ("//premium", "/premium"),
            ("/premium./a", "/premium/a"),
            ("/premium%20/a", "/premium/a"),
            ("/premium::$DATA", "/premium"),
            ("/%ef%bd%90remium", "/premium"),
            ("/open%ef%bc%8f..%ef%bc%8fpremium", "/premium"),
            ("/open/%c0%ae%c0%ae/premium", "/premium"),
            ("/open/%e0%80%ae./premium", "/premium"),
            ("/../premium", "/premium"),
            ("/open/..", "/"),
        ] {
            assert_reads_as(raw, expected);
        }
    }

    #[test]
    fn what_servers_decode_differently_is_refused() {
        for raw in ["/a%", "/a%2", "/a%zz", "/a%u0041", "/a%25u0041", "/%%32%35"] {
            assert_eq!(readings(raw), Err(PathError::BadEscape), "{raw}");
        }
        for raw in ["/a%00", "/a%0d%0ab", "/a%2509", "/a\tb", "/a%7f", "/a%c0%80", "/a\u{0}"] {
            assert_eq!(readings(raw), Err(PathError::ControlCharacter), "{raw}");
        }
        for raw in ["", "*", "a/b", "http://host/a"] {
            assert_eq!(readings(raw), Err(PathError::NotAbsolute), "{raw}");
        }
        assert!(readings("/50%25%20off").is_ok(), "a percent sign is a character like others");
    }

    #[test]
    fn the_work_is_bounded() {
        let longest = format!("/{}", "a".repeat(MAX_PATH_BYTES - 1));
        assert!(readings(&longest).is_ok());
        assert_eq!(readings(&format!("{longest}a")), Err(PathError::TooLong));
        let nested = format!("/%{}2f", "25".repeat(MAX_READINGS));
        assert_eq!(readings(&nested), Err(PathError::TooManyReadings));
        let many = format!("/a;b//{}/..", "%252f".repeat(1_000));
        assert_eq!(readings(&many), Err(PathError::TooManyReadings));
    }

    /// The bytes that the steps went through, and those of all readings: the measure of the work.
    fn work_on(raw: &str) -> (usize, usize) {
        let literal = steps::literal(raw.as_bytes());
        let mut walk = Walk { bytes: literal.len(), step_bytes: 0, found: vec![literal] };
        let _ = walk.follow();
        // Each step makes at most one reading more before the bounds are looked at.
        assert!(walk.found.len().saturating_sub(STEPS.len()) < MAX_READINGS, "{raw}");
        (walk.step_bytes, walk.bytes)
    }

    #[test]
    fn no_path_takes_more_work_than_that() {
        // The worst that a search came upon, and their neighbours.
        let pieces = [
            "/;%23/./%2541$Dfx/./%c0%af%23%25;1%ef%bc%8f%5c::$D %3f//f",
            "/.aaaa//%2e%20%3faa::/./5aa%25a%23;a=b..%2f%5cpremium ",
            "/%25aa;aaa%252e%ef%bc%8fx%252fa=b.aaa/%23a//a%20a .",
            "/a;b//%252f%252f/..",
            "%252525252f",
            "/.%2e;//",
        ];
        let mut most = (0, 0);
        for piece in pieces {
            for filler in [0, 1, 7, 40, 200, 900] {
                for times in [1, 2, 5, 12, 60, 400] {
                    let part = format!("{piece}{}", "a".repeat(filler));
                    let raw = format!("/{}", part.repeat(times));
                    let raw = raw.get(..raw.len().min(MAX_PATH_BYTES)).unwrap();
                    let (step_bytes, bytes) = work_on(raw);
                    most = (most.0.max(step_bytes), most.1.max(bytes));
                }
            }
        }
        // One step more than the bound is begun, and one round of them adds readings.
        assert!(most.0 <= MAX_STEP_BYTES + MAX_PATH_BYTES, "{most:?}");
        assert!(most.1 <= MAX_READING_BYTES + STEPS.len() * MAX_PATH_BYTES, "{most:?}");
        assert!(most.0 > MAX_STEP_BYTES, "the bound is reached: {most:?}");
    }

    #[test]
    fn ordinary_paths_are_read_however_long_they_are() {
        for raw in [
            "/wiki/C%2B%2B",
            "/wiki/AC%2FDC",
            "/a/b;jsessionid=123",
            "/search/100%25%20off",
            "/proxy/https%3A%2F%2Fexample.com%2Fa%3Fb%3Dc%23part",
            "/r/https%253A%252F%252Fexample.com%252Fa%253Fb%253Dc%2523d%253Be",
            "/web/2020/https://example.com/a;b=c/d%20e.",
            "/oauth/callback%3Fcode%3D1%26state%3D2%23x",
            "/q/what%3F%20why%23%20./",
            "/git/tree/feature%2Fa%2Fb%23c",
            "/%E6%97%A5%E6%9C%AC%EF%BC%81",
            "/%e0%a4%b9%e0%a4%bf",
            "/img/..;/a",
        ] {
            let found = readings(raw).map(|readings| readings.iter().count());
            assert!(found.is_ok_and(|count| count <= 14), "{raw}: {found:?}");
            let long = format!("{raw}/{}", "a-long-slug-".repeat(160));
            assert!(readings(&long).is_ok(), "{raw} and 2 KB");
        }
        for longest in [
            format!("/{}", "%E6%97%A5".repeat(900)),
            format!("/AC%2FDC/{}", "a-long-slug-".repeat(670)),
            format!("/{};v=1", "a-long-slug-".repeat(670)),
            format!("/my%20file/{}", "x".repeat(8_000)),
        ] {
            assert!(readings(&longest).is_ok(), "{} bytes", longest.len());
        }
    }

    #[test]
    fn the_gates_own_prefix_is_seen_through_any_spelling() {
        let reach = |raw: &str| readings(raw).unwrap().reach("/_tollgate/");
        assert_eq!(reach("/_tollgate/health"), Reach::Inside);
        assert_eq!(reach("/_Tollgate"), Reach::Inside);
        assert_eq!(reach("/_tollgates/health"), Reach::Outside);
        assert_eq!(reach("/a/_tollgate/health"), Reach::Outside);
        for raw in ["//_tollgate/health", "/%5ftollgate/x", "/a/..%2f_tollgate/x", "//a/_tollgate"]
        {
            assert_eq!(reach(raw), Reach::Both, "{raw}");
        }
    }
}
