//! A running gate, and its admin API.

mod name;
mod pages;

use std::env;
use std::thread::sleep;
use std::time::Duration;

use clap::Args;
use serde_json::Value;
use tollgate::config::DEFAULT_PREFIX;

use super::crypto::random_text;
use super::http::{Request, Response, is_loopback};
use super::{Failure, Outcome};

pub(crate) use name::{AccountArgument, encoded_segment, guarded, unguarded};
pub(crate) use pages::{Listing, list, progress};

/// The gate, and the operator's token.
#[derive(Args, Clone)]
pub(crate) struct Remote {
    /// The gate's address; without it, the environment's TOLLGATE_URL.
    #[arg(long, value_name = "URL", global = true, help_heading = HEADING)]
    gate: Option<String>,
    /// The variable that holds the operator's token.
    #[arg(long, value_name = "NAME", global = true, help_heading = HEADING)]
    #[arg(default_value = DEFAULT_TOKEN_VARIABLE)]
    admin_token_env: String,
    /// Names this one write: sent again under the same key, it is done once.
    #[arg(long, value_name = "KEY", global = true, help_heading = HEADING)]
    idempotency_key: Option<String>,
}

/// The gate, and the operator's token.
pub(crate) struct Gate {
    base: String,
    token: String,
    key: Option<String>,
}

impl Remote {
    /// The gate's own endpoints: its address, and the default prefix where that has no path.
    pub(crate) fn base(&self) -> Result<String, Failure> {
        let given = self.gate.clone().or_else(|| env::var("TOLLGATE_URL").ok());
        let missing = "which gate? say --gate URL, or set TOLLGATE_URL";
        let given = given.filter(|url| !url.is_empty()).ok_or_else(|| Failure::usage(missing))?;
        base_of(&given, DEFAULT_PREFIX)
    }

    /// The gate, for an operator.
    pub(crate) fn open(&self) -> Result<Gate, Failure> {
        let gate = Gate::new(&self.base()?, &self.admin_token_env)?;
        Ok(Gate { key: self.idempotency_key.clone(), ..gate })
    }
}

impl Gate {
    /// The gate with endpoints below `base`, for the operator whose token the variable `name`
    /// holds.
    pub(crate) fn new(base: &str, name: &str) -> Result<Self, Failure> {
        let token = env::var(name).ok().filter(|token| !token.trim().is_empty());
        let missing = format!("no token: put ADMIN_TOKEN, or one of ADMIN_TOKENS, into {name}");
        let token = token.ok_or_else(|| Failure::usage(missing))?.trim().to_owned();
        if base.starts_with("http://") && !is_loopback(base) {
            let reason = "the operator's token would travel unencrypted; use https";
            return Err(Failure::usage(format!("{base}: {reason}")));
        }
        Ok(Self { base: base.to_owned(), token, key: None })
    }

    /// Reads a resource.
    pub(crate) fn get(&self, path: &str) -> Result<Value, Failure> {
        self.ask("GET", path, None)
    }

    /// Reads a resource that may not be there.
    pub(crate) fn get_if_there(&self, path: &str) -> Result<Option<Value>, Failure> {
        match self.get(path) {
            Ok(found) => Ok(Some(found)),
            Err(failure) if failure.is_of(404) => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    /// Changes something, once: sent again under the same key, it is not done again.
    pub(crate) fn change(
        &self,
        method: &str,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Value, Failure> {
        self.ask(method, path, body)
    }

    fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Value, Failure> {
        let url = format!("{}admin/{path}", self.base);
        let authorization = format!("Bearer {}", self.token);
        let key = match &self.key {
            Some(key) => key.clone(),
            None => random_text(18).map_err(Failure::usage)?,
        };
        let body = body.map(Value::to_string);
        let mut headers =
            vec![("authorization", authorization.as_str()), ("accept", "application/json")];
        if method != "GET" {
            headers.push(("idempotency-key", &key));
        }
        if body.is_some() {
            headers.push(("content-type", "application/json"));
        }
        let request = Request { method, url: &url, headers: &headers, body: body.as_deref() };
        let mut response = request.send()?;
        for _ in 1..ATTEMPTS {
            let Some(pause_s) = pause_s(&response) else { break };
            eprintln!("tollgate: the gate is busy ({}); again in {pause_s} s", response.status);
            sleep(Duration::from_secs(pause_s));
            response = request.send()?;
        }
        self.read(&url, &response)
    }

    fn read(&self, url: &str, response: &Response) -> Result<Value, Failure> {
        let json = serde_json::from_str::<Value>(&response.body).ok();
        let detail = json.as_ref().and_then(|json| json.get("detail")?.as_str());
        match (response.status, json.as_ref(), detail) {
            (200 | 201, Some(json), _) => Ok(json.clone()),
            (204, ..) => Ok(Value::Null),
            (401, _, Some(detail)) => {
                let base = &self.base;
                let reason = format!("{base}: this is no operator's token. {detail}");
                Err(Failure::refused(401, reason))
            }
            (status @ 400..=499, _, Some(detail)) => Err(Failure::refused(status, detail)),
            (500..=599, _, Some(detail)) => Err(Failure::unreachable(url, &detail)),
            (300..=399, ..) => {
                let to = response.header("location").unwrap_or("somewhere else");
                Err(Failure::unreachable(url, &format!("it redirects to {to}; name that address")))
            }
            (status, ..) => {
                let reason = format!("it answers {status}, and not as a gate would");
                Err(Failure::unreachable(url, &reason))
            }
        }
    }
}

/// The gate's endpoints, from its address: below its path, or where that has none below `prefix`.
pub(crate) fn base_of(url: &str, prefix: &str) -> Result<String, Failure> {
    let url = url.trim().trim_end_matches('/');
    let wrong =
        || Failure::usage(format!("{url:?}: expected a URL such as https://api.example.com"));
    let (scheme, rest) = url.split_once("://").ok_or_else(wrong)?;
    if !matches!(scheme, "https" | "http") || rest.is_empty() || rest.contains(['?', '#', ' ']) {
        return Err(wrong());
    }
    Ok(if rest.contains('/') { format!("{url}/") } else { format!("{url}{prefix}") })
}

/// A person's answer and a program's.
#[expect(clippy::unnecessary_wraps, reason = "it ends a command")]
pub(crate) fn told(text: impl Into<String>, json: Value) -> Result<Outcome, Failure> {
    Ok(Outcome::fine(text, json))
}

/// The pause that a gate asks for, in seconds, if it does.
fn pause_s(response: &Response) -> Option<u64> {
    let is_busy = matches!(response.status, 429 | 503);
    let pause_s = response.header("retry-after")?.parse::<u64>().ok()?;
    is_busy.then_some(pause_s).filter(|pause_s| *pause_s <= MAX_PAUSE_S)
}

/// Number of attempts in all, while the gate asks to come back.
const ATTEMPTS: usize = 3;
const MAX_PAUSE_S: u64 = 30;
const HEADING: &str = "Gate";
const DEFAULT_TOKEN_VARIABLE: &str = "TOLLGATE_ADMIN_TOKEN";
