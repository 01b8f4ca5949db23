//! Announcements on their way to the operator's webhook: what is sent, as Standard Webhooks writes
//! it, and what comes next when it isn't taken.

use serde::Serialize;

use crate::identity::AccountName;
use crate::jitter::jitter;
use crate::plan::QuotaName;
use crate::quota::store::{Announcement, Threshold};
use crate::time::Timestamp;

/// The body of the message that announces this of an account.
pub fn body(account: &AccountName, announcement: &Announcement) -> String {
    let threshold = match announcement {
        Announcement::Threshold(threshold) => threshold,
        Announcement::Note { at, action, detail } => return note(account, *at, action, detail),
    };
    let Threshold { at, quota, member, percent, used, limit, resets_at } = threshold;
    let data = Data {
        account,
        quota,
        meter: &quota.meter,
        member: member.as_deref(),
        percent: *percent,
        used: *used,
        limit: *limit,
        resets_at: resets_at.rfc3339(),
    };
    let body = Body { kind: "quota.threshold_reached", timestamp: at.rfc3339_exact(), data };
    serde_json::to_string(&body).unwrap_or_default()
}

/// The same of something that stands in the audit trail.
fn note(account: &AccountName, at: Timestamp, action: &str, detail: &str) -> String {
    let kind = format!("account.{}", action.replace('-', "_"));
    let detail: serde_json::Value = serde_json::from_str(detail).unwrap_or_default();
    let data = serde_json::json!({ "account": account, "detail": detail });
    let timestamp = at.rfc3339_exact();
    serde_json::json!({ "type": kind, "timestamp": timestamp, "data": data }).to_string()
}

/// The step after an attempt.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Next {
    /// It was taken: forget it.
    Forget,
    /// It never will be: forget it, and say why.
    GiveUp(String),
    /// Try again, and say why.
    TryAgain {
        /// The time of the next attempt.
        at: Timestamp,
        /// For the log.
        reason: String,
    },
}

/// The step after an attempt to send the message `id`, whose receiver has answered with a status,
/// or didn't. `attempts` failed before this one.
pub fn after(id: &str, attempts: usize, answer: &Result<u16, String>, now: Timestamp) -> Next {
    let what = match answer {
        Ok(200..=299) => return Next::Forget,
        Ok(status) => format!("status {status}"),
        Err(reason) => reason.clone(),
    };
    let attempt = attempts.saturating_add(1);
    let reason = format!("attempt {attempt} of {MAX_ATTEMPTS} for {id}: {what}");
    // A receiver answers 410 when it wants no more of these.
    match PAUSES_S.get(attempts).filter(|_| *answer != Ok(410)) {
        Some(pause_s) => Next::TryAgain { at: now.plus_ms(jittered_ms(*pause_s, id)), reason },
        None => Next::GiveUp(reason),
    }
}

#[derive(Serialize)]
struct Body<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    timestamp: String,
    data: Data<'a>,
}

#[derive(Serialize)]
struct Data<'a> {
    account: &'a AccountName,
    quota: &'a QuotaName,
    meter: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    member: Option<&'a str>,
    percent: u8,
    used: u64,
    limit: u64,
    resets_at: String,
}

/// Pause after each failed attempt, as Standard Webhooks proposes: 5 seconds, 5 and 30
/// minutes, 2 and 5 hours, and 10 hours twice.
const PAUSES_S: [u32; 7] = [5, 300, 1_800, 7_200, 18_000, 36_000, 36_000];
const MAX_ATTEMPTS: usize = PAUSES_S.len() + 1;

/// Up to a fifth longer, different for each message, so that not all of them come back at once.
fn jittered_ms(pause_s: u32, id: &str) -> i64 {
    let least_ms = u64::from(pause_s).saturating_mul(1_000);
    let jittered_ms = least_ms.saturating_add(jitter(id, 0, least_ms / 5));
    i64::try_from(jittered_ms).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_796_083_200);

    fn account(name: &str) -> AccountName {
        AccountName::parse(name).unwrap()
    }

    #[test]
    fn the_body_says_what_was_reached() {
        let threshold = Threshold {
            at: NOW.plus_ms(250),
            quota: QuotaName::parse("a/b/month/member").unwrap(),
            member: Some("bo\"b".to_owned()),
            percent: 80,
            used: 8,
            limit: 10,
            resets_at: NOW.plus_seconds(60),
        };
        let expected = concat!(
            r#"{"type":"quota.threshold_reached","timestamp":"2026-12-01T00:00:00.250Z","#,
            r#""data":{"account":"acme/alice","quota":"a/b/month/member","meter":"a/b","#,
            r#""member":"bo\"b","percent":80,"used":8,"limit":10,"#,
            r#""resets_at":"2026-12-01T00:01:00Z"}}"#,
        );
        let announcement = Announcement::Threshold(threshold.clone());
        assert_eq!(body(&account("acme/alice"), &announcement), expected);
        let quota = QuotaName::parse("api/day").unwrap();
        let of_all = Threshold { quota, member: None, ..threshold };
        let of_all = Announcement::Threshold(of_all);
        assert!(
            body(&account("-/a"), &of_all).contains(r#""quota":"api/day","meter":"api","percent""#)
        );
    }

    #[test]
    fn a_note_is_announced_as_it_stands_in_the_trail() {
        let detail = r#"{"customer":"cus_1"}"#.to_owned();
        let note = Announcement::Note { at: NOW, action: "customer-conflict".to_owned(), detail };
        let expected = concat!(
            r#"{"data":{"account":"-/alice","detail":{"customer":"cus_1"}},"#,
            r#""timestamp":"2026-12-01T00:00:00.000Z","type":"account.customer_conflict"}"#,
        );
        assert_eq!(body(&account("-/alice"), &note).replace("00:00Z", "00:00.000Z"), expected);
    }

    #[test]
    fn what_is_taken_is_forgotten() {
        for status in [200, 201, 202, 204, 299] {
            assert_eq!(after("o-1", 7, &Ok(status), NOW), Next::Forget);
        }
    }

    #[test]
    fn what_fails_is_tried_again_by_the_schedule_and_then_given_up() {
        let pauses_s = [5, 300, 1_800, 7_200, 18_000, 36_000, 36_000];
        let failures =
            [Ok(500), Ok(301), Ok(404), Ok(429), Ok(199), Err("no answer".to_owned()), Ok(0)];
        for (attempts, (pause_s, failure)) in pauses_s.into_iter().zip(failures).enumerate() {
            let Next::TryAgain { at, reason } = after("o-1", attempts, &failure, NOW) else {
                panic!("given up after {attempts} attempts");
            };
            let pause_ms = at.ms_since(NOW);
            let earliest_ms = pause_s * 1_000;
            assert!((earliest_ms..=earliest_ms * 6 / 5).contains(&pause_ms), "{pause_ms}");
            assert!(reason.starts_with(&format!("attempt {} of 8 for o-1: ", attempts + 1)));
        }
        let last = after("o-1", 7, &Ok(500), NOW);
        assert_eq!(last, Next::GiveUp("attempt 8 of 8 for o-1: status 500".to_owned()));
        assert!(matches!(after("o-1", usize::MAX, &Ok(500), NOW), Next::GiveUp(_)));
    }

    #[test]
    fn who_is_gone_is_not_asked_again() {
        let gone = after("o-1", 0, &Ok(410), NOW);
        assert_eq!(gone, Next::GiveUp("attempt 1 of 8 for o-1: status 410".to_owned()));
    }

    #[test]
    fn not_all_come_back_at_once() {
        let mut pauses: Vec<_> =
            (0..50).map(|number| jittered_ms(5, &format!("o-{number}"))).collect();
        pauses.sort_unstable();
        pauses.dedup();
        assert!(pauses.len() > 40, "{pauses:?}");
    }
}
