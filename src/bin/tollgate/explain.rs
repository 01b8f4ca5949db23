//! `tollgate explain`: what the gate would do with a request, and why.

mod asked;
mod caller;
mod end;
mod given;
mod scene;
mod store;
mod words;

use std::fmt::Write as _;
use std::path::PathBuf;
use std::rc::Rc;

use clap::Args;
use serde_json::{Value, json};
use tollgate::account::ApiKey;
use tollgate::config::Config;
use tollgate::gate_secret::GateSecret;
use tollgate::request::{Reach, RequestFacts, credential};
use tollgate::time::Timestamp;

use super::remote::AccountArgument;
use super::wrangler::ConfigChoice;
use super::{Failure, Outcome, clock};
use asked::RequestArguments;
use end::Explanation;
use scene::{Scene, Story};

/// Say what a gate would do with a request, step by step, and why.
#[derive(Args)]
#[command(after_help = "\
The gate itself decides here, with what is given: nothing is sent anywhere, unless --online. Exit
code 0: the request passes, 1: it is denied.

The caller is a --token, or --as a name without one; the account's standing is its record in a file,
as `tollgate account show --json` prints it or an operator writes it.

Examples:
  tollgate explain 'GET https://api.example.com/articles/1'
  tollgate explain 'GET /articles/1' --token token.txt --at 2026-12-01T09:30:00Z
  tollgate explain 'POST /v1/answers' --as acme --plan pro --used api/month=9999
  tollgate account show alice --json | tollgate explain 'GET /articles/1' --as alice --account -
  tollgate explain 'GET /articles/1' --header 'Accept: text/html' --json")]
#[expect(clippy::struct_excessive_bools, reason = "each is an option of its own")]
pub(crate) struct Explain {
    /// The request: a method (GET where it is left out) and a URL, or a path alone.
    request: String,
    #[command(flatten)]
    choice: ConfigChoice,
    /// The token or API key that it carries, in a file; - reads stdin.
    #[arg(long, value_name = "FILE")]
    token: Option<String>,
    /// Take the token's signature for right.
    #[arg(long, requires = "token")]
    trust_token: bool,
    /// Caller without a token, or owner of an API key: an account, or TENANT/ACCOUNT.
    #[arg(long = "as", value_name = "NAME")]
    caller: Option<AccountArgument>,
    /// The plan that the missing token would name.
    #[arg(long, value_name = "ID", conflicts_with = "token")]
    plan: Option<String>,
    /// An entitlement that the missing token would name; may be repeated.
    #[arg(long, value_name = "NAME", conflicts_with = "token")]
    entitlement: Vec<String>,
    /// The account's record, in a file; - reads stdin.
    #[arg(long, value_name = "FILE")]
    account: Option<String>,
    /// Units that are used of a quota; may be repeated.
    #[arg(long, value_name = "QUOTA=UNITS", value_parser = given::read_used)]
    used: Vec<(String, u64)>,
    /// Prepaid units that are left.
    #[arg(long, value_name = "UNITS")]
    credits: Option<u64>,
    /// A header field of the request; may be repeated.
    #[arg(long, value_name = "NAME: VALUE", value_parser = given::read_header)]
    header: Vec<(String, String)>,
    /// At this time, as RFC 3339, in the place of now.
    #[arg(long, value_name = "TIME", value_parser = clock::read_time)]
    at: Option<Timestamp>,
    /// A JWKS, in the place of what an issuer has at its `jwks_url`.
    #[arg(long, value_name = "FILE")]
    keys: Option<PathBuf>,
    /// Fetch the keys of an issuer that has a `jwks_url`.
    #[arg(long, conflicts_with = "keys")]
    online: bool,
    /// As if the account's ledger did not answer.
    #[arg(long)]
    ledger_down: bool,
    /// As if the caller were beyond every burst limit.
    #[arg(long)]
    over_burst: bool,
    /// As if the gate saw its payment provider to be down.
    #[arg(long)]
    provider_down: bool,
}

impl Explain {
    pub(crate) fn run(&self) -> Result<Outcome, Failure> {
        let mut config = self.choice.need()?;
        let now = self.at.unwrap_or_else(clock::now);
        let mut request = RequestArguments::parse(&self.request, &self.header)?;
        let mut given = self.read_token(&config, now)?;
        let is_resigned = self.resign(&mut given, &mut config);
        let config = Rc::new(config);
        if let Some(token) = &given {
            request.carry(token, &config);
        }
        let facts = Rc::new(request.facts(&config)?);
        let reach = facts.readings().map(|readings| readings.reach(&config.prefix));
        let is_own = reach.is_ok_and(|reach| reach != Reach::Outside);
        let is_usage = is_own && facts.path == format!("{}usage", config.prefix);
        if is_own && !is_usage {
            return Ok(own_endpoint(&facts.path));
        }
        let is_stand_in = given.is_some() && self.token.is_none();
        let mut scene = self.scene(config, &facts, is_stand_in, now)?;
        scene.is_resigned = is_resigned;
        let story = scene.play(&facts, is_usage);
        let end = end::explain(&story, &scene, &facts, &request.asker(&facts));
        Ok(outcome(&story, end, &scene, &facts))
    }

    /// Gives an API key a checksum of ours, where the gate's secret isn't here to check its own, or
    /// isn't to be asked. Returns whether it did.
    fn resign(&self, given: &mut Option<String>, config: &mut Config) -> bool {
        let key = given.as_deref().filter(|_| config.gate_secrets.is_empty() || self.trust_token);
        let Some((key, (secret, _))) = key.and_then(|key| Some(key).zip(ApiKey::secret_in(key)))
        else {
            return false;
        };
        config.gate_secrets = vec![GateSecret::new("explain")];
        let resigned = ApiKey::text(ApiKey::id_in(key), secret, &config.gate_secrets);
        *given = resigned;
        true
    }

    /// Everything around the gate, as it was given.
    fn scene(
        &self,
        config: Rc<Config>,
        facts: &RequestFacts,
        is_stand_in: bool,
        now: Timestamp,
    ) -> Result<Scene, Failure> {
        let found = credential::find(&config.credentials, facts);
        let token = found.map(|found| found.token.to_owned());
        Ok(Scene {
            rows: self.rows(&config, token.as_deref(), now)?,
            is_trusted: self.trust_token || is_stand_in,
            is_stand_in,
            owner: self.caller.clone().unwrap_or_else(AccountArgument::nobody_known),
            token,
            keys: self.keys.clone(),
            online: self.online,
            ledger_is_down: self.ledger_down,
            is_over_burst: self.over_burst,
            provider_is_down: self.provider_down,
            is_resigned: false,
            now,
            config,
        })
    }
}

/// The story from its beginning to its end.
fn outcome(story: &Story, end: Explanation, scene: &Scene, facts: &RequestFacts) -> Outcome {
    let (url, at) = (without_query(facts), scene.now.rfc3339());
    let head = format!("{} {url} at {at}\n", facts.method);
    let text = format!("{head}\n{}{}", steps_in_words(story), end.text);
    let steps = story.steps.iter();
    let steps: Vec<_> = steps.map(|(step, said)| json!({ "step": step, "said": said })).collect();
    let route = story.route.and_then(|index| {
        let pattern = &scene.config.route(index)?.pattern.text;
        Some(json!({ "index": index.get(), "match": pattern }))
    });
    let mut json = json!({
        "request": { "method": facts.method, "url": url }, "at": at, "steps": steps, "route": route,
    });
    if let (Value::Object(json), Value::Object(end)) = (&mut json, end.json) {
        json.extend(end);
    }
    Outcome::of(end.passes, text, json)
}

fn steps_in_words(story: &Story) -> String {
    let mut text = String::new();
    for (number, (step, said)) in story.steps.iter().enumerate() {
        let number = number.saturating_add(1);
        let said = said.replace('\n', &format!("\n{:16}", ""));
        let _ = writeln!(text, "{number:>2}. {step:<11} {said}");
    }
    text
}

/// As the gate's own log does: a query may hold a token.
fn without_query(facts: &RequestFacts) -> String {
    format!("{}{}", facts.base_url(), facts.path)
}

fn own_endpoint(path: &str) -> Outcome {
    let text = format!("{path} is one of the gate's own endpoints: never gated, never forwarded.");
    Outcome::fine(text, json!({ "own_endpoint": path }))
}
