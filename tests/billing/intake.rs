//! The intake of webhooks, each answer of it, with an edge that pretends.

use serde_json::{Value, json};
use tollgate::account::Provider;
use tollgate::billing::api::StatusAndBody;
use tollgate::billing::inbox::{Incoming, Taken};
use tollgate::billing::intake::{Content, End, Need, Receipt, Refusal, Request, Step, start};
use tollgate::billing::{Billing, CallError, Fault, Providers};
use tollgate::plan::Plan;
use tollgate::request::BodyError;
use tollgate::step::Pending;

use super::fixture::{NOW, account, billing, plans};
use super::stripe;

/// The outside of the machine, with a genuine webhook of Stripe's.
struct Edge {
    providers: Vec<Billing>,
    plans: Vec<Plan>,
    content: Content,
    /// The outcomes of verifications, in their order.
    verdicts: Vec<Result<bool, String>>,
    /// What the provider answers, in this order.
    answers: Vec<Result<StatusAndBody, CallError>>,
    taken: Result<Taken, String>,
    /// The needs so far, in their order.
    needs: Vec<&'static str>,
    /// The URLs of calls.
    called: Vec<String>,
    kept: Option<Incoming>,
}

impl Edge {
    fn new() -> Self {
        let event = stripe::envelope("customer.subscription.updated", &stripe::subscription());
        Self {
            providers: vec![billing(Provider::Stripe, &["whsec_test"])],
            plans: plans(),
            content: Content { headers: vec![signed(1)], body: Ok(event.to_string()) },
            verdicts: vec![Ok(true)],
            answers: Vec::new(),
            taken: Ok(Taken::default()),
            needs: Vec::new(),
            called: Vec::new(),
            kept: None,
        }
    }

    fn with_body(body: &Value) -> Self {
        let edge = Self::new();
        Self { content: Content { body: Ok(body.to_string()), ..edge.content }, ..edge }
    }

    fn post(&mut self) -> End {
        self.run("stripe", "POST")
    }

    fn run(&mut self, word: &str, method: &str) -> End {
        let (all, plans) = (self.providers.clone(), self.plans.clone());
        let providers = Providers { all: &all, plans: &plans };
        let mut step = start(Request { word, method }, providers);
        loop {
            step = match step {
                Step::Need(need) => self.perform(need),
                Step::End(end) => return end,
            };
        }
    }

    fn perform<'a>(&mut self, need: Need<'a>) -> Step<'a> {
        match need {
            Need::Read(Pending { input, rest }) => {
                assert_eq!((input.headers, input.max_bytes), (&["stripe-signature"][..], 524_288));
                self.needs.push("read");
                rest.resume(self.content.clone(), NOW)
            }
            Need::Verify(Pending { input, rest }) => {
                assert!(input.signed.starts_with("1795333000."));
                self.needs.push("verify");
                rest.resume(self.verdicts.remove(0), NOW)
            }
            Need::CallProvider(Pending { input, rest }) => {
                assert_eq!(input.request.check_host(input.billing), Ok(()));
                self.needs.push("call");
                self.called.push(input.request.url);
                rest.resume(self.answers.remove(0), NOW)
            }
            Need::TakeIn(Pending { mut input, rest }) => {
                self.needs.push("take in");
                self.kept = input.pop();
                assert!(input.is_empty(), "one webhook is one event");
                rest.resume(self.taken.clone().map(|taken| vec![taken]), NOW)
            }
        }
    }
}

/// A signature of the right form, so many times.
fn signed(times: usize) -> (&'static str, String) {
    let signature = format!(",v1={}", "a5".repeat(32));
    ("stripe-signature", format!("t={}{}", NOW.as_seconds(), signature.repeat(times)))
}

/// An event about which the provider has to be asked for the payer of a charge.
fn dispute() -> Value {
    let dispute = json!({"id": "du_1", "object": "dispute", "charge": "ch_1", "status": "lost"});
    stripe::envelope("charge.dispute.created", &dispute)
}

#[expect(clippy::unnecessary_wraps, reason = "as an edge brings it")]
fn answer(status: u16, body: &Value) -> Result<StatusAndBody, CallError> {
    Ok((status, body.to_string()))
}

fn receipt(end: End) -> Receipt {
    match end {
        End::Received(receipt) => receipt,
        End::Refused(refusal) => panic!("refused: {refusal:?}"),
    }
}

/// Status, code, detail, header fields, and the reason in the log.
fn told(end: &End) -> (u16, &'static str, String, Vec<(&'static str, &'static str)>, String) {
    let End::Refused(refusal) = end else { panic!("received: {end:?}") };
    let fault = end.fault();
    assert!(fault.as_ref().is_none_or(|fault| fault.what == "webhook"));
    let reason = fault.map(|fault| fault.reason).unwrap_or_default();
    let detail = refusal.detail().into_owned();
    (refusal.status(), refusal.code(), detail, refusal.headers().to_vec(), reason)
}

fn refused(
    status: u16,
    code: &'static str,
    detail: &str,
    headers: &[(&'static str, &'static str)],
    reason: &str,
) -> (u16, &'static str, String, Vec<(&'static str, &'static str)>, String) {
    (status, code, detail.to_owned(), headers.to_vec(), reason.to_owned())
}

#[test]
fn a_webhook_is_received_once_the_inbox_has_it() {
    let mut edge = Edge::new();
    let receipt = receipt(edge.post());
    assert_eq!(edge.needs, ["read", "verify", "take in"]);
    let expected = Receipt {
        provider: Provider::Stripe,
        is_repeated: false,
        is_conflict: false,
        look_after_ms: None,
    };
    assert_eq!((receipt, receipt.json()), (expected, "{\"received\":true}\n"));
    assert_eq!(End::Received(receipt).fault(), None);
    let kept = edge.kept.unwrap();
    assert_eq!((kept.event.id.as_str(), kept.unreadable), ("evt_1", None));
    assert_eq!(kept.event.account, Some(account("acme/alice")));
    assert_eq!(Ok(kept.body), edge.content.body, "as it was sent");
}

#[test]
fn one_that_came_before_is_received_too() {
    let taken = Taken { is_repeated: true, ..Taken::default() };
    let receipt = receipt(Edge { taken: Ok(taken), ..Edge::new() }.post());
    assert_eq!(receipt.json(), "{\"received\":true,\"repeated\":true}\n");
}

#[test]
fn a_customer_of_several_accounts_is_logged() {
    let taken = Taken { is_conflict: true, ..Taken::default() };
    let end = Edge { taken: Ok(taken), ..Edge::new() }.post();
    let reason = "a customer of stripe is named by several accounts".to_owned();
    assert_eq!(end.fault(), Some(Fault { what: "billing-conflict", reason }));
    assert_eq!(receipt(end).json(), "{\"received\":true}\n");
}

#[test]
fn the_account_of_a_stranger_is_asked_for_where_there_is_a_key() {
    let taken = Taken { is_waiting: true, ..Taken::default() };
    let mut edge = Edge { taken: Ok(taken), ..Edge::new() };
    assert_eq!(receipt(edge.post()).look_after_ms, Some(2_500));
    edge = Edge { taken: edge.taken, ..Edge::new() };
    edge.providers[0].api_key = None;
    assert_eq!(receipt(edge.post()).look_after_ms, None);
}

#[test]
fn only_a_configured_provider_may_post() {
    for word in ["", "acme", "Stripe", "paddle", "stripe/"] {
        let mut edge = Edge::new();
        for method in ["POST", "GET"] {
            let detail = "BILLING names no provider of this name.";
            let expected = refused(404, "no-provider", detail, &[], "");
            assert_eq!(told(&edge.run(word, method)), expected, "{word}");
        }
        assert!(edge.needs.is_empty(), "nothing of it is read");
    }
    for method in ["GET", "HEAD", "PUT", "post", ""] {
        let mut edge = Edge::new();
        let (detail, allow) = ("Only POST works here.", [("Allow", "POST")]);
        let expected = refused(405, "method-not-allowed", detail, &allow, "");
        assert_eq!(told(&edge.run("stripe", method)), expected, "{method}");
        assert!(edge.needs.is_empty());
    }
}

#[test]
fn an_invalid_configuration_asks_for_it_again() {
    let detail = "The configuration is invalid; see health.";
    let expected = refused(503, "misconfigured", detail, &[("Retry-After", "10")], "");
    assert_eq!(told(&End::Refused(Refusal::Misconfigured)), expected);
}

#[test]
fn a_body_that_cannot_be_had_is_refused() {
    let mut edge = Edge::new();
    for (error, expected) in [
        (
            BodyError::TooLarge { max_bytes: 524_288 },
            refused(413, "body-too-large", "The body: more than 524288 bytes.", &[], ""),
        ),
        (
            BodyError::Unreadable("it broke off".to_owned()),
            refused(400, "body-unreadable", "The body: it broke off.", &[], ""),
        ),
    ] {
        edge.content.body = Err(error);
        assert_eq!(told(&edge.post()), expected);
    }
    assert_eq!(edge.needs, ["read", "read"]);
}

#[test]
fn what_cannot_be_genuine_is_not_verified() {
    let mut edge = Edge::new();
    edge.content.headers.clear();
    let reason = "the header field stripe-signature is missing";
    let detail = format!("This is no webhook of stripe: {reason}.");
    let expected = refused(400, "header-missing", &detail, &[], reason);
    assert_eq!(told(&edge.post()), expected);
    let old = signed(1).1.replace("1795333000", "1795332000");
    edge.content.headers = vec![("stripe-signature", old)];
    let reason = "it was signed 1000 seconds ago, expected at most 300";
    let detail = format!("This is no webhook of stripe: {reason}.");
    let expected = refused(400, "signature-too-old", &detail, &[], reason);
    assert_eq!(told(&edge.post()), expected);
    assert_eq!(edge.needs, ["read", "read"]);
}

#[test]
fn one_right_signature_of_several_is_enough() {
    let headers = vec![signed(3)];
    let content = Content { headers, ..Edge::new().content };
    let verdicts = vec![Ok(false), Ok(true)];
    let mut edge = Edge { content: content.clone(), verdicts, ..Edge::new() };
    receipt(edge.post());
    assert_eq!(edge.needs, ["read", "verify", "verify", "take in"]);

    edge = Edge { content, verdicts: vec![Ok(false); 3], ..Edge::new() };
    let reason = "its signature was not made with STRIPE_WEBHOOK_SECRET over this body";
    let detail = format!("This is no webhook of stripe: {reason}.");
    let expected = refused(400, "signature-wrong", &detail, &[], reason);
    assert_eq!(told(&edge.post()), expected);
    assert_eq!(edge.needs, ["read", "verify", "verify", "verify"]);
    assert_eq!(edge.kept, None);
}

#[test]
fn a_key_that_cannot_be_used_is_said() {
    let mut edge = Edge { verdicts: vec![Err("too short".to_owned())], ..Edge::new() };
    let detail = "This is no webhook of stripe: too short.";
    assert_eq!(told(&edge.post()), refused(400, "key-unusable", detail, &[], "too short"));
}

#[test]
fn a_webhook_that_cannot_be_read_is_kept_with_the_reason() {
    let mut edge =
        Edge::with_body(&json!({"id": "evt_9", "type": "customer.subscription.updated"}));
    assert_eq!(receipt(edge.post()).json(), "{\"received\":true}\n");
    let kept = edge.kept.unwrap();
    assert_eq!((kept.event.id.as_str(), kept.event.kind.len()), ("evt_9", 29));
    assert!(kept.unreadable.unwrap().starts_with("expected "));
    assert!(kept.event.news.is_empty());
}

#[test]
fn an_event_is_completed_by_its_provider() {
    let charge = json!({"id": "ch_1", "customer": "cus_7", "payment_intent": null});
    let answers = vec![answer(200, &charge)];
    let mut edge = Edge { answers, ..Edge::with_body(&dispute()) };
    receipt(edge.post());
    assert_eq!(edge.needs, ["read", "verify", "call", "take in"]);
    assert_eq!(edge.called, ["https://api.stripe.com/v1/charges/ch_1"]);
    let kept = edge.kept.unwrap();
    assert_eq!((kept.event.customer.as_deref(), kept.unreadable), (Some("cus_7"), None));
}

#[test]
fn where_the_provider_fails_for_now_the_webhook_has_to_come_again() {
    let busy = || answer(503, &json!({"error": {"message": "try later"}}));
    let many = || answer(429, &json!({}));
    for (answered, code, reason) in [
        (Err(CallError::NoAnswer("too late".to_owned())), "no-answer", "too late"),
        (Err(CallError::NoStatus), "no-status", "an answer without a status"),
        (busy(), "provider-refused", "the provider answered 503: try later"),
        (many(), "provider-refused", "the provider answered 429: nothing more"),
    ] {
        let mut edge = Edge { answers: vec![answered], ..Edge::with_body(&dispute()) };
        let detail = format!("The webhook could not be kept: {reason}. Send it again.");
        let expected = refused(503, code, &detail, &[("Retry-After", "10")], reason);
        assert_eq!(told(&edge.post()), expected);
        assert_eq!((edge.needs.last(), edge.kept), (Some(&"call"), None));
    }
}

#[test]
fn where_the_provider_would_fail_again_the_webhook_is_kept_unread() {
    for (status, body, reason) in [
        (404, r#"{"error":{"message":"no such charge"}}"#, "404: no such charge"),
        (403, "", "403: nothing more"),
        (200, "<html>", "no JSON"),
    ] {
        let answers = vec![Ok((status, body.to_owned()))];
        let mut edge = Edge { answers, ..Edge::with_body(&dispute()) };
        assert_eq!(receipt(edge.post()).json(), "{\"received\":true}\n");
        let kept = edge.kept.unwrap();
        let unreadable = kept.unreadable.unwrap();
        assert!(unreadable.contains(reason), "{unreadable}");
        assert_eq!(kept.event.id, "evt_1");
    }
}

#[test]
fn an_inbox_that_does_not_answer_has_it_sent_again() {
    let mut edge = Edge { taken: Err("overloaded".to_owned()), ..Edge::new() };
    let detail = "The webhook could not be kept: overloaded. Send it again.";
    let retry = [("Retry-After", "10")];
    let expected = refused(503, "inbox-unreachable", detail, &retry, "overloaded");
    assert_eq!(told(&edge.post()), expected);
}
