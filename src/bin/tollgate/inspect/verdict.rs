//! A gate's verdict on a token, check by check.

use std::fmt::Write as _;

use serde_json::{Value, json};
use tollgate::config::{Config, Issuer, KeySource, SubscriptionSource};
use tollgate::identity::union;
use tollgate::time::Timestamp;
use tollgate::token::{
    KeyRing, KeyRingKind, MAX_TOKEN_BYTES, TokenError, TokenIdentity, Unverified,
};

use crate::commands::{Failure, clock, crypto, http};

/// Every check, and who the token is about.
pub(super) struct Verdict {
    checks: Vec<CheckResult>,
    /// The reason to refuse it: the first check that fails.
    pub(super) refused: Option<TokenError>,
    facts: Vec<(&'static str, Value)>,
}

/// One check. `is_good` is `None` where it could not be made.
struct CheckResult {
    name: &'static str,
    is_good: Option<bool>,
    detail: String,
}

impl Verdict {
    /// The gate's verdict at `now`. Fetches keys where `online`.
    pub(super) fn of(
        token: &str,
        config: &Config,
        online: bool,
        now: Timestamp,
    ) -> Result<Self, Failure> {
        let mut verdict = Self { checks: Vec::new(), refused: None, facts: Vec::new() };
        let unverified = match Unverified::parse(token) {
            Ok(unverified) => unverified,
            Err(error) => {
                let size = format!("{} bytes, at most {MAX_TOKEN_BYTES}", token.len());
                let detail = if error == TokenError::TooLarge { &size } else { error.describe() };
                verdict.fail("form", error, detail);
                return Ok(verdict);
            }
        };
        verdict.pass("form", "well-formed");
        let iss = unverified.issuer().unwrap_or_default();
        let Some((_, issuer)) = config.issuer(iss) else {
            let known: Vec<_> =
                config.issuers.iter().map(|one| one.rules.issuer.as_str()).collect();
            let detail = format!("{iss:?} is not in ISSUERS; known: {}", known.join(", "));
            verdict.fail("issuer", TokenError::UnknownIssuer, &detail);
            return Ok(verdict);
        };
        verdict.pass("issuer", iss);
        verdict.check_rules(issuer, &unverified, now);
        verdict.check_signature(issuer, &unverified, online)?;
        verdict.check_mapping(issuer, &unverified, config);
        Ok(verdict)
    }

    fn check_rules(&mut self, issuer: &Issuer, unverified: &Unverified, now: Timestamp) {
        match issuer.rules.check(unverified, now) {
            Ok(until) => {
                let leeway_s = issuer.rules.leeway_s;
                let length = clock::length_in_words(until.seconds_from(now));
                let detail = format!(
                    "audience, type and times fit, for {length} ({leeway_s} s of leeway included)"
                );
                self.pass("rules", &detail);
            }
            Err(error) => {
                let detail = rule_broken(error, issuer, unverified);
                self.fail("rules", error, &detail);
            }
        }
    }

    fn check_signature(
        &mut self,
        issuer: &Issuer,
        unverified: &Unverified,
        online: bool,
    ) -> Result<(), Failure> {
        let fetched;
        let ring = match &issuer.keys {
            KeySource::Inline(ring) => ring,
            KeySource::Url(url) if online => {
                fetched = fetch_keys(url)?;
                &fetched
            }
            KeySource::Url(url) => {
                let detail = format!("not checked: the keys are at {url}; --online fetches them");
                self.checks.push(CheckResult { name: "signature", is_good: None, detail });
                return Ok(());
            }
        };
        let named = unverified.key_id().map_or("no kid".to_owned(), |kid| format!("kid {kid:?}"));
        let known = || {
            let kids = ring.keys().iter().filter_map(|key| key.kid.as_deref());
            let kids: Vec<_> = kids.map(|kid| format!("{kid:?}")).collect();
            if kids.is_empty() { "none has a kid".to_owned() } else { kids.join(", ") }
        };
        match ring.signature_check(unverified) {
            Err(error @ TokenError::UnknownKey) => {
                let detail = format!("{named}; the issuer's keys: {}", known());
                self.fail("signature", error, &detail);
            }
            Err(error) => {
                let detail = format!("{} (alg {})", error.describe(), unverified.algorithm_name());
                self.fail("signature", error, &detail);
            }
            Ok(check) => {
                let alg = check.algorithm.name();
                if crypto::verify(&check).map_err(Failure::usage)? {
                    self.pass("signature", &format!("verified, {alg} with {named}"));
                } else {
                    let detail = format!("it does not fit the key ({alg} with {named})");
                    self.fail("signature", TokenError::BadSignature, &detail);
                }
            }
        }
        Ok(())
    }

    /// Its subject, as the gate would read it.
    fn check_mapping(&mut self, issuer: &Issuer, unverified: &Unverified, config: &Config) {
        let TokenIdentity { identity, token_id, .. } =
            match issuer.mapping.read(unverified.claims()) {
                Ok(found) => found,
                Err(error) => return self.fail("claims", error, error.describe()),
            };
        self.pass("claims", "name an account");
        let plan = identity.plan.as_deref();
        let known = plan.and_then(|id| config.plan(id));
        let of_plan = known.map_or(&[][..], |plan| &plan.entitlements);
        let entitlements = union([&identity.entitlements, of_plan]);
        let subscription = match issuer.subscription {
            SubscriptionSource::Account => "the account's record decides",
            SubscriptionSource::Both => "token and record decide together",
            SubscriptionSource::Token => "the token alone decides",
        };
        self.facts = vec![
            ("account", identity.account_name().as_str().into()),
            ("member", identity.subject.clone().into()),
            ("plan", plan.into()),
            ("plan_name", known.map(|plan| plan.name.clone()).into()),
            ("entitlements", json!(entitlements)),
            ("token_id", token_id.into()),
            ("subscription", subscription.into()),
        ];
        if let (Some(id), None) = (plan, known) {
            let detail = format!("{id:?} is not in PLANS, so it includes nothing");
            self.checks.push(CheckResult { name: "plan", is_good: None, detail });
        }
    }

    fn pass(&mut self, name: &'static str, detail: &str) {
        self.checks.push(CheckResult { name, is_good: Some(true), detail: detail.to_owned() });
    }

    fn fail(&mut self, name: &'static str, error: TokenError, detail: &str) {
        self.refused.get_or_insert(error);
        self.checks.push(CheckResult { name, is_good: Some(false), detail: detail.to_owned() });
    }

    fn is_complete(&self) -> bool {
        self.checks.iter().all(|check| check.is_good.is_some() || check.name != "signature")
    }

    pub(super) fn text(&self) -> String {
        let mut text = "A gate with this configuration\n".to_owned();
        for CheckResult { name, is_good, detail } in &self.checks {
            let mark = match is_good {
                Some(true) => "ok",
                Some(false) => "no",
                None => "?",
            };
            let _ = writeln!(text, "  {mark:<3}{name:<10} {detail}");
        }
        for (name, value) in &self.facts {
            let value = match value {
                Value::Null => continue,
                Value::String(value) => value.clone(),
                Value::Array(items) => {
                    items.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", ")
                }
                other => other.to_string(),
            };
            let _ = writeln!(text, "     {name:<12} {value}");
        }
        let _ = match self.refused {
            Some(error) => {
                writeln!(text, "Refused: {}. {}", error.code(), error.describe())
            }
            None if self.is_complete() => writeln!(text, "Accepted."),
            None => writeln!(text, "Accepted, if the signature is right."),
        };
        text
    }

    pub(super) fn json(&self) -> Value {
        let checks: Vec<_> = self
            .checks
            .iter()
            .map(|CheckResult { name, is_good, detail }| {
                json!({ "check": name, "ok": is_good, "detail": detail })
            })
            .collect();
        let accepted = match self.refused {
            Some(_) => json!(false),
            None if self.is_complete() => json!(true),
            None => Value::Null,
        };
        let mut json = json!({
            "accepted": accepted, "refused": self.refused.map(TokenError::code), "checks": checks,
        });
        if let Value::Object(object) = &mut json {
            object
                .extend(self.facts.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
        }
        json
    }
}

/// The value that was found, and the right one.
fn rule_broken(error: TokenError, issuer: &Issuer, unverified: &Unverified) -> String {
    let rules = &issuer.rules;
    let claim =
        |name: &str| unverified.claims().get(name).map_or("nothing".into(), Value::to_string);
    match error {
        TokenError::WrongAudience => {
            format!("aud is {}; accepted: {}", claim("aud"), rules.audiences.join(", "))
        }
        TokenError::WrongType => {
            let expected = rules.typ.as_deref().unwrap_or("JWT, at+jwt or none");
            format!("typ is {}; expected {expected}", unverified.typ().unwrap_or("left out"))
        }
        TokenError::LifetimeTooLong => {
            let most = u64::from(rules.max_lifetime_s.unwrap_or_default());
            let most = clock::length_in_words(most);
            format!("from iat {} to exp {}; at most {most}", claim("iat"), claim("exp"))
        }
        _ => error.describe().to_owned(),
    }
}

/// The key set at a URL.
fn fetch_keys(url: &str) -> Result<KeyRing, Failure> {
    let body = http::get(url)?.good()?;
    KeyRing::parse(&body, KeyRingKind::Fetched)
        .map_err(|error| Failure::usage(format!("{url}: {error}")))
}
