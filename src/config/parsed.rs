//! The configuration, once it was checked.

use super::assertion::AssertionKeys;
use super::brand::Brand;
use super::deadlines::Deadlines;
use super::issuers::Issuer;
use super::meters::Notify;
use super::mistake::Mistake;
use super::operators::Operator;
use super::origin::OriginTarget;
use super::routes::Route;
use crate::account::Provider;
use crate::allowance::AllowanceKey;
use crate::billing::Billing;
use crate::billing::reference::{self, References};
use crate::gate_secret::GateSecret;
use crate::identity::AccountName;
use crate::plan::{FailurePolicy, Meter, Plan, Terms, plan_named};
use crate::request::CredentialSource;
use crate::time::Timestamp;
use crate::words::words;

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
    /// The provider of this name, where it is configured.
    pub fn billing(&self, provider: Provider) -> Option<&Billing> {
        self.billing.iter().find(|billing| billing.provider == provider)
    }

    /// The plan with this id, or with a price of this name.
    pub fn plan(&self, id: &str) -> Option<&Plan> {
        plan_named(&self.plans, id)
    }

    /// A configured link with a signed reference to `account` where it asks for one.
    pub fn with_reference(
        &self,
        url: &str,
        account: Option<&AccountName>,
        now: Timestamp,
    ) -> String {
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

words! {
    /// The decisions that are logged.
    #[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
    pub enum LogLevel {
        /// Every denial, and what is wrong on the operator's side.
        #[default]
        Denials = "denials",
        /// Only what is wrong on the operator's side.
        Faults = "faults",
        /// Nothing.
        Off = "off",
    }
}
