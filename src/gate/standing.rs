//! Whether a verified caller may pass, quotas aside: its plan, its entitlements, its account.

use std::rc::Rc;

use super::Gate;
use super::memory::Caller;
use crate::account::{AccountRecord, Standing, is_revoked, standing};
use crate::config::{Plan, SubscriptionSource};
use crate::decision::{Cause, Denial, Notice, Pass};
use crate::identity::{Identity, union};
use crate::time::Timestamp;

/// An account that may pass, quotas aside.
pub(super) struct Good {
    pub(super) identity: Rc<Identity>,
    pub(super) notices: Vec<Notice>,
}

impl Good {
    pub(super) fn into_pass(self) -> Pass {
        Pass { identity: Some(self.identity), notices: self.notices, ..Pass::default() }
    }
}

impl Gate {
    /// Whether the account may pass at all, quotas aside.
    pub(super) fn check_standing(
        &self,
        caller: &Caller,
        record: Option<&AccountRecord>,
        now: Timestamp,
    ) -> Result<Good, Box<Denial>> {
        if let Some(cause) = record.and_then(|record| barred(caller, record)) {
            return Err(Box::new(Denial::new(cause)));
        }
        if self.subscription_of(caller) == SubscriptionSource::Token {
            return self.check_entitlements(Rc::clone(&caller.identity), Vec::new());
        }
        let grace_days = self.plan_of(caller, record).map_or(0, |plan| plan.grace_days);
        match standing(record, grace_days, self.config.provider_outage, now) {
            Standing::Denied { cause, since } => {
                let mut denial = Denial::new(cause);
                denial.facts.since = since;
                Err(Box::new(denial))
            }
            Standing::Good { notices } => match self.undefined_plan(caller, record) {
                Some(denial) => Err(denial),
                None => self.check_entitlements(self.identity_of(caller, record), notices),
            },
        }
    }

    pub(super) fn check_entitlements(
        &self,
        identity: Rc<Identity>,
        notices: Vec<Notice>,
    ) -> Result<Good, Box<Denial>> {
        let requires = self.requires();
        let lacks = |one: &&String| !identity.entitlements.contains(one);
        if !requires.iter().any(|one| lacks(&one)) {
            return Ok(Good { identity, notices });
        }
        let is_sold = |plan: &Plan| plan.on_sale && plan.includes(requires);
        let cause = if self.config.plans.iter().any(is_sold) {
            Cause::PlanLacksEntitlement
        } else {
            Cause::NotForSale
        };
        let mut denial = Denial::new(cause);
        denial.facts.missing = requires.iter().filter(lacks).cloned().collect();
        Err(Box::new(denial))
    }

    pub(super) fn subscription_of(&self, caller: &Caller) -> SubscriptionSource {
        let issuer = self.config.issuers.get(caller.issuer);
        issuer.map(|issuer| issuer.subscription).unwrap_or_default()
    }

    /// The plan that the token names, where the token is asked for it; else that of the record.
    pub(super) fn plan_id<'a>(
        &self,
        caller: &'a Caller,
        record: Option<&'a AccountRecord>,
    ) -> Option<&'a str> {
        let counts = self.subscription_of(caller) != SubscriptionSource::Account;
        let by_token = caller.identity.plan.as_deref().filter(|_| counts);
        by_token.or_else(|| record?.plan.as_deref())
    }

    /// Denies where the plan is one that nobody defined: the operator's mistake.
    pub(super) fn undefined_plan(
        &self,
        caller: &Caller,
        record: Option<&AccountRecord>,
    ) -> Option<Box<Denial>> {
        let id = self.plan_id(caller, record)?;
        let is_undefined = !self.config.plans.is_empty() && self.config.plan(id).is_none();
        is_undefined.then(|| {
            let mut denial = Denial::new(Cause::Misconfigured);
            denial.facts.operator_detail = Some(format!("PLANS doesn't define the plan {id:?}"));
            Box::new(denial)
        })
    }

    pub(super) fn plan_of(&self, caller: &Caller, record: Option<&AccountRecord>) -> Option<&Plan> {
        self.config.plan(self.plan_id(caller, record)?)
    }

    /// Who the caller is, with what the record adds where the issuer lets it.
    pub(super) fn identity_of(
        &self,
        caller: &Caller,
        record: Option<&AccountRecord>,
    ) -> Rc<Identity> {
        let source = self.subscription_of(caller);
        if source == SubscriptionSource::Token {
            return Rc::clone(&caller.identity);
        }
        let plan = self.plan_of(caller, record);
        let of_plan = plan.map_or(&[][..], |plan| &plan.entitlements);
        let of_record = record.map_or(&[][..], |record| &record.entitlements);
        let of_token: &[String] =
            if source == SubscriptionSource::Both { &caller.claimed } else { &[] };
        Rc::new(Identity {
            plan: plan.map(|plan| plan.id.clone()),
            entitlements: union([of_plan, of_record, of_token]),
            ..(*caller.identity).clone()
        })
    }
}

/// What keeps a caller out whoever says what the account may do, and also while the ledger is down.
pub(super) fn barred(caller: &Caller, record: &AccountRecord) -> Option<Cause> {
    if is_revoked(record, caller.token_id.as_deref(), caller.issued_at) {
        return Some(Cause::CredentialRevoked);
    }
    record.suspended.then_some(Cause::AccountSuspended)
}
