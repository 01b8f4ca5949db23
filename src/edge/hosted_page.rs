//! The way to the payment provider's portal or checkout: performs what [`crate::hosted_page`]
//! needs.

use worker::web_sys::Response;

use super::inbox;
use super::isolate::now;
use super::object_call;
use super::provider_call::call;
use super::visit::{Visit, respond};
use crate::billing::ProviderCall;
use crate::billing::sessions::SessionReply;
use crate::config::Config;
use crate::hosted_page::{Need, Pending, Request, SessionCall, Step, start};
use crate::identity::ObjectName;
use crate::message::LedgerMessage;

/// Answers a request for the way.
pub(super) async fn lead(visit: &Visit, request: Request<'_>) -> Response {
    let mut step = start(request, now());
    loop {
        step = match step {
            Step::Need(need) => perform(visit, request.config, need).await,
            Step::End(ended) => {
                if let Some(line) = &ended.log_line {
                    worker::console_error!("{line}");
                }
                return respond(&visit.context().responder().hosted_page(&ended.end));
            }
        };
    }
}

async fn perform<'a>(visit: &Visit, config: &Config, need: Need<'a>) -> Step<'a> {
    match need {
        Need::AskSessions(Pending { input, rest }) => {
            rest.resume(ask_sessions(visit, config, input).await, now())
        }
        Need::AskInbox(Pending { input, rest }) => {
            let customer = inbox::ask(&visit.isolate, config, input).await;
            rest.resume(customer, now())
        }
        Need::CallProvider(Pending { input: ProviderCall { billing, request }, rest }) => {
            rest.resume(call(config, billing, &request).await, now())
        }
        Need::KeepSession(Pending { input, rest }) => {
            let _ = ask_sessions(visit, config, input).await;
            rest.resume((), now())
        }
    }
}

async fn ask_sessions(
    visit: &Visit,
    config: &Config,
    SessionCall { account, request }: SessionCall,
) -> Result<SessionReply, String> {
    let (object, message) = (ObjectName::Ledger(account), LedgerMessage::Session(request));
    object_call::read(&object_call::call(&visit.isolate, config, &object, &message).await?)
}
