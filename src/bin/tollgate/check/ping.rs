//! A webhook as each provider signs it, of an event that means nothing.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;
use tollgate::account::Provider;
use tollgate::billing::{PING, Scheme, Timed, events_of, spec_of};
use tollgate::time::Timestamp;

use crate::commands::Failure;
use crate::commands::crypto::random_text;
use crate::commands::http::{Request, Response};
use tollgate::text::hex;

/// Sends a `tollgate.ping` to `url`. The outer failure is ours, the inner one that of the way
/// there.
pub(super) fn send(
    provider: Provider,
    secret: &str,
    url: &str,
    now: Timestamp,
) -> Result<Result<Response, Failure>, Failure> {
    let id = format!("evt_tollgate_ping_{}", random_text(9).map_err(Failure::usage)?);
    let body = event(provider, &id, now);
    let signed = signature_fields(provider, secret, &id, now, &body);
    let mut headers: Vec<_> = signed.iter().map(|(name, value)| (*name, value.as_str())).collect();
    headers.extend([("content-type", "application/json"), ("accept", "application/json")]);
    Ok(Request { method: "POST", url, headers: &headers, body: Some(&body) }.send())
}

/// The body of the event.
fn event(provider: Provider, id: &str, now: Timestamp) -> String {
    let body = events_of(provider).ping.body.replace("$type", PING).replace("$id", id);
    body.replace("$seconds", &now.as_seconds().to_string()).replace("$time", &now.rfc3339())
}

/// The header fields that prove the sender of `body`.
fn signature_fields(
    provider: Provider,
    secret: &str,
    id: &str,
    now: Timestamp,
    body: &str,
) -> Vec<(&'static str, String)> {
    let seconds = now.as_seconds();
    let hex_of = |text: &str| hex::encode(&sign(secret.as_bytes(), text));
    match &spec_of(provider).scheme {
        Scheme::Timed(Timed { header, between, time, signature, joint, .. }) => {
            let signed = hex_of(&format!("{seconds}{joint}{body}"));
            vec![(*header, format!("{time}={seconds}{between}{signature}={signed}"))]
        }
        Scheme::Body { header } => vec![(*header, hex_of(body))],
        Scheme::Standard => {
            let signature = sign(&standard_key(secret), &format!("{id}.{seconds}.{body}"));
            vec![
                ("webhook-id", id.to_owned()),
                ("webhook-timestamp", seconds.to_string()),
                ("webhook-signature", format!("v1,{}", STANDARD.encode(signature))),
            ]
        }
    }
}

/// A key of Standard Webhooks is base64 behind `whsec_`; Polar signs with its text as it stands.
fn standard_key(secret: &str) -> Vec<u8> {
    let decoded = secret.strip_prefix("whsec_").and_then(|text| STANDARD.decode(text).ok());
    decoded.unwrap_or_else(|| secret.as_bytes().to_vec())
}

fn sign(key: &[u8], text: &str) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text.as_bytes()).as_ref().to_vec()
}

#[cfg(test)]
mod tests {
    use tollgate::billing::Billing;
    use tollgate::billing::webhook::{Webhook, checks, read};

    use super::*;
    use crate::commands::crypto::verify;

    /// The values that the providers' own libraries give for this body and these secrets.
    #[test]
    fn signatures_are_those_of_the_providers() {
        let body = r#"{"id":"evt_1","type":"customer.subscription.deleted"}"#;
        let now = Timestamp::from_seconds(1_795_333_000);
        for (provider, secret, expected) in [
            (
                Provider::Stripe,
                "whsec_test",
                "36953940c210ba5d702fcf0aca063e93fbf950389a1ff29feba4bdba15c6eb45",
            ),
            (
                Provider::Standard,
                "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3",
                "v1,3iq7pCdGtfkKEVYkmkUhx/pb8VvkYu7kZSJWZC/lXi8=",
            ),
            (
                Provider::Paddle,
                "pdl_ntfset_x",
                "7752b1aef348098ddd4256adb8780d0b4f940a1baee312862301e8104e12b964",
            ),
            (
                Provider::LemonSqueezy,
                "lssecret",
                "fe624b68dd8bff7e2cb5e8c9eb05ab681af09f722f2ece0bc6d7c29fddbaf30a",
            ),
        ] {
            let fields = signature_fields(provider, secret, "msg_1", now, body);
            let found = fields.iter().any(|(_, value)| value.ends_with(expected));
            assert!(found, "{}: {fields:?}", provider.word());
        }
    }

    /// The gate's side: its checks of a webhook, and its reading of one.
    #[test]
    fn the_gate_takes_a_ping_of_every_provider_and_of_nobody_else() {
        let now = Timestamp::from_seconds(1_795_333_000);
        for (provider, secret) in [
            (Provider::Stripe, "whsec_test"),
            (Provider::Paddle, "pdl_ntfset_x"),
            (Provider::LemonSqueezy, "lssecret"),
            (Provider::Standard, "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3"),
            (Provider::Standard, "polar_whs_secret"),
        ] {
            let body = event(provider, "evt_1", now);
            let headers = signature_fields(provider, secret, "evt_1", now, &body);
            let webhook = Webhook { headers, body: &body };
            let fits = |secret: &str| {
                let billing =
                    Billing { webhook_secrets: vec![secret.to_owned()], ..Billing::new(provider) };
                let checks = checks(&billing, &webhook, now).unwrap();
                let read = read(&billing, &[], &webhook).unwrap();
                assert_eq!((read.id.as_str(), read.kind.as_str()), ("evt_1", PING));
                checks.iter().any(|check| verify(check).unwrap())
            };
            assert!(fits(secret), "{secret}");
            assert!(!fits("whsec_ZGlmZmVyZW50LWRpZmZlcmVudC1kaWZm"), "{secret}");
        }
    }
}
