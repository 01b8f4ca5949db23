//! The operators' endpoints, `admin/…`: who may, what is there, and the form of every answer.
//!
//! A token is asked for in the `Authorization` header, never in the query. What is wrong is said in
//! problem details. Every write to an account is carried out by its ledger, in one transaction with
//! the entry in the audit trail and with what makes it safe to send again.

mod accounts;
mod desk;
mod document;
mod keys;

use std::borrow::Cow;

use worker::web_sys::Response;

use super::endpoints::{body_of, json_response};
use super::ledger::{Message, call};
use super::provider_api::reread_account;
use super::visit::{Visit, respond};
use crate::admin::{Found, Once, Operation, Query, find};
use crate::answer::{self, Asker, Headers};
use crate::billing::BillingEvent;
use crate::config::{Config, Operator};

/// Answers a request under `admin/`; `path` is what stands behind the prefix.
pub(super) async fn answer(visit: &Visit, path: &str) -> Response {
    if document::is_asked_for(visit, path) {
        return document::answer(visit);
    }
    match serve(visit, path).await {
        Ok(done) => done.response(visit),
        Err(refusal) => refusal.response(visit),
    }
}

/// What an operator asks for, checked as far as that needs no body.
struct Asked<'a> {
    visit: &'a Visit,
    config: &'a Config,
    /// Who asks.
    operator: &'a Operator,
    operation: &'static Operation,
    /// What stands in the path in the place of braces.
    parts: Vec<String>,
    query: Query,
}

/// What came of it.
struct Done {
    status: u16,
    json: String,
    headers: Headers,
}

/// Why nothing came of it.
struct Refusal {
    status: u16,
    detail: Cow<'static, str>,
    headers: Headers,
}

type Outcome = Result<Done, Refusal>;

/// All that waits is here: whatever lies between two waits needs none.
async fn serve(visit: &Visit, path: &str) -> Outcome {
    let asked = Asked::of(visit, path)?;
    let body = match asked.operation.method {
        "GET" => String::new(),
        _ => asked.taken(body_of(&visit.request, MAX_BODY_BYTES).await)?,
    };
    let mut question = asked.begin(&body)?;
    if let Then::Reread(_) = question.then {
        let read = reread_account(&visit.isolate, asked.config, &question.object).await;
        question.then = desk::reread(read)?;
    }
    loop {
        let Question { object, message, .. } = &question;
        let reply = call(&visit.isolate, asked.config, object, message).await;
        match asked.go_on(question, reply)? {
            Next::Done(done) => return Ok(done),
            Next::Ask(next) => question = next,
        }
    }
}

/// What is asked of an object.
struct Question {
    /// Its name; an account's is the account's.
    object: String,
    message: Message,
    then: Then,
}

/// What is done with the reply.
enum Then {
    /// It is told.
    Tell,
    /// The key with this text is put into the directory.
    File(String),
    /// What was done before is told, whatever the reply.
    Indexed(Done),
    /// The same, once these notes have reached their accounts too.
    Noted(Vec<(String, BillingEvent)>, Done),
    /// The same, if it came.
    Filed(Done),
    /// So many customers were read again; now the record is told.
    Reread(usize),
}

/// What comes after a reply.
enum Next {
    Ask(Question),
    Done(Done),
}

impl<'a> Asked<'a> {
    #[inline(never)]
    fn of(visit: &'a Visit, path: &str) -> Result<Self, Refusal> {
        let Ok(config) = &visit.isolate.config else {
            return Err(Refusal::new(503, "The configuration is invalid; see health."));
        };
        let operator = operator(visit, config)?;
        let Some(found) = find(path) else {
            return Err(Refusal::new(
                404,
                "There is nothing here; admin/openapi.json says what is.",
            ));
        };
        let Some(operation) = found.operation(&visit.facts.method) else {
            let refusal = Refusal::new(405, "This can't be done to it.");
            return Err(refusal.with("Allow", found.allowed()));
        };
        if let Some(role) = operation.role.filter(|role| operator.role < *role) {
            let (needed, found) = (role.word(), operator.role.word());
            let detail = format!("This takes the role {needed}; yours is {found}.");
            return Err(Refusal::new(403, detail));
        }
        let query = visit.facts.query.as_deref().unwrap_or_default();
        let query = Query::parse(query, operation.query).map_err(Refusal::bad)?;
        let Found { parts, .. } = found;
        Ok(Self { visit, config, operator, operation, parts, query })
    }

    /// The body of a write, once it was read.
    fn taken(&self, body: Result<String, String>) -> Result<String, Refusal> {
        let kind = header(self.visit, "content-type").unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        if !KINDS.contains(&kind.as_str()) {
            return Err(Refusal::new(415, "Send JSON, as Content-Type: application/json."));
        }
        body.map_err(|reason| {
            let is_too_large = reason.starts_with("more than");
            Refusal::new(if is_too_large { 413 } else { 400 }, format!("The body: {reason}."))
        })
    }

    /// What is to be asked first.
    #[inline(never)]
    fn begin(&self, body: &str) -> Result<Question, Refusal> {
        if self.operation.method != "GET" {
            // Where there is no use for it, what is wrong with it is said all the same.
            self.once(body)?;
        }
        if self.operation.path.starts_with(ACCOUNT) {
            self.ask_account(body)
        } else {
            self.ask_desk(body)
        }
    }

    /// What is to be done with a reply.
    #[inline(never)]
    fn go_on(&self, question: Question, reply: Result<String, String>) -> Result<Next, Refusal> {
        match question.then {
            Then::Filed(done) => return keys::filed(done, reply),
            Then::Indexed(done) => return Ok(desk::indexed(done, reply)),
            Then::Noted(notes, done) => return Ok(desk::noted(done, notes)),
            _ => {}
        }
        let is_desk = matches!(question.message, Message::Desk(_));
        let whose = if is_desk { "The desk" } else { "The account's ledger" };
        let reply = reply
            .map_err(|reason| Refusal::new(503, format!("{whose} did not answer: {reason}.")))?;
        if is_desk {
            self.desk_said(question.message, &reply)
        } else {
            self.account_said(question, &reply)
        }
    }

    /// What tells this request from another, where it carries an `Idempotency-Key`.
    fn once(&self, body: &str) -> Result<Option<Once>, Refusal> {
        let Some(key) = header(self.visit, "idempotency-key") else { return Ok(None) };
        let facts = &self.visit.facts;
        let parts = [facts.method.as_str(), &facts.path, body, &self.operator.name];
        Once::new(&key, &parts).map(Some).map_err(Refusal::bad)
    }

    /// A part of the path; there is one for each pair of braces.
    fn part(&self, index: usize) -> &str {
        self.parts.get(index).map_or("", String::as_str)
    }
}

impl Done {
    fn json(status: u16, json: String) -> Self {
        Self { status, json, headers: Headers::new() }
    }

    fn response(self, visit: &Visit) -> Response {
        json_response(visit, self.status, self.json, "no-store", self.headers)
    }
}

impl Refusal {
    /// Of a request that is wrong in itself.
    fn bad(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(400, detail)
    }

    fn new(status: u16, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { status, detail: detail.into(), headers: Headers::new() }
    }

    fn with(mut self, name: &'static str, value: impl Into<Cow<'static, str>>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    fn response(self, visit: &Visit) -> Response {
        let title = match self.status {
            400 => "Bad request",
            401 => "Unauthorized",
            403 => "Forbidden",
            404 => "Not found",
            405 => "Method not allowed",
            409 => "Conflict",
            413 => "Content too large",
            415 => "Unsupported media type",
            422 => "Unprocessable content",
            502 => "Bad gateway",
            503 => "Unavailable",
            _ => "Error",
        };
        let Visit { facts, .. } = visit;
        let asker = Asker { method: &facts.method, path: &facts.path, ..Asker::default() };
        let mut answer = answer::problem_json(self.status, title, &self.detail, &asker);
        answer.headers.extend(self.headers);
        respond(&answer)
    }
}

/// Who asks, if it is an operator.
fn operator<'a>(visit: &Visit, config: &'a Config) -> Result<&'a Operator, Refusal> {
    if config.operators.is_empty() {
        let detail = "These endpoints are closed: the operator has set no ADMIN_TOKEN.";
        return Err(Refusal::new(404, detail));
    }
    let given = header(visit, "authorization").unwrap_or_default();
    let token = given
        .split_once(' ')
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map_or("", |(_, token)| token.trim());
    Operator::of(&config.operators, token).ok_or_else(|| {
        let detail =
            "Send an operator's token as Authorization: Bearer; it is not taken elsewhere.";
        let challenge = "Bearer realm=\"tollgate-admin\"";
        Refusal::new(401, detail).with("WWW-Authenticate", challenge)
    })
}

fn header(visit: &Visit, name: &str) -> Option<String> {
    visit.request.headers().get(name).ok().flatten()
}

/// Operations below this are asked of the account's ledger.
const ACCOUNT: &str = "admin/accounts/{tenant}/{account}";

/// The longest body that makes sense; one beyond it is refused as it comes.
const MAX_BODY_BYTES: u32 = 64 * 1024;

/// What a body of JSON is called, also by clients that call every text so unless told otherwise:
/// `curl -d` and `fetch`. No page of another site can use that, since it has no token to send.
const KINDS: [&str; 4] =
    ["", "application/json", "text/plain", "application/x-www-form-urlencoded"];
