//! The operator's configuration: bindings in, one validated [`Config`] out.
//!
//! Everything comes from bindings. A table under `[vars]` in `wrangler.toml` arrives as JSON, so
//! that routes and plans read well. Unknown fields are refused, and **every** mistake is reported
//! at once: its variable, its field, what was found, what was expected and an example. Holding a
//! [`Config`] means that it can be used; nothing downstream checks it again.

mod allowances;
mod assertion;
mod billing;
mod billing_checks;
mod brand;
mod checks;
mod closest;
mod fields;
mod issuers;
mod meters;
mod mistake;
mod operators;
mod origin;
mod plans;
mod routes;
mod secrets;
mod shown;
mod variables;

pub use assertion::{AssertionKeys, signing_algorithm};
pub use brand::Brand;
pub use checks::LEDGER_BINDING;
pub use closest::closest;
pub use issuers::{Issuer, KeySource, SubscriptionSource};
pub use meters::Notify;
pub use mistake::Mistake;
pub use operators::{Operator, Role};
pub use origin::OriginTarget;
pub use routes::{Anonymous, Metering, Route, Uncounted};
pub use variables::{VARIABLES, Variable, VariableKind};

use fields::{Expect, Fields, Reader};

use crate::account::Provider;
use crate::allowance::AllowanceKey;
use crate::billing::Billing;
use crate::billing::reference::{self, References};
use crate::gate_secret::{self, GateSecret};
use crate::plan::{FailurePolicy, Meter, Plan, Terms, plan_named};
use crate::request::CredentialSource;
use crate::time::Timestamp;

/// A configuration that was checked.
#[derive(Debug)]
pub struct Config {
    /// The path under which the gate's own endpoints live; starts and ends with a slash.
    pub prefix: String,
    /// Where requests go that pass, unless their route says otherwise.
    pub origin: OriginTarget,
    /// The routes, first match wins; the last one matches everything.
    pub routes: Vec<Route>,
    /// What is sold, in the operator's order.
    pub plans: Vec<Plan>,
    /// How meters are counted, where something is said about it.
    pub meters: Vec<Meter>,
    /// Who takes the money; the first is whose checkout is offered.
    pub billing: Vec<Billing>,
    /// Where reached thresholds are announced.
    pub notify: Option<Notify>,
    /// Who signs tokens.
    pub issuers: Vec<Issuer>,
    /// What the pages look like and link to.
    pub brand: Brand,
    /// Where a credential may stand in a request, in order of preference.
    pub credentials: Vec<CredentialSource>,
    /// How long the gate waits for others.
    pub deadlines: Deadlines,
    /// Which decisions are logged.
    pub log: LogLevel,
    /// What happens to requests when the gate itself fails.
    pub on_misconfigured: FailurePolicy,
    /// The operator says that the payment provider is down.
    pub provider_outage: bool,
    /// Who may use the admin endpoints; where nobody may, they are closed.
    pub operators: Vec<Operator>,
    /// Sign assertions: the first signs, origins take all.
    pub assertion_keys: Option<AssertionKeys>,
    /// Sign references to accounts and checksums of API keys: the first signs, all verify.
    pub gate_secrets: Vec<GateSecret>,
    /// Signs the cookie of a free allowance; there where a route has one. It may have several
    /// values.
    pub allowance_key: Option<AllowanceKey>,
    /// What is allowed but probably not meant.
    pub warnings: Vec<Mistake>,
}

impl Config {
    /// Reads and checks all of the configuration.
    ///
    /// # Errors
    ///
    /// [`Invalid`], with every mistake that was found and what can still be relied on.
    pub fn parse(bindings: &impl Bindings) -> Result<Self, Box<Invalid>> {
        let reader = Reader::new(bindings);
        let prefix = prefix(&reader);
        let on_misconfigured =
            reader.choice("ON_MISCONFIGURED", POLICIES, "\"deny\"").unwrap_or_default();
        let origin = origin::read(&reader);
        let routes = routes::read(&reader);
        let plans = plans::read(&reader);
        let meters = meters::read(&reader);
        let gate_secrets = reader.secrets("GATE_SECRET", gate_secret::MIN_SECRET_BYTES);
        let gate_secrets: Vec<_> = gate_secrets.iter().map(|one| GateSecret::new(one)).collect();
        let billing = billing::read(&reader, &gate_secrets);
        let notify = meters::read_notify(&reader);
        let issuers = issuers::read(&reader);
        let brand = brand::read(&reader);
        let credentials = routes::read_credentials(&reader);
        let deadlines = Deadlines::read(&reader);
        let log = reader.choice("LOG", LOG_LEVELS, "\"denials\"").unwrap_or_default();
        let provider_outage = reader.flag("PROVIDER_OUTAGE").unwrap_or(false);
        let operators = operators::read(&reader);
        let assertion_keys = assertion::read(&reader);
        let allowance_keys = reader.secrets("ALLOWANCE_KEY", allowances::MIN_KEY_BYTES);
        let fallback =
            Fallback { prefix: prefix.clone(), on_misconfigured, origin: origin.clone() };

        let mut mistakes = reader.into_mistakes();
        let has_origin = origin.is_some();
        let mut config = Self {
            prefix,
            // Only looked at when there are no mistakes, and a missing origin is one.
            origin: origin.unwrap_or_else(|| OriginTarget::Url(String::new())),
            routes,
            plans,
            meters,
            billing,
            notify,
            issuers,
            brand,
            credentials,
            deadlines,
            log,
            on_misconfigured,
            provider_outage,
            operators,
            assertion_keys,
            gate_secrets,
            allowance_key: AllowanceKey::of_values(&allowance_keys),
            warnings: Vec::new(),
        };
        let findings = checks::check(&config, bindings, &mistakes);
        mistakes.extend(findings.mistakes);
        config.warnings = findings.warnings;
        if mistakes.is_empty() && has_origin {
            return Ok(config);
        }
        Err(Box::new(Invalid { mistakes, fallback }))
    }

    /// The provider of this name, where it is configured.
    pub fn billing(&self, provider: Provider) -> Option<&Billing> {
        self.billing.iter().find(|billing| billing.provider == provider)
    }

    /// The plan with this id, or with a price of this name.
    pub fn plan(&self, id: &str) -> Option<&Plan> {
        plan_named(&self.plans, id)
    }

    /// A configured link with a signed reference to `account` where it asks for one.
    pub fn with_reference(&self, url: &str, account: Option<&str>, now: Timestamp) -> String {
        reference::filled_in(url, || {
            References::new(&self.gate_secrets)
                .sign(account?, now.plus_seconds(reference::LIFETIME_S))
        })
    }

    /// What is sold and how it is counted: what the ledger goes by.
    pub fn terms(&self) -> Terms<'_> {
        Terms {
            plans: &self.plans,
            meters: &self.meters,
            announces: self.notify.is_some(),
            provider_outage: self.provider_outage,
        }
    }

    /// The issuer whose `iss` this is.
    pub fn issuer(&self, iss: &str) -> Option<(usize, &Issuer)> {
        self.issuers.iter().enumerate().find(|(_, issuer)| issuer.rules.issuer == iss)
    }
}

/// Where configuration comes from: the Worker's environment, or a map in tests.
pub trait Bindings {
    /// The variable or secret of this name.
    fn value(&self, name: &str) -> Option<Binding>;

    /// Whether there is a binding of this name that is not a value: a service or an object class.
    fn has_resource(&self, name: &str) -> bool;
}

/// What a variable may hold.
#[derive(Clone, Debug, PartialEq)]
pub enum Binding {
    /// A table, an array, a number or a boolean of `wrangler.toml`.
    Json(serde_json::Value),
    /// A string. Where a table is expected, it is read as JSON.
    Text(String),
}

/// A configuration with mistakes.
#[derive(Debug)]
pub struct Invalid {
    /// Every mistake that was found.
    pub mistakes: Vec<Mistake>,
    /// What is known all the same.
    pub fallback: Fallback,
}

/// What the gate goes by while its configuration is invalid.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Fallback {
    /// The prefix of the gate's endpoints, the default one if that is what is wrong.
    pub prefix: String,
    /// What the operator chose for this case.
    pub on_misconfigured: FailurePolicy,
    /// The origin, if at least that is right.
    pub origin: Option<OriginTarget>,
}

/// How long the gate waits for others, in milliseconds.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Deadlines {
    /// For the ledger's reply.
    pub ledger_ms: u32,
    /// For an issuer's key set.
    pub jwks_ms: u32,
    /// For the origin's response headers; bodies may take as long as they like.
    pub origin_ms: u32,
    /// For a payment provider's answer.
    pub billing_ms: u32,
}

/// Which decisions are logged.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum LogLevel {
    /// Every denial, and what is wrong on the operator's side.
    #[default]
    Denials,
    /// Only what is wrong on the operator's side.
    Faults,
    /// Nothing.
    Off,
}

/// The default of `PREFIX`.
pub const DEFAULT_PREFIX: &str = "/_tollgate/";

const POLICIES: &[(&str, FailurePolicy)] =
    &[("deny", FailurePolicy::Deny), ("pass", FailurePolicy::Pass)];

const LOG_LEVELS: &[(&str, LogLevel)] =
    &[("denials", LogLevel::Denials), ("faults", LogLevel::Faults), ("off", LogLevel::Off)];

impl Deadlines {
    fn read(reader: &Reader) -> Self {
        let mut deadlines =
            Self { ledger_ms: 1_000, jwks_ms: 3_000, origin_ms: 30_000, billing_ms: 10_000 };
        if let Some(mut fields) = reader.table("DEADLINES", "{ ledger_ms = 1000 }") {
            let fallback = deadlines;
            let mut one = |name, default| deadline(&mut fields, name).unwrap_or(default);
            deadlines.ledger_ms = one("ledger_ms", fallback.ledger_ms);
            deadlines.jwks_ms = one("jwks_ms", fallback.jwks_ms);
            deadlines.origin_ms = one("origin_ms", fallback.origin_ms);
            deadlines.billing_ms = one("billing_ms", fallback.billing_ms);
            fields.finish();
        }
        deadlines
    }
}

fn deadline(fields: &mut Fields<'_>, name: &'static str) -> Option<u32> {
    let found = fields.whole(name, 1..=120_000, "1000")?;
    u32::try_from(found).ok()
}

fn prefix(reader: &Reader) -> String {
    let Some(found) = reader.text("PREFIX", "\"/_tollgate\"") else {
        return DEFAULT_PREFIX.to_owned();
    };
    let inner = found.trim_matches('/');
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte);
    let is_resolved = inner.split('/').all(|part| !matches!(part, "" | "." | ".."));
    if found.starts_with('/') && is_resolved && inner.bytes().all(plain) {
        return format!("/{inner}/");
    }
    reader.mistake(
        "PREFIX",
        "",
        &format!("{found:?}"),
        Expect::new(
            "a path that starts with a slash, of letters, digits and -._~",
            "\"/_tollgate\"",
        ),
    );
    DEFAULT_PREFIX.to_owned()
}
