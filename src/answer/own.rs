//! The answers of the gate's own endpoints that are about no one account.

use serde_json::{Value, json};

use super::refusal::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, CONTENT_TYPE_OPTIONS, RETRY_AFTER};
use super::responder::Responder;
use super::response::{Answer, Headers};
use crate::config::{AssertionKeys, Config, Invalid};
use crate::endpoint::Refusal;
use crate::hosted_page::{End, Unavailable};

impl Responder<'_> {
    /// Whether the gate is well: its warnings, or the mistakes in its configuration.
    pub fn health(&self, config: Result<&Config, &Invalid>) -> Answer {
        let (status, view) = match config {
            Ok(config) => (200, json!({ "status": "ok", "warnings": config.warnings })),
            Err(invalid) => {
                (503, json!({ "status": "misconfigured", "mistakes": invalid.mistakes }))
            }
        };
        json_answer(self.asker.method, status, format!("{view:#}\n"), "no-store")
    }

    /// The public halves of `ASSERTION_KEY`, so that origins can check assertions (RFC 7517 §5):
    /// none without a configuration.
    pub fn key_set(&self, config: Option<&Config>) -> Answer {
        let keys = config.and_then(|config| config.assertion_keys.as_ref());
        let keys: Vec<Value> = keys.map(AssertionKeys::public).unwrap_or_default();
        let json = json!({ "keys": keys }).to_string();
        json_answer(self.asker.method, 200, json, "public, max-age=300")
    }

    /// The answer to a request for an endpoint that was refused.
    pub fn refused(&self, refusal: &Refusal) -> Answer {
        let mut answer = self.problem(refusal.status(), &refusal.detail());
        answer.headers.extend(refusal.allow().map(|methods| (ALLOW, methods.into())));
        answer
    }

    /// The answer to a request for the way to a page of the payment provider.
    pub fn hosted_page(&self, end: &End) -> Answer {
        let (status, detail, retry_after_s) = match end {
            End::LeadTo(url) => return self.leads_to(url),
            End::Nothing => return self.nothing(),
            End::NoPlan => (404, "There is no such plan.", None),
            End::NotOnSale => (404, "This plan is not on sale.", None),
            End::TooMany { retry_after_s } => (429, TOO_MANY, Some(*retry_after_s)),
            End::Unavailable(Unavailable::NoPage) => (503, NO_PAGE, Some(UNAVAILABLE_S)),
            End::Unavailable(Unavailable::ProviderSilent) => {
                (503, PROVIDER_SILENT, Some(UNAVAILABLE_S))
            }
        };
        let mut answer = self.problem(status, detail);
        let retry_after = retry_after_s.map(|seconds| (RETRY_AFTER, seconds.to_string().into()));
        answer.headers.extend(retry_after);
        answer
    }
}

/// An answer in JSON, for every caller. `cache_control` names those that may keep it.
pub fn json_answer(method: &str, status: u16, json: String, cache_control: &'static str) -> Answer {
    let headers: Headers = vec![
        (CONTENT_TYPE, "application/json".into()),
        (CACHE_CONTROL, cache_control.into()),
        (CONTENT_TYPE_OPTIONS, "nosniff".into()),
    ];
    let body = if method == "HEAD" { String::new() } else { json };
    Answer { status, headers, body }
}

/// Time before a customer may ask again, in seconds.
const UNAVAILABLE_S: u64 = 30;
const TOO_MANY: &str = "You have asked for this very often within a minute. Nothing is wrong with your account; \
     please try again in a moment.";
const NO_PAGE: &str = "There is no page for this at the moment. Please contact support.";
const PROVIDER_SILENT: &str = "Our payment provider does not answer at the moment. Nothing is wrong with your card or \
     your account; please try again in a little while.";
