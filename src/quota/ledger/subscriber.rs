//! The account, as far as its quotas depend on it.

use std::collections::BTreeMap;

use crate::account::{AccountRecord, Status, Subscription, judge};
use crate::plan::Terms;
use crate::time::Timestamp;

/// The account whose units are counted.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Subscriber<'a> {
    /// Id of the plan that its units are counted by, where the record names one.
    pub(super) plan: Option<&'a str>,
    /// Limits of its own, by the quota's name.
    pub(super) limits: Option<&'a BTreeMap<String, u64>>,
    /// The start of its billing cycle.
    pub(super) cycle_anchor: Option<Timestamp>,
    /// Whether it is on trial.
    pub(super) is_trial: bool,
}

impl<'a> Subscriber<'a> {
    /// The account with this record. Of several subscriptions, the leading one counts.
    pub(super) fn of(record: Option<&'a AccountRecord>, terms: Terms<'_>, now: Timestamp) -> Self {
        let Some(record) = record else { return Self::default() };
        let judgement = judge(record, terms.plans, None, terms.provider_outage, now);
        let leading: &Subscription = judgement.leading().unwrap_or(&record.own);
        Self {
            plan: leading.plan.as_deref(),
            limits: Some(&record.limits),
            cycle_anchor: leading.cycle_anchor,
            is_trial: leading.status == Status::Trialing,
        }
    }
}
