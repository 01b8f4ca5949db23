//! `tollgate inspect`: the content of a token, and a gate's verdict on it.

mod verdict;

use std::fmt::Write as _;
use std::io::Read as _;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use clap::Args;
use serde_json::{Map, Value, json};
use tollgate::time::Timestamp;

use super::wrangler::ConfigChoice;
use super::{Failure, Outcome, clock};
use verdict::Verdict;

/// Show the content of a token, and a gate's verdict on it.
#[derive(Args)]
#[command(after_help = "\
Every check is made, also those after the first that fails. Without --config, the wrangler.toml here
is used if there is one. Exit code 1: the gate refuses the token.

Examples:
  tollgate inspect eyJhbGciOiJFZERTQSJ9.eyJpc3MiOiJ4In0.c2ln
  tollgate mint --key key.json --config wrangler.toml --account alice | tollgate inspect
  tollgate inspect --config wrangler.toml --online --json < token")]
pub(crate) struct Inspect {
    /// The token; from stdin where it is left out.
    token: Option<String>,
    #[command(flatten)]
    choice: ConfigChoice,
    /// Fetch the keys of an issuer that has a `jwks_url`.
    #[arg(long)]
    online: bool,
    /// At this time, as RFC 3339, in the place of now.
    #[arg(long, value_name = "TIME", value_parser = clock::read_time)]
    at: Option<Timestamp>,
}

impl Inspect {
    pub(crate) fn run(&self) -> Result<Outcome, Failure> {
        let token = self.read_token()?;
        let now = self.at.unwrap_or_else(clock::now);
        let (header, claims) = taken_apart(&token).ok_or_else(|| {
            let reason = "this is no token: expected three parts of base64url with dots between, \
                 the first two of them JSON objects";
            Failure::usage(reason)
        })?;
        let config = match self.choice.read() {
            // Nobody asked for it: the token can be shown all the same.
            Err(failure) if !self.choice.is_made() => {
                eprintln!("tollgate: no verdict: {failure}");
                None
            }
            read => read?,
        };
        let verdict = config.as_ref().map(|config| Verdict::of(&token, config, self.online, now));
        let verdict = verdict.transpose()?;
        let times = times(&claims);
        let mut text = format!("Header\n{}\nClaims\n{}", shown(&header), shown(&claims));
        if !times.is_empty() {
            let _ = writeln!(text, "\nTimes");
            for (name, at) in &times {
                let meaning = meaning(name, *at, now);
                let _ = writeln!(text, "  {name:<4} {}  {meaning}", at.rfc3339());
            }
        }
        if let Some(verdict) = &verdict {
            let _ = write!(text, "\n{}", verdict.text());
        }
        let times: Map<_, _> = times
            .into_iter()
            .map(|(name, at)| {
                let in_s = at.ms_since(now).div_euclid(1_000);
                (name.to_owned(), json!({ "at": at.rfc3339(), "in_s": in_s }))
            })
            .collect();
        let json = json!({
            "header": header, "claims": claims, "times": times,
            "verdict": verdict.as_ref().map(Verdict::json),
        });
        let is_fine = verdict.is_none_or(|verdict| verdict.refused.is_none());
        Ok(Outcome::of(is_fine, text, json))
    }

    fn read_token(&self) -> Result<String, Failure> {
        if let Some(token) = &self.token {
            return Ok(token.trim().to_owned());
        }
        let mut text = String::new();
        std::io::stdin()
            .read_to_string(&mut text)
            .map_err(|error| Failure::usage(format!("stdin: {error}")))?;
        // As it stands in a request's header, too.
        let text = text.trim();
        Ok(text.strip_prefix("Bearer ").unwrap_or(text).trim().to_owned())
    }
}

/// Header and claims, however wrong they are.
fn taken_apart(token: &str) -> Option<(Map<String, Value>, Map<String, Value>)> {
    let mut parts = token.split('.');
    let mut object = || {
        let bytes = URL_SAFE_NO_PAD.decode(parts.next()?.trim_end_matches('=')).ok()?;
        serde_json::from_slice::<Map<String, Value>>(&bytes).ok()
    };
    let (header, claims) = (object()?, object()?);
    parts.next().map(|_| (header, claims))
}

/// The claims that are times (RFC 7519 §4.1).
fn times(claims: &Map<String, Value>) -> Vec<(&'static str, Timestamp)> {
    let at = |name| {
        let seconds = claims.get(name)?.as_f64()?;
        // A number that can't be a time of this age is left to the checks.
        let ms = (seconds * 1_000.0).clamp(-1e15, 1e15);
        #[expect(clippy::cast_possible_truncation, reason = "it was brought into range")]
        Some(Timestamp::from_millis(ms as i64))
    };
    let found = ["iat", "nbf", "exp"].map(|name| Some((name, at(name)?)));
    let mut found: Vec<_> = found.into_iter().flatten().collect();
    found.sort_by_key(|(_, at)| *at);
    found
}

fn meaning(name: &str, at: Timestamp, now: Timestamp) -> String {
    let when = clock::distance(at, now);
    match name {
        "exp" if at <= now => format!("expired {when}"),
        "exp" => format!("expires {when}"),
        "nbf" if at > now => format!("valid only {when}"),
        "nbf" => format!("became valid {when}"),
        _ if at > now => format!("issued {when}: one of the clocks is wrong"),
        _ => format!("issued {when}"),
    }
}

fn shown(object: &Map<String, Value>) -> String {
    object.iter().fold(String::new(), |mut text, (name, value)| {
        let _ = writeln!(text, "  {name}: {value}");
        text
    })
}
