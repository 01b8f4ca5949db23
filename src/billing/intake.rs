//! The intake of one webhook, `POST webhooks/<provider>`, as a machine: [`start`] and
//! [`Rest::resume`](crate::step::Rest::resume) return the next [`Step`], which is a [`Need`] to be
//! performed, or the [`End`] with its answer.
//!
//! A webhook counts as received once the inbox has it in its database; before that the provider is
//! asked to send it again. The checks come in this order: provider (404), method (405), body (413,
//! 400), signature (400). Then the event is completed by the provider's API and kept (503).

mod refusal;
mod step;

pub use refusal::{NotGenuine, Refusal};
pub use step::{Content, End, Need, Receipt, Step, Wanted};

use std::vec;

use step::Progress;

use super::api::StatusAndBody;
use super::arrival::Arrival;
use super::error::CallError;
use super::inbox::{Incoming, Taken};
use super::settings::{Billing, Providers};
use super::step::ProviderCall;
use super::webhook::{self, Webhook};
use super::{events_of, spec_of};
use crate::account::Provider;
use crate::step::Pending;
use crate::time::Timestamp;
use crate::token::SignatureCheck;

/// The facts of a request.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The provider's name in the path.
    pub word: &'a str,
    /// The raw method.
    pub method: &'a str,
}

/// Begins the intake of a webhook.
pub fn start<'a>(request: Request<'_>, providers: Providers<'a>) -> Step<'a> {
    Step::of(begin(request, providers))
}

fn begin<'a>(request: Request<'_>, providers: Providers<'a>) -> Progress<'a> {
    let provider = Provider::from_word(request.word);
    let billing = provider.and_then(|provider| providers.of(provider));
    let billing = billing.ok_or(Refusal::NoProvider)?;
    if request.method != "POST" {
        return Err(Refusal::MethodNotAllowed);
    }
    let wanted = Wanted { headers: events_of(billing.provider).headers, max_bytes: MAX_BODY_BYTES };
    let rest = move |content: Content, now| {
        let Content { headers, body } = content;
        let sent = Sent { headers, body: body.map_err(Refusal::Body)? };
        check(Intake { providers, billing }, sent, now)
    };
    Ok(Step::Need(Need::Read(pending(wanted, rest))))
}

/// The providers, and the one that sent the webhook.
#[derive(Clone, Copy)]
struct Intake<'a> {
    providers: Providers<'a>,
    billing: &'a Billing,
}

/// A webhook as it was sent.
struct Sent {
    headers: Vec<(&'static str, String)>,
    body: String,
}

fn check(intake: Intake<'_>, sent: Sent, now: Timestamp) -> Progress<'_> {
    let webhook = Webhook { headers: sent.headers.clone(), body: &sent.body };
    let checks = webhook::checks(intake.billing, &webhook, now);
    let checks = checks.map_err(|error| intake.not_genuine(NotGenuine::Header(error)))?;
    verify(intake, sent, checks.into_iter())
}

/// The webhook is genuine if any one of these signatures is right.
fn verify(
    intake: Intake<'_>,
    sent: Sent,
    mut checks: vec::IntoIter<SignatureCheck>,
) -> Progress<'_> {
    let Some(check) = checks.next() else {
        let secret = spec_of(intake.billing.provider).webhook_secret.name;
        return Err(intake.not_genuine(NotGenuine::WrongSignature { secret }));
    };
    let rest = move |verified: Result<bool, String>, _| match verified {
        Ok(true) => {
            let Sent { headers, body } = sent;
            let arrival = Arrival::new(intake.providers, intake.billing, headers, body);
            Ok(complete(intake, arrival))
        }
        Ok(false) => verify(intake, sent, checks),
        Err(reason) => Err(intake.not_genuine(NotGenuine::UnusableKey(reason))),
    };
    Ok(Step::Need(Need::Verify(pending(check, rest))))
}

/// Asks the provider for the facts that the webhook lacks, one after another.
fn complete(intake: Intake<'_>, mut arrival: Arrival) -> Step<'_> {
    let Some(request) = arrival.next() else { return keep(intake, arrival.into_incoming()) };
    let call = ProviderCall { billing: intake.billing, request };
    Step::Need(Need::CallProvider(pending(
        call,
        move |answered: Result<StatusAndBody, CallError>, _| {
            let answered = answered.map_err(|error| Refusal::NotCompleted(error.into()))?;
            arrival.answered(&answered).map_err(Refusal::NotCompleted)?;
            Ok(complete(intake, arrival))
        },
    )))
}

fn keep(intake: Intake<'_>, incoming: Incoming) -> Step<'_> {
    let rest = move |taken: Result<Vec<Taken>, String>, _| {
        let taken = taken.map_err(Refusal::NotKept)?;
        let is_waiting = taken.iter().any(|taken| taken.is_waiting);
        Ok(Step::End(End::Received(Receipt {
            provider: intake.billing.provider,
            is_repeated: taken.first().is_some_and(|taken| taken.is_repeated),
            is_conflict: taken.iter().any(|taken| taken.is_conflict),
            look_after_ms: (is_waiting && intake.billing.api_key.is_some())
                .then_some(LOOK_AFTER_MS),
        })))
    };
    Step::Need(Need::TakeIn(pending(vec![incoming], rest)))
}

impl Intake<'_> {
    fn not_genuine(self, reason: NotGenuine) -> Refusal {
        Refusal::NotGenuine { provider: self.billing.provider, reason }
    }
}

/// A need's input and the rest of the intake; a refusal is an end.
fn pending<'a, Input, Outcome: 'a>(
    input: Input,
    rest: impl FnOnce(Outcome, Timestamp) -> Progress<'a> + 'a,
) -> Pending<'a, Input, Outcome, Step<'a>> {
    Pending::new(input, move |outcome, now| Step::of(rest(outcome, now)))
}

/// Providers send some ten KB; Stripe's largest objects stay below 256.
pub const MAX_BODY_BYTES: u32 = 512 * 1024;
/// Time after which the inbox lists a waiting customer as one to look for: the event that names the
/// account often comes within two seconds.
const LOOK_AFTER_MS: u32 = 2_500;
