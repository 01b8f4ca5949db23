//! Announcements on their way to the operator's webhook: what is sent, as Standard Webhooks writes
//! it, and what comes next when it isn't taken.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;

use crate::quota::store::Announcement;
use crate::time::Timestamp;

/// An announcement that was not taken yet.
#[derive(Clone, Debug, PartialEq)]
pub struct Outgoing {
    /// Names it at the receiver, the same for each attempt.
    pub id: String,
    /// The account's name, `tenant/account`.
    pub account: String,
    /// What is announced.
    pub announcement: Announcement,
    /// Attempts that failed so far.
    pub attempts: usize,
}

/// What to do after an attempt.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Next {
    /// It was taken: forget it.
    Forget,
    /// It never will be: forget it, and say why.
    GiveUp(String),
    /// Try again, and say why.
    TryAgain {
        /// When.
        at: Timestamp,
        /// For the log.
        reason: String,
    },
}

impl Outgoing {
    /// The message's body.
    pub fn body(&self) -> String {
        let Announcement { at, quota, member, percent, used, limit, resets_at } =
            &self.announcement;
        let body = Body {
            kind: "quota.threshold_reached",
            timestamp: at.rfc3339_exact(),
            data: Data {
                account: &self.account,
                quota,
                meter: meter_of(quota),
                member: member.as_deref(),
                percent: *percent,
                used: *used,
                limit: *limit,
                resets_at: resets_at.rfc3339(),
            },
        };
        serde_json::to_string(&body).unwrap_or_default()
    }

    /// What to do now that the receiver has answered with this status, or why it didn't.
    pub fn after(&self, answer: &Result<u16, String>, now: Timestamp) -> Next {
        let what = match answer {
            Ok(200..=299) => return Next::Forget,
            Ok(status) => format!("status {status}"),
            Err(reason) => reason.clone(),
        };
        let attempt = self.attempts.saturating_add(1);
        let reason = format!("{} of {MAX_ATTEMPTS} attempts, {}: {what}", attempt, self.id);
        // 410 is how a receiver says that it wants no more of these.
        let pause_s = PAUSES_S.get(self.attempts).filter(|_| *answer != Ok(410));
        match pause_s {
            Some(pause_s) => Next::TryAgain { at: now.plus_ms(self.jittered_ms(*pause_s)), reason },
            None => Next::GiveUp(reason),
        }
    }

    /// Up to a fifth longer, different for each message and attempt, so that not all of them come
    /// back at once.
    fn jittered_ms(&self, pause_s: u32) -> i64 {
        let seed = self.attempts.to_string();
        let hash = self
            .id
            .bytes()
            .chain(seed.bytes())
            .fold(FNV_OFFSET, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(FNV_PRIME));
        let fifth_ms = pause_s.saturating_mul(1_000 / 5).max(1);
        let jitter_ms = hash.checked_rem(fifth_ms).unwrap_or(0);
        i64::from(pause_s).saturating_mul(1_000).saturating_add(i64::from(jitter_ms))
    }
}

/// What is signed of a message.
pub fn signed_text(id: &str, at: Timestamp, body: &str) -> String {
    format!("{id}.{}.{body}", at.as_seconds())
}

/// The value of `webhook-signature`: one signature for each secret, HMAC-SHA256.
pub fn signature_field(signatures: &[Vec<u8>]) -> String {
    let all: Vec<_> = signatures.iter().map(|one| format!("v1,{}", STANDARD.encode(one))).collect();
    all.join(" ")
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
    account: &'a str,
    quota: &'a str,
    meter: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    member: Option<&'a str>,
    percent: u8,
    used: u64,
    limit: u64,
    resets_at: String,
}

/// The meter in a quota's name, `<meter>/<period>` or `<meter>/<period>/member`.
fn meter_of(quota: &str) -> &str {
    let name = quota.strip_suffix("/member").unwrap_or(quota);
    name.rsplit_once('/').map_or(name, |(meter, _)| meter)
}

/// How long to wait after each failed attempt, as Standard Webhooks proposes: 5 seconds, 5 and 30
/// minutes, 2 and 5 hours, and 10 hours twice.
const PAUSES_S: [u32; 7] = [5, 300, 1_800, 7_200, 18_000, 36_000, 36_000];
const MAX_ATTEMPTS: usize = PAUSES_S.len() + 1;

/// FNV-1a, 32 bits.
const FNV_OFFSET: u32 = 0x811c_9dc5;
const FNV_PRIME: u32 = 0x0100_0193;

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_796_083_200);

    fn outgoing(attempts: usize) -> Outgoing {
        let announcement = Announcement {
            at: NOW.plus_ms(250),
            quota: "a/b/month/member".to_owned(),
            member: Some("bo\"b".to_owned()),
            percent: 80,
            used: 8,
            limit: 10,
            resets_at: NOW.plus_seconds(60),
        };
        let (id, account) = ("o-1".to_owned(), "acme/alice".to_owned());
        Outgoing { id, account, announcement, attempts }
    }

    #[test]
    fn the_body_says_what_was_reached() {
        let mut message = outgoing(0);
        let expected = concat!(
            r#"{"type":"quota.threshold_reached","timestamp":"2026-12-01T00:00:00.250Z","#,
            r#""data":{"account":"acme/alice","quota":"a/b/month/member","meter":"a/b","#,
            r#""member":"bo\"b","percent":80,"used":8,"limit":10,"#,
            r#""resets_at":"2026-12-01T00:01:00Z"}}"#,
        );
        assert_eq!(message.body(), expected);
        message.announcement.quota = "api/day".to_owned();
        message.announcement.member = None;
        assert!(message.body().contains(r#""quota":"api/day","meter":"api","percent""#));
    }

    #[test]
    fn what_is_taken_is_forgotten() {
        for status in [200, 201, 202, 204, 299] {
            assert_eq!(outgoing(7).after(&Ok(status), NOW), Next::Forget);
        }
    }

    #[test]
    fn what_fails_is_tried_again_by_the_schedule_and_then_given_up() {
        let pauses_s = [5, 300, 1_800, 7_200, 18_000, 36_000, 36_000];
        let failures =
            [Ok(500), Ok(301), Ok(404), Ok(429), Ok(199), Err("no answer".to_owned()), Ok(0)];
        for (attempts, (pause_s, failure)) in pauses_s.into_iter().zip(failures).enumerate() {
            let Next::TryAgain { at, reason } = outgoing(attempts).after(&failure, NOW) else {
                panic!("given up after {attempts} attempts");
            };
            let pause_ms = at.ms_since(NOW);
            let earliest_ms = pause_s * 1_000;
            assert!((earliest_ms..=earliest_ms * 6 / 5).contains(&pause_ms), "{pause_ms}");
            assert!(reason.starts_with(&format!("{} of 8 attempts, o-1: ", attempts + 1)));
        }
        let last = outgoing(7).after(&Ok(500), NOW);
        assert_eq!(last, Next::GiveUp("8 of 8 attempts, o-1: status 500".to_owned()));
        assert!(matches!(outgoing(usize::MAX).after(&Ok(500), NOW), Next::GiveUp(_)));
    }

    #[test]
    fn who_is_gone_is_not_asked_again() {
        let gone = outgoing(0).after(&Ok(410), NOW);
        assert_eq!(gone, Next::GiveUp("1 of 8 attempts, o-1: status 410".to_owned()));
    }

    #[test]
    fn not_all_come_back_at_once() {
        let mut pauses: Vec<_> = (0..50)
            .map(|number| Outgoing { id: format!("o-{number}"), ..outgoing(0) }.jittered_ms(5))
            .collect();
        pauses.sort_unstable();
        pauses.dedup();
        assert!(pauses.len() > 40, "{pauses:?}");
    }

    #[test]
    fn signed_as_standard_webhooks_writes_it() {
        assert_eq!(signed_text("msg_1", NOW.plus_ms(999), "{}"), "msg_1.1796083200.{}");
        assert_eq!(signature_field(&[vec![0; 3], vec![255; 3]]), "v1,AAAA v1,////");
    }
}
