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
