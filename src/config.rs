//! The operator's configuration: bindings in, one validated [`Config`] out.
//!
//! Everything comes from bindings. A table under `[vars]` in `wrangler.toml` arrives as JSON, so
//! that routes and plans read well. Unknown fields are refused, and **every** mistake is reported
//! at once: its variable, its field, what was found, what was expected and an example. Holding a
//! [`Config`] means that it can be used; nothing downstream checks it again.

mod allowance_checks;
mod allowances;
mod assertion;
mod billing;
mod billing_checks;
mod bindings;
mod brand;
mod checks;
mod closest;
mod deadlines;
mod fields;
mod findings;
mod index;
mod issuers;
mod jurisdiction;
mod meters;
mod mistake;
mod object_checks;
mod operators;
mod origin;
mod parsed;
mod plans;
mod routes;
mod secrets;
mod shown;
mod variables;

pub use assertion::{AssertionKeyError, AssertionKeys, signing_algorithm};
pub use bindings::{Binding, Bindings};
pub use brand::Brand;
pub use closest::closest;
pub use deadlines::Deadlines;
pub use index::{IssuerIndex, RouteIndex};
pub use issuers::{Issuer, KeySource, SubscriptionSource};
pub use jurisdiction::Jurisdiction;
pub use meters::Notify;
pub use mistake::Mistake;
pub use operators::{Operator, Role};
pub use origin::OriginTarget;
pub use parsed::{Config, Fallback, Invalid, LogLevel};
pub use routes::{Anonymous, Metering, Route, Uncounted};
pub use variables::{VARIABLES, Variable, VariableKind};

use fields::{ConfigReader, Expect};

use crate::allowance::AllowanceKey;
use crate::gate_secret::{self, GateSecret};
use crate::plan::FailurePolicy;

impl Config {
    /// Reads and checks all of the configuration.
    ///
    /// # Errors
    ///
    /// [`Invalid`], with every mistake that was found and what can still be relied on.
    pub fn parse(bindings: &impl Bindings) -> Result<Self, Box<Invalid>> {
        let reader = ConfigReader::new(bindings);
        let prefix = prefix(&reader);
        let on_misconfigured = reader
            .choice("ON_MISCONFIGURED", &FailurePolicy::WORDS, "\"deny\"")
            .unwrap_or_default();
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
        let jurisdiction = jurisdiction::read(&reader);
        let log = reader.choice("LOG", &LogLevel::WORDS, "\"denials\"").unwrap_or_default();
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
            jurisdiction,
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
}

/// The default of `PREFIX`.
pub const DEFAULT_PREFIX: &str = "/_tollgate/";

fn prefix(reader: &ConfigReader) -> String {
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
