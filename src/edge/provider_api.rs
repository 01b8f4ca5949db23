//! Performs what a run of calls of providers' APIs needs ([`crate::billing::run`]).

use super::isolate::{Isolate, now};
use super::provider_call::call;
use super::{inbox, inbox_object};
use crate::billing::ProviderCall;
use crate::billing::inbox::InboxRequest;
use crate::billing::run::{AccountEvents, Need, RunError, Step};
use crate::config::Config;
use crate::report;
use crate::step::Pending;

/// Leads a run to its end: the number of customers that were read.
///
/// # Errors
///
/// The reason why it ended early.
pub(super) async fn perform_all(
    isolate: &Isolate,
    config: &Config,
    mut step: Step<'_>,
) -> Result<usize, RunError> {
    loop {
        step = match step {
            Step::Need(need) => perform(isolate, config, need).await,
            Step::End(end) => return end,
        };
    }
}

async fn perform<'a>(isolate: &Isolate, config: &Config, need: Need<'a>) -> Step<'a> {
    match need {
        Need::CallProvider(Pending { input: ProviderCall { billing, request }, rest }) => {
            let answered = call(config, billing, &request).await;
            rest.resume(answered, now())
        }
        Need::ListCustomers(Pending { input, rest }) => {
            let customers = inbox::ask(isolate, config, input).await;
            rest.resume(customers, now())
        }
        Need::TakeIn(Pending { input, rest }) => {
            let taken = inbox::take_in(isolate, config, input).await;
            rest.resume(taken, now())
        }
        Need::ApplyToAccount(Pending { input: AccountEvents { account, events }, rest }) => {
            let summary = inbox_object::apply(isolate, config, &account, events).await;
            rest.resume(summary.map(|_| ()), now())
        }
        Need::ReportCalls(Pending { input, rest }) => {
            let reported = inbox::tell(isolate, config, InboxRequest::Called(input)).await;
            rest.resume(reported, now())
        }
        Need::Log(Pending { input, rest }) => {
            worker::console_error!("{}", report::fault_line(input.what, &input.reason));
            rest.resume((), now())
        }
    }
}
