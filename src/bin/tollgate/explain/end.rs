//! The end of a request: the headers for the origin, or the answer, and the reasons.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};
use tollgate::answer::{self, Answer, Asker, Headers, Place, Responder};
use tollgate::cause::{Action, Notice, QuotaState, Source};
use tollgate::config::OriginTarget;
use tollgate::decision::{Decision, Degraded, Denial, Pass};
use tollgate::identity::ASSERTION_HEADER;
use tollgate::request::{RequestFacts, credential};
use tollgate::time::Timestamp;
use tollgate::token::TokenError;

use super::scene::{End, Scene, Story};
use super::words;
use crate::commands::clock;

/// The end of a story.
pub(super) struct Explanation {
    pub(super) passes: bool,
    pub(super) text: String,
    pub(super) json: Value,
}

/// Explains the end.
pub(super) fn explain(
    story: &Story,
    scene: &Scene,
    facts: &RequestFacts,
    asker: &Asker<'_>,
) -> Explanation {
    match &story.end {
        End::Decision(Decision::Pass(pass)) => passed(pass, scene, facts),
        End::Decision(Decision::Deny(denial)) => denied(denial, scene, facts, asker),
        End::Usage(usage) => {
            let answer = in_place(scene, facts, asker, |responder| responder.usage(usage));
            let text =
                format!("\nDecision: the account is shown how it stands\n{}", shown(&answer));
            let json = json!({ "decision": { "pass": true }, "answer": answer_json(&answer) });
            Explanation { passes: true, text, json }
        }
    }
}

fn passed(pass: &Pass, scene: &Scene, facts: &RequestFacts) -> Explanation {
    let config = &scene.config;
    let route = pass.route.and_then(|index| config.route(index));
    let target = route.and_then(|route| route.origin.as_ref()).unwrap_or(&config.origin);
    let to = match target {
        OriginTarget::Url(url) => format!("{url}{}", facts.path),
        OriginTarget::Service(binding) => format!("service:{binding} {}", facts.path),
    };
    let mut text = "\nDecision: pass".to_owned();
    if pass.is_preflight {
        text.push_str(" (a CORS preflight: only the origin's CORS headers come back)");
    }
    if let Some(degraded) = pass.degraded {
        let _ = write!(text, ", unchecked ({})", degraded.word());
    }
    text.push('\n');
    for state in &pass.quotas {
        let _ = writeln!(text, "  counted     {}", words::quota(state));
    }
    if pass.charge.is_none() && pass.quotas.is_empty() {
        let _ = writeln!(text, "  counted     nothing");
    }
    for notice in &pass.notices {
        let _ = writeln!(text, "  notice      {}", in_words(notice, scene.now));
    }
    let headers = pass.identity.as_ref().map(|identity| identity.headers()).unwrap_or_default();
    let _ = writeln!(text, "\nTo the origin: {} {to}", facts.method);
    for (name, value) in &headers {
        let _ = writeln!(text, "  {name}: {value}");
    }
    let is_gated = route.is_some_and(|route| !route.open) && !pass.is_preflight;
    if config.assertion_keys.is_some() && (is_gated || pass.identity.is_some()) {
        let _ = writeln!(text, "  {ASSERTION_HEADER}: (signed with ASSERTION_KEY)");
    }
    if credential::find(&config.credentials, facts).is_some() {
        let is_kept = !pass.is_preflight && route.is_none_or(|route| route.forward_credential);
        let what =
            if is_kept { "with the credential, as it came" } else { "without the credential" };
        let _ = writeln!(text, "  {what}");
    }
    let added = answer::passed_headers(&pass.quotas, &pass.notices, pass.degraded, scene.now);
    if !added.is_empty() {
        let _ = writeln!(text, "\nOn the response, beside the origin's own");
        text.push_str(&lines(&added));
    }
    let json = json!({
        "decision": {
            "pass": true, "degraded": pass.degraded.map(Degraded::word),
            "quotas": quotas_json(&pass.quotas), "preflight": pass.is_preflight,
            "notices": pass.notices.iter().map(|one| in_words(one, scene.now)).collect::<Vec<_>>(),
        },
        "origin": { "to": to, "headers": object(headers.iter().map(|(name, value)| (*name, value.as_str()))) },
        "response_headers": object(added.iter().map(|(name, value)| (*name, value.as_ref()))),
    });
    Explanation { passes: true, text, json }
}

fn denied(denial: &Denial, scene: &Scene, facts: &RequestFacts, asker: &Asker<'_>) -> Explanation {
    let write = |asker: &Asker<'_>| {
        in_place(scene, facts, asker, |responder| responder.denied(denial, SUPPORT_ID))
    };
    let answer = write(asker);
    // The same in the form that holds every word.
    let problem =
        write(&Asker { method: "GET", accept: "application/json", fetch_mode: "", ..*asker });
    let problem: Value = serde_json::from_str(&problem.body).unwrap_or_default();
    let (cause, status) = (denial.cause.word(), denial.cause.status());
    let mut text = format!("\nDecision: denied, {status} {cause}\n");
    let detail = problem.get("detail").and_then(Value::as_str).unwrap_or_default();
    let _ = writeln!(text, "  told        {detail}");
    for line in reasons(denial, scene) {
        let _ = writeln!(text, "  {line}");
    }
    for remedy in &denial.remedies {
        let plan = remedy.plan.as_ref().map(|plan| format!(" {}", plan.id)).unwrap_or_default();
        let place = match remedy.href.as_deref() {
            Some(href) => format!(": {href}"),
            None if remedy.action == Action::Wait => String::new(),
            None => ": no address is configured".to_owned(),
        };
        let _ = writeln!(text, "  remedy      {}{plan}{place}", remedy.action.word());
    }
    let _ = writeln!(text, "\nAnswer\n{}", shown(&answer));
    let json = json!({
        "decision": {
            "pass": false, "cause": cause, "status": status, "source": source(denial.cause.source()),
            "detail": detail, "missing": denial.facts.missing, "remedies": denial.remedies,
            "token_error": denial.facts.token_error.map(TokenError::code),
            "operator_detail": denial.facts.operator_detail,
            "quotas": quotas_json(&denial.quotas),
            "retry_at": denial.retry_at.map(Timestamp::rfc3339),
        },
        "answer": answer_json(&answer),
    });
    Explanation { passes: false, text, json }
}

/// The reasons, as far as the answer's sentence doesn't give them to the caller.
fn reasons(denial: &Denial, scene: &Scene) -> Vec<String> {
    let facts = &denial.facts;
    let mut lines = vec![format!("whose move  {}", source(denial.cause.source()))];
    if !facts.missing.is_empty() {
        let selling = scene.config.plans.iter().filter(|plan| plan.includes(&facts.missing));
        let selling: Vec<_> = selling.map(|plan| plan.id.as_str()).collect();
        let who = if selling.is_empty() { "no plan has it".into() } else { selling.join(", ") };
        lines.push(format!("missing     {} (plans: {who})", facts.missing.join(", ")));
    }
    if let Some(error) = facts.token_error {
        lines.push(format!("token       {}: `tollgate inspect` says more", error.code()));
    }
    if let Some(detail) = &facts.operator_detail {
        lines.push(format!("operator    {detail}"));
    }
    if let Some(at) = denial.retry_at {
        let when = clock::distance(at, scene.now);
        lines.push(format!("retry       {} ({when})", at.rfc3339()));
    }
    lines.extend(denial.quotas.iter().map(|state| format!("quota       {}", words::quota(state))));
    lines
}

fn in_place(
    scene: &Scene,
    facts: &RequestFacts,
    asker: &Asker<'_>,
    make: impl Fn(&Responder<'_>) -> Answer,
) -> Answer {
    let base_url = facts.base_url();
    let captured = credential::header_names(&scene.config.credentials);
    let is_named = |name: &&str| !matches!(*name, "" | "authorization" | "cookie");
    let named: Vec<_> = captured.into_iter().filter(is_named).collect();
    let place = Place {
        base_url: &base_url,
        prefix: &scene.config.prefix,
        credential_headers: &named.join(", "),
    };
    let brand = &scene.config.brand;
    make(&Responder { asker: *asker, place, brand, now: scene.now })
}

/// An answer as it would be seen with `curl -i`; of a page, how large it is.
fn shown(answer: &Answer) -> String {
    let is_page =
        answer.body.starts_with("<!doctype html>") || answer.body.starts_with("<!DOCTYPE");
    let kb = answer.body.len().div_ceil(1_024);
    let body = match serde_json::from_str::<Value>(&answer.body) {
        _ if is_page => format!("(a page of {kb} KB; --json holds it)"),
        Ok(json) => format!("{json:#}"),
        Err(_) => answer.body.clone(),
    };
    format!("  {}\n{}\n{body}\n", answer.status, lines(&answer.headers))
}

fn lines(headers: &Headers) -> String {
    headers.iter().fold(String::new(), |mut text, (name, value)| {
        let _ = writeln!(text, "  {name}: {value}");
        text
    })
}

fn answer_json(answer: &Answer) -> Value {
    let headers = object(answer.headers.iter().map(|(name, value)| (*name, value.as_ref())));
    json!({ "status": answer.status, "headers": headers, "body": answer.body })
}

/// Header fields as an object; those of one name are joined.
fn object<'a>(headers: impl Iterator<Item = (&'a str, &'a str)>) -> Value {
    let mut fields: Map<String, Value> = Map::new();
    for (name, value) in headers {
        let joined = match fields.get(name).and_then(Value::as_str) {
            Some(before) => format!("{before}, {value}"),
            None => value.to_owned(),
        };
        fields.insert(name.to_owned(), joined.into());
    }
    Value::Object(fields)
}

fn quotas_json(quotas: &[QuotaState]) -> Value {
    let one = |state: &QuotaState| {
        json!({
            "name": state.name, "limit": state.limit, "used": state.used,
            "resets_at": state.resets_at.rfc3339(),
        })
    };
    quotas.iter().map(one).collect()
}

fn in_words(notice: &Notice, now: Timestamp) -> String {
    match notice {
        Notice::ProviderOutage => "the payment provider is down".to_owned(),
        Notice::PaymentGrace { until } => {
            format!("a charge failed; access ends {}", clock::distance(*until, now))
        }
        Notice::QuotaNearLimit { quota, percent } => format!("{percent} % of {quota} are used"),
        Notice::SoftQuotaPassed { quota } => format!("{quota} is passed; the overage is counted"),
        Notice::SubscriptionEnding { at } => {
            format!("the subscription ends {}", clock::distance(*at, now))
        }
    }
}

const fn source(source: Source) -> &'static str {
    match source {
        Source::Caller => "the caller's",
        Source::Operator => "the operator's",
        Source::Platform => "nobody's: wait",
    }
}

/// Stands where the gate puts the name of one request in the log.
const SUPPORT_ID: &str = "explain-1";
