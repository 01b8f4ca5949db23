//! The operators' endpoints, `admin/…`: performs what [`crate::admin::flow`] needs.

use wasm_bindgen::prelude::wasm_bindgen;
use worker::web_sys::Response;

use super::body::body_of;
use super::glue::random_text;
use super::isolate::now;
use super::object_call::{reply, send_within};
use super::provider_api::perform_all;
use super::visit::{Visit, respond};
use crate::admin::flow::{CallError, ObjectCall, Pending, Reread};
use crate::admin::{AccountRequest, Need, ObjectRequest, Request, Step, start};
use crate::billing::run::reread_account;
use crate::identity::{AccountName, ObjectName};
use crate::message::{KeyDirectoryMessage, LedgerMessage};

/// Answers a request; `endpoint` is its path behind the prefix.
pub(super) async fn answer(visit: &Visit, endpoint: &str) -> Response {
    let header = |name| visit.request.headers().get(name).ok().flatten();
    let [authorization, content_type] = ["authorization", "content-type"].map(header);
    let idempotency_key = header("idempotency-key");
    let request = Request {
        method: &visit.facts.method,
        path: &visit.facts.path,
        endpoint,
        query: visit.facts.query.as_deref().unwrap_or_default(),
        authorization: authorization.as_deref().unwrap_or_default(),
        content_type: content_type.as_deref().unwrap_or_default(),
        idempotency_key: idempotency_key.as_deref(),
    };
    let mut step = start(request, visit.isolate.config.as_deref().ok(), now());
    loop {
        step = match step {
            Step::Need(need) => perform(visit, need).await,
            Step::End(end) => {
                if let Some(line) = end.log_line() {
                    worker::console_error!("{line}");
                }
                return respond(&end.answer(&visit.facts.method, &visit.facts.path));
            }
        };
    }
}

async fn perform<'a>(visit: &Visit, need: Need<'a>) -> Step<'a> {
    match need {
        Need::Body(Pending { input: max_bytes, rest }) => {
            let body = body_of(&visit.request, max_bytes).await;
            rest.resume(body, now())
        }
        Need::Call(Pending { input, rest }) => {
            let reply = call(visit, *input).await;
            rest.resume(reply.map_err(CallError), now())
        }
        Need::Reread(Pending { input: Reread { config, account }, rest }) => {
            let step = reread_account(config.providers(), &account, now());
            let customers = perform_all(&visit.isolate, config, step).await;
            rest.resume(customers, now())
        }
        Need::Random(Pending { input: lengths, rest }) => {
            rest.resume(lengths.map(random_text), now())
        }
        Need::Document(Pending { input: (), rest }) => {
            let document = open_api_document(visit.prefix(), env!("CARGO_PKG_VERSION"));
            rest.resume(document, now())
        }
    }
}

async fn call(visit: &Visit, call: ObjectCall) -> Result<Vec<u8>, String> {
    let (isolate, deadline_ms) = (&*visit.isolate, call.deadline_ms);
    let sent = match call.request {
        ObjectRequest::Account { account, request } => {
            let object = ObjectName::from(&account);
            send_within(isolate, &object, &ledger_message(account, request), deadline_ms)
        }
        ObjectRequest::Inbox(request) => {
            send_within(isolate, &ObjectName::Inbox, &request, deadline_ms)
        }
        ObjectRequest::FileKey { directory, hash, owner } => {
            let message = KeyDirectoryMessage::File { hash, owner };
            send_within(isolate, &directory, &message, deadline_ms)
        }
    };
    reply(sent?).await
}

/// A message to a ledger, in the form of the wire.
fn ledger_message(account: AccountName, request: AccountRequest) -> LedgerMessage {
    match request {
        AccountRequest::ApplyBilling(event) => {
            LedgerMessage::ApplyBilling { account, events: vec![event] }
        }
        AccountRequest::Audit { before, limit } => LedgerMessage::Audit { before, limit },
        AccountRequest::Credits => LedgerMessage::Credits,
        AccountRequest::Execute(command) => LedgerMessage::Execute(command),
        AccountRequest::Record => LedgerMessage::Read,
        AccountRequest::Usage { plan, member } => LedgerMessage::Usage { plan, member },
    }
}

#[wasm_bindgen(module = "/src/edge/openapi.js")]
extern "C" {
    #[wasm_bindgen(js_name = openApiDocument)]
    fn open_api_document(prefix: &str, version: &str) -> String;
}
