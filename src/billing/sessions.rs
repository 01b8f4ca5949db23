//! Limits how often a provider makes a link for one account. The account's ledger object keeps
//! recent links, and refuses another when there were too many.
//!
//! A caller needs no subscription to ask for a link, and each costs the operator a call that the
//! provider limits. The links are in memory alone: an object that starts anew forgets them.

use sha2::{Digest, Sha256};

use crate::account::AccountRecord;
use crate::text::hex;
use crate::time::Timestamp;
use crate::wire::{self, wire};

/// The links of one account.
#[derive(Debug, Default)]
pub struct Sessions {
    /// The time of each call that was allowed in the last minute, the oldest first.
    begun: Vec<Timestamp>,
    made: Vec<Made>,
}

/// A request about a link to the account's object.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum SessionRequest {
    /// Ask for a link; `wish` identifies it.
    Begin {
        /// See [`wish`].
        wish: String,
    },
    /// Keep a link that was made.
    Made {
        /// See [`wish`].
        wish: String,
        /// The link's address.
        url: String,
    },
}

/// The object's answer.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum SessionReply {
    /// Here is one.
    Known(String),
    /// Make one.
    Make,
    /// There were too many; in so many seconds another may be made.
    TooMany(u64),
}

wire! { enum SessionRequest { 1: Begin { 1: wish }, 2: Made { 1: wish, 2: url } } }
wire! { enum SessionReply { 1: Known(url), 2: Make, 3: TooMany(retry_after_s) } }

/// A hash that identifies a wanted link by the plan (none for the portal), the address to come back
/// to, and the current record: after a purchase, the same caller is a customer.
pub fn wish(plan: Option<&str>, back: &str, record: Option<&AccountRecord>) -> String {
    let record = record.map(wire::encode).unwrap_or_default();
    let mut hash = Sha256::new();
    for part in [plan.unwrap_or_default().as_bytes(), back.as_bytes(), &record] {
        hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(part);
    }
    hex::encode(&hash.finalize())
}

impl Sessions {
    /// Answers one message.
    pub fn handle(&mut self, request: SessionRequest, now: Timestamp) -> SessionReply {
        let is_recent = |at: Timestamp| (0..PERIOD_MS).contains(&now.ms_since(at));
        self.begun.retain(|at| is_recent(*at));
        self.made.retain(|made| is_recent(made.at));
        match request {
            SessionRequest::Begin { wish } => self.begin(&wish, now),
            SessionRequest::Made { wish, url } => {
                let fits = wish.len() <= MAX_WISH_BYTES && url.len() <= MAX_URL_BYTES;
                self.made.retain(|made| made.wish != wish);
                if fits && self.made.len() < MAX_A_PERIOD {
                    self.made.push(Made { wish, url: url.clone(), at: now });
                }
                SessionReply::Known(url)
            }
        }
    }

    fn begin(&mut self, wish: &str, now: Timestamp) -> SessionReply {
        if let Some(made) = self.made.iter().find(|made| made.wish == wish) {
            return SessionReply::Known(made.url.clone());
        }
        match self.begun.first() {
            Some(oldest) if self.begun.len() >= MAX_A_PERIOD => {
                let left_ms = oldest.plus_ms(PERIOD_MS).ms_since(now).max(1).unsigned_abs();
                SessionReply::TooMany(left_ms.div_ceil(1_000))
            }
            _ => {
                self.begun.push(now);
                SessionReply::Make
            }
        }
    }
}

#[derive(Debug)]
struct Made {
    wish: String,
    url: String,
    at: Timestamp,
}

/// Time for which a link is handed out again, and in which only so many are made.
const PERIOD_MS: i64 = 60_000;
/// Links of one account in a minute: enough to compare plans, and to repeat a click.
pub const MAX_A_PERIOD: usize = 5;
/// A SHA-256 in hexadecimal digits.
const MAX_WISH_BYTES: usize = 64;
/// Longer links are made anew. Providers' have some hundred bytes.
const MAX_URL_BYTES: usize = 4 * 1_024;

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_796_083_200);

    fn begin(sessions: &mut Sessions, wish: &str, now: Timestamp) -> SessionReply {
        sessions.handle(SessionRequest::Begin { wish: wish.to_owned() }, now)
    }

    fn made(sessions: &mut Sessions, wish: &str, url: &str, now: Timestamp) {
        let (wish, url) = (wish.to_owned(), url.to_owned());
        sessions.handle(SessionRequest::Made { wish, url }, now);
    }

    #[test]
    fn a_link_is_made_once_a_minute_for_the_same_wish() {
        let mut sessions = Sessions::default();
        assert_eq!(begin(&mut sessions, "portal", NOW), SessionReply::Make);
        made(&mut sessions, "portal", "https://a", NOW);
        for after_ms in [0, 1, 59_999] {
            let known = begin(&mut sessions, "portal", NOW.plus_ms(after_ms));
            assert_eq!(known, SessionReply::Known("https://a".to_owned()));
        }
        assert_eq!(begin(&mut sessions, "checkout", NOW), SessionReply::Make, "another wish");
        assert_eq!(begin(&mut sessions, "portal", NOW.plus_ms(60_000)), SessionReply::Make);
    }

    #[test]
    fn whatever_is_wished_for_there_are_a_few_a_minute() {
        let mut sessions = Sessions::default();
        let mut allowed = Vec::new();
        for number in 0..1_200 {
            let now = NOW.plus_ms(number * 100);
            let wish = format!("return=/x{number}");
            match begin(&mut sessions, &wish, now) {
                SessionReply::Make => {
                    allowed.push(now);
                    made(&mut sessions, &wish, "https://a", now);
                }
                SessionReply::TooMany(after_s) => {
                    let ends_at = allowed[allowed.len() - MAX_A_PERIOD].plus_ms(60_000);
                    let left_ms = ends_at.ms_since(now);
                    assert!(left_ms > 0 && after_s == left_ms.unsigned_abs().div_ceil(1_000));
                }
                SessionReply::Known(url) => panic!("{url} was made for another"),
            }
            assert!(sessions.made.len() <= MAX_A_PERIOD && sessions.begun.len() <= MAX_A_PERIOD);
        }
        assert_eq!(allowed.len(), 2 * MAX_A_PERIOD, "in two minutes");
    }

    #[test]
    fn calls_that_failed_or_run_at_once_count_too() {
        let mut sessions = Sessions::default();
        let replies: Vec<_> = (0..60).map(|_| begin(&mut sessions, "portal", NOW)).collect();
        let make = replies.iter().filter(|reply| **reply == SessionReply::Make).count();
        assert_eq!(make, MAX_A_PERIOD);
        assert_eq!(replies.last(), Some(&SessionReply::TooMany(60)));
        made(&mut sessions, "portal", "https://a", NOW);
        let known = begin(&mut sessions, "portal", NOW);
        assert_eq!(known, SessionReply::Known("https://a".to_owned()), "once one is there");
    }

    #[test]
    fn a_clock_that_goes_back_locks_nobody_out() {
        let mut sessions = Sessions::default();
        for _ in 0..9 {
            begin(&mut sessions, "portal", NOW);
        }
        assert_eq!(begin(&mut sessions, "portal", NOW.plus_ms(-1)), SessionReply::Make);
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let mut sessions = Sessions::default();
        made(&mut sessions, "long", &"a".repeat(4 * 1_024 + 1), NOW);
        made(&mut sessions, &"w".repeat(65), "https://a", NOW);
        assert!(sessions.made.is_empty());
        for number in 0..100 {
            made(&mut sessions, &number.to_string(), "https://a", NOW);
        }
        assert_eq!(sessions.made.len(), MAX_A_PERIOD);
    }

    #[test]
    fn wishes_differ_by_plan_place_and_record() {
        let record = AccountRecord::default();
        let mut renewed = AccountRecord::default();
        renewed.own.plan = Some("pro".to_owned());
        let wishes = [
            wish(None, "/a", None),
            wish(Some("pro"), "/a", None),
            wish(Some("team"), "/a", None),
            wish(Some("pro/"), "a", None),
            wish(None, "/b", None),
            wish(None, "/a", Some(&record)),
            wish(None, "/a", Some(&renewed)),
        ];
        for (index, one) in wishes.iter().enumerate() {
            assert!(!wishes[..index].contains(one) && one.len() == MAX_WISH_BYTES, "{index}");
        }
        assert_eq!(wishes[0], wish(None, "/a", None));
    }
}
