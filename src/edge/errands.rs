//! Work after the response, for which the runtime leaves time.

use std::rc::Rc;

use js_sys::Promise;
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::future_to_promise;

use super::glue::resolved;
use super::isolate::{Isolate, now};
use super::{glue, inbox, object_call};
use crate::allowance::ReportDue;
use crate::config::{Config, IssuerIndex, KeySource};
use crate::gate::{self, CallError, Errand};
use crate::identity::{AccountName, ObjectName};
use crate::message::LedgerMessage;
use crate::quota::holder::WatchAction;
use crate::quota::{LedgerReply, LedgerRequest};
use crate::report;

/// Runs errands, each on its own. The runtime lets them go on for 30 seconds after the response.
pub(super) fn run(
    isolate: &Rc<Isolate>,
    config: &Rc<Config>,
    context: &JsValue,
    errands: Vec<Errand>,
) {
    for errand in errands {
        let (isolate, config) = (Rc::clone(isolate), Rc::clone(config));
        let promise: Promise = future_to_promise(async move {
            if let Err(reason) = see_through(&isolate, &config, errand).await {
                worker::console_error!("{}", report::fault_line("errand", &reason));
            }
            Ok(JsValue::UNDEFINED)
        });
        glue::wait_until(context, &promise);
    }
}

/// Fetches the key set of an issuer.
///
/// # Errors
///
/// The reason why it can't be had.
pub(super) async fn fetch_keys(config: &Config, issuer: IssuerIndex) -> Result<String, CallError> {
    let Some(KeySource::Url(url)) = config.issuer_at(issuer).map(|issuer| &issuer.keys) else {
        return Err(CallError::Fault("the issuer has no JWKS URL".to_owned()));
    };
    let promise = glue::fetch_text(url, config.deadlines.jwks_ms, MAX_JWKS_BYTES);
    let body = resolved(promise).await.map_err(CallError::Unreachable)?;
    body.as_string().ok_or_else(|| CallError::Fault("the fetched key set is no text".to_owned()))
}

/// Does an errand and what follows from it.
async fn see_through(isolate: &Isolate, config: &Config, errand: Errand) -> Result<(), String> {
    let mut open = vec![errand];
    while let Some(errand) = open.pop() {
        match errand {
            Errand::AskOutage => {
                let is_down = inbox::is_outage(isolate, config).await;
                gate::outage_reported(is_down, &mut isolate.memory.borrow_mut(), now())
                    .map_err(|error| format!("inbox: {error}"))?;
            }
            Errand::RefreshKeys { issuer } => {
                let body = fetch_keys(config, issuer).await;
                gate::keys_refreshed(issuer, body, &mut isolate.memory.borrow_mut(), now())
                    .map_err(|error| format!("keys: {error}"))?;
            }
            Errand::ReportReaders(due) => report_readers(isolate, config, due).await?,
            Errand::Tell { account, request } => {
                open.extend(tell(isolate, config, &account, request).await?);
            }
            Errand::Watch { account, lease } => watch(isolate, config, &account, lease).await?,
        }
    }
    Ok(())
}

/// Reports which readers of free pages were seen, once others had time to come along.
async fn report_readers(isolate: &Isolate, config: &Config, due: ReportDue) -> Result<(), String> {
    if due.after_ms > 0 {
        let _ = resolved(glue::pause(due.after_ms)).await;
    }
    let request = gate::readers_to_report(due, &mut isolate.memory.borrow_mut());
    let Some(request) = request else { return Ok(()) };
    let registry = ObjectName::ReaderRegistry(due.shard);
    let reply = object_call::call(isolate, config, &registry, &request).await?;
    let reply = object_call::read(&reply)?;
    gate::readers_reported(&reply, &mut isolate.memory.borrow_mut());
    Ok(())
}

/// Sends a message to a ledger and has the answer taken over. Returns what follows from it.
async fn tell(
    isolate: &Isolate,
    config: &Config,
    account: &AccountName,
    request: LedgerRequest,
) -> Result<Vec<Errand>, String> {
    let (holder, number) = (request.holder.clone(), request.number);
    let reply =
        object_call::call(isolate, config, &account.into(), &LedgerMessage::Ask(request)).await;
    let reply: Result<LedgerReply, _> = reply.and_then(|reply| object_call::read(&reply));
    let memory = &mut isolate.memory.borrow_mut();
    let message = (holder.as_str(), number);
    let errands = gate::ledger_replied(account, message, reply.as_ref().ok(), memory, now());
    reply.map(|_| errands)
}

/// Waits until nobody asks for a lease any more, and gives the rest back.
async fn watch(
    isolate: &Isolate,
    config: &Config,
    account: &AccountName,
    lease: u64,
) -> Result<(), String> {
    loop {
        let next = gate::watch(account, lease, config, &mut isolate.memory.borrow_mut(), now());
        match next {
            WatchAction::Done => return Ok(()),
            WatchAction::Send(request) => {
                // A failed message is sent again, as long as the lease is worth it.
                let _ = tell(isolate, config, account, request).await;
            }
            WatchAction::Wait(ms) => {
                let _ = resolved(glue::pause(u32::try_from(ms.max(1)).unwrap_or(u32::MAX))).await;
            }
        }
    }
}

/// A key set is a few KB; anything much larger isn't one.
const MAX_JWKS_BYTES: u32 = 64 * 1024;
