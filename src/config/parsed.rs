//! The configuration, once it was checked.

use super::assertion::AssertionKeys;
use super::brand::Brand;
use super::deadlines::Deadlines;
use super::issuers::Issuer;
use super::jurisdiction::Jurisdiction;
use super::meters::Notify;
use super::mistake::Mistake;
use super::operators::Operator;
use super::origin::OriginTarget;
use super::routes::Route;
use crate::account::Provider;
use crate::allowance::AllowanceKey;
use crate::billing::reference::{self, References};
use crate::billing::{Billing, Providers};
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
    /// The destination of passed requests, unless their route has another.
    pub origin: OriginTarget,
    /// The routes, first match wins; the last one matches everything.
    pub routes: Vec<Route>,
    /// The plans, in the operator's order.
    pub plans: Vec<Plan>,
    /// The meters that have settings of their own.
    pub meters: Vec<Meter>,
    /// The payment providers; the checkout of the first is offered.
    pub billing: Vec<Billing>,
    /// The receiver of announcements about reached thresholds.
    pub notify: Option<Notify>,
    /// The issuers of tokens.
    pub issuers: Vec<Issuer>,
    /// The looks and links of the pages.
    pub brand: Brand,
    /// The places where a credential may stand in a request, in order of preference.
    pub credentials: Vec<CredentialSource>,
    /// The longest time that the gate waits for others.
    pub deadlines: Deadlines,
    /// The part of the world in which Durable Objects are.
    pub jurisdiction: Jurisdiction,
    /// The decisions that are logged.
    pub log: LogLevel,
    /// The policy for requests when the gate itself fails.
    pub on_misconfigured: FailurePolicy,
    /// Whether the operator declares the payment provider down.
    pub provider_outage: bool,
    /// The operators: without any, the admin endpoints are closed.
    pub operators: Vec<Operator>,
    /// Sign assertions: the first signs, origins take all.
    pub assertion_keys: Option<AssertionKeys>,
    /// Sign references to accounts and checksums of API keys: the first signs, all verify.
    pub gate_secrets: Vec<GateSecret>,
    /// Signs the cookie of a free allowance; there where a route has one. It may have several
    /// values.
    pub allowance_key: Option<AllowanceKey>,
    /// Settings that are allowed but probably not meant.
    pub warnings: Vec<Mistake>,
}

impl Config {
    /// The provider of this name, where it is configured.
    pub fn billing(&self, provider: Provider) -> Option<&Billing> {
        self.providers().of(provider)
    }

    /// The payment providers, and the plans that they sell.
    pub fn providers(&self) -> Providers<'_> {
        Providers { all: &self.billing, plans: &self.plans }
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

    /// The plans and the ways of counting: the ledger's part.
    pub fn terms(&self) -> Terms<'_> {
        Terms {
            plans: &self.plans,
            meters: &self.meters,
            announces: self.notify.is_some(),
            provider_outage: self.provider_outage,
        }
    }
}

/// A configuration with mistakes.
#[derive(Debug)]
pub struct Invalid {
    /// Every mistake that was found.
    pub mistakes: Vec<Mistake>,
    /// The settings that hold all the same.
    pub fallback: Fallback,
}

/// The gate's settings while its configuration is invalid.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Fallback {
    /// The prefix of the gate's endpoints, the default one if that is what is wrong.
    pub prefix: String,
    /// The operator's choice for this case.
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
