//! The operator's endpoints: `admin/accounts/<tenant or ->/<account>`, and below it `/audit`,
//! `/credits` and `/usage`.
//!
//! They ask for `ADMIN_TOKEN` in the `Authorization` header, never in the query, and every write
//! leaves an entry in the account's audit trail.

use worker::web_sys::Response;

use super::endpoints::{body_of, json_response, problem};
use super::isolate::now;
use super::ledger_object::{Message, call, read};
use super::visit::Visit;
use crate::account::{AccountRecord, judge};
use crate::answer;
use crate::config::Config;
use crate::identity::account_name;
use crate::quota::{CreditPack, Usage};
use crate::strict_json::{self, StrictValue};
use crate::usage::AccountUsage;

/// Answers a request under `admin/`.
pub(super) async fn answer(visit: &Visit, rest: &str) -> Response {
    let Ok(config) = &visit.isolate.config else {
        return problem(visit, 503, "The configuration is invalid; see health.", &[]);
    };
    if let Some(refused) = refuse(visit, config) {
        return refused;
    }
    let Some(target) = Target::parse(rest) else {
        return problem(visit, 404, "Try admin/accounts/<tenant or ->/<account>.", &[]);
    };
    let is_read = matches!(visit.facts.method.as_str(), "GET" | "HEAD");
    if !is_read && target.part.writing_method() != Some(&visit.facts.method) {
        let detail = "This can't be done to it.";
        return problem(visit, 405, detail, &[("Allow", target.part.allowed())]);
    }
    let body = if is_read {
        String::new()
    } else {
        match body_of(&visit.request, MAX_BODY_BYTES).await {
            Ok(body) => body,
            Err(reason) => return problem(visit, 400, &format!("The body: {reason}."), &[]),
        }
    };
    let query = visit.facts.query.as_deref().unwrap_or_default();
    let asked = if is_read {
        target.part.to_read(query, config)
    } else {
        target.part.to_write(&body, config)
    };
    let message = match asked {
        Ok(message) => message,
        Err(reason) => return problem(visit, 400, &reason, &[]),
    };
    let reply = call(&visit.isolate, config, &target.account, &message).await;
    match reply.and_then(|reply| told(config, &message, reply)) {
        Ok(Told::Json(json)) => json_response(visit, 200, json, "no-store"),
        Ok(Told::NoAccount) => problem(visit, 404, "There is no such account.", &[]),
        Ok(Told::Conflict(detail)) => problem(visit, 409, &detail, &[]),
        Err(reason) => {
            problem(visit, 503, &format!("The account's ledger did not answer: {reason}."), &[])
        }
    }
}

/// Which account, and what of it.
struct Target {
    account: String,
    part: Part,
}

#[derive(Clone, Copy)]
enum Part {
    Audit,
    Credits,
    Record,
    Usage,
}

/// What came of a message.
enum Told {
    Conflict(String),
    Json(String),
    NoAccount,
}

impl Target {
    fn parse(rest: &str) -> Option<Self> {
        let mut parts = rest.strip_prefix("admin/accounts/")?.split('/');
        let tenant = decoded(parts.next()?)?;
        let account = decoded(parts.next()?)?;
        let part = match (parts.next(), parts.next()) {
            (None, None) => Part::Record,
            (Some("audit"), None) => Part::Audit,
            (Some("credits"), None) => Part::Credits,
            (Some("usage"), None) => Part::Usage,
            _ => return None,
        };
        let tenant = (tenant != "-").then_some(tenant);
        let account = account_name(tenant.as_deref(), &account);
        Some(Self { account, part })
    }
}

impl Part {
    const fn writing_method(self) -> Option<&'static str> {
        match self {
            Self::Audit | Self::Usage => None,
            Self::Credits => Some("POST"),
            Self::Record => Some("PUT"),
        }
    }

    const fn allowed(self) -> &'static str {
        match self {
            Self::Audit | Self::Usage => "GET, HEAD",
            Self::Credits => "GET, HEAD, POST",
            Self::Record => "GET, HEAD, PUT",
        }
    }

    fn to_read(self, query: &str, config: &Config) -> Result<Message, String> {
        Ok(match self {
            Self::Audit => Message::Audit { limit: AUDIT_ENTRIES },
            Self::Credits => Message::Credits,
            Self::Record => Message::Read,
            Self::Usage => {
                let (mut plan, mut member) = (None, None);
                for (name, value) in query.split('&').filter_map(|pair| pair.split_once('=')) {
                    let value = decoded(&value.replace('+', "%20"));
                    match (name, value) {
                        ("plan", Some(value)) => plan = Some(value),
                        ("member", Some(value)) => member = Some(value),
                        _ => return Err("The query: expected plan= or member=.".to_owned()),
                    }
                }
                check_plan(plan.as_deref(), config)?;
                Message::Usage { plan, member }
            }
        })
    }

    fn to_write(self, body: &str, config: &Config) -> Result<Message, String> {
        let actor = ACTOR.to_owned();
        if let Self::Credits = self {
            let pack = Box::new(CreditPack::parse(body, now())?);
            return Ok(Message::AddCredits { pack, actor });
        }
        let record = Box::new(parse_record(body, config)?);
        Ok(Message::Write { record, actor })
    }
}

/// The longest record that makes sense; a body beyond it is refused unread.
const MAX_BODY_BYTES: u32 = 64 * 1024;
const AUDIT_ENTRIES: usize = 100;
/// Whom the audit trail names.
const ACTOR: &str = "admin";

/// What the ledger's reply to a message says.
fn told(config: &Config, message: &Message, reply: String) -> Result<Told, String> {
    let json = match message {
        Message::Read if reply == "null" => return Ok(Told::NoAccount),
        Message::Audit { .. } => format!("{{\"entries\":{reply}}}"),
        Message::Credits => answer::credits_json(&read::<Vec<CreditPack>>(&reply)?),
        Message::AddCredits { pack, .. } => {
            let kept: CreditPack = read(&reply)?;
            if !kept.is_same_purchase(pack) {
                let known = answer::credit_json(&kept);
                return Ok(Told::Conflict(format!(
                    "A pack of this id was added before, and stays as it is: {known}."
                )));
            }
            answer::credit_json(&kept)
        }
        Message::Usage { plan, .. } => {
            let usage: Usage = read(&reply)?;
            let record = usage.account.as_ref();
            let judged = |record| judge(record, &config.plans, None, config.provider_outage, now());
            let leading = record.and_then(|record| judged(record).leading());
            let of_record = leading.and_then(|leading| leading.plan.as_deref());
            let plan = plan.as_deref().or(of_record).and_then(|id| config.plan(id));
            let mut told = AccountUsage::new(config, plan, &usage);
            // Where the token says what was paid for, there need not be a record.
            if record.is_some() || plan.is_none() {
                told.judge(config, plan, record, config.provider_outage, now());
            }
            answer::usage_json(&told)
        }
        Message::ApplyBilling { .. }
        | Message::Ask(_)
        | Message::Desk(_)
        | Message::Read
        | Message::ReportReaders(_)
        | Message::Write { .. } => reply,
    };
    Ok(Told::Json(json))
}

/// Why a request may not use these endpoints, if it may not.
fn refuse(visit: &Visit, config: &Config) -> Option<Response> {
    if config.operators.is_empty() {
        let detail = "These endpoints are closed: the operator has set no ADMIN_TOKEN.";
        return Some(problem(visit, 404, detail, &[]));
    }
    let given = visit.request.headers().get("authorization").ok().flatten().unwrap_or_default();
    let is_right = given
        .split_once(' ')
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .is_some_and(|(_, token)| {
            config.operators.iter().any(|one| same(token.trim(), &one.token))
        });
    if is_right {
        return None;
    }
    let detail = "Send the operator's token as Authorization: Bearer; it is not taken elsewhere.";
    let challenge = ("WWW-Authenticate", "Bearer realm=\"tollgate-admin\"");
    Some(problem(visit, 401, detail, &[challenge]))
}

fn parse_record(body: &str, config: &Config) -> Result<AccountRecord, String> {
    let value =
        strict_json::parse(body).map_err(|error| format!("The body isn't JSON: {error}."))?;
    let record = AccountRecord::try_from(StrictValue(value))
        .map_err(|reason| format!("The record: {reason}."))?;
    check_plan(record.own.plan.as_deref(), config)?;
    Ok(record)
}

fn check_plan(plan: Option<&str>, config: &Config) -> Result<(), String> {
    match plan {
        Some(id) if config.plan(id).is_none() => {
            let known: Vec<_> = config.plans.iter().map(|plan| plan.id.as_str()).collect();
            Err(format!("PLANS has no plan {id:?}; it has {}.", known.join(", ")))
        }
        _ => Ok(()),
    }
}

/// Compares in a time that does not depend on where the two differ.
fn same(given: &str, expected: &str) -> bool {
    let difference = given
        .bytes()
        .zip(expected.bytes())
        .fold(0_u8, |difference, (left, right)| difference | (left ^ right));
    difference == 0 && given.len() == expected.len()
}

/// A path segment or a value of the query, percent-decoded; `None` where that leaves nothing or no
/// UTF-8.
fn decoded(segment: &str) -> Option<String> {
    let text = js_sys::decode_uri_component(segment).ok()?.as_string()?;
    (!text.is_empty()).then_some(text)
}
