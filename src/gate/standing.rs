//! The standing of a verified caller, quotas aside: its plan, its entitlements, its account.

use std::rc::Rc;

use super::api_key::{self, key_of, out_of_scope};
use super::case::Case;
use super::memory::{Caller, Credential};
use crate::account::standing::DeniedSubscription;
use crate::account::{AccountRecord, Dispute, Judgement, is_revoked, judge};
use crate::cause::{Cause, Notice};
use crate::config::{Route, SubscriptionSource};
use crate::decision::{Denial, Pass};
use crate::identity::{Identity, union};
use crate::plan::Plan;

/// An account that may pass, quotas aside.
pub(super) struct Admitted {
    pub(super) identity: Rc<Identity>,
    pub(super) notices: Vec<Notice>,
}

impl Admitted {
    pub(super) fn into_pass(self) -> Pass {
        Pass { identity: Some(self.identity), notices: self.notices, ..Pass::default() }
    }
}

impl<'c> Case<'c> {
    /// Whether the account may pass at all, quotas aside.
    pub(super) fn check_standing(
        self,
        route: &Route,
        caller: &Caller,
        record: Option<&AccountRecord>,
    ) -> Result<Admitted, Box<Denial>> {
        if let Some(cause) = self.barred(caller, record) {
            return Err(Box::new(Denial::new(cause)));
        }
        if self.subscription_of(caller) == SubscriptionSource::Token {
            return self.check_entitlements(
                route,
                Rc::clone(&caller.identity),
                &Judgement::default(),
            );
        }
        let judgement = self.judge(caller, record);
        if judgement.good.is_empty() {
            let refused = judgement.denied.first();
            return Err(Box::new(refused.map_or_else(no_subscription, denial_of)));
        }
        let undefined = self.undefined(self.plan_judged(caller, &judgement));
        if let Some(denial) = undefined.or_else(|| out_of_scope(route, caller, record)) {
            return Err(denial);
        }
        let identity = self.identity_judged(caller, record, &judgement);
        self.check_entitlements(route, identity, &judgement)
    }

    pub(super) fn check_entitlements(
        self,
        route: &Route,
        identity: Rc<Identity>,
        judgement: &Judgement<'_>,
    ) -> Result<Admitted, Box<Denial>> {
        let requires = &route.requires;
        let missing: Vec<String> =
            requires.iter().filter(|one| !identity.entitlements.contains(one)).cloned().collect();
        if missing.is_empty() {
            return Ok(Admitted { identity, notices: judgement.notices.clone() });
        }
        let mut denial = self.lacking(route, &missing, judgement);
        denial.facts.missing = missing;
        Err(Box::new(denial))
    }

    /// The reason why entitlements are missing: a subscription that has them opens nothing at the
    /// moment, the operator's plans don't know a subscription, or none with them was ever bought.
    fn lacking(self, route: &Route, missing: &[String], judgement: &Judgement<'_>) -> Denial {
        let plans = &self.config.plans;
        let opens = |refused: &&DeniedSubscription<'_>| {
            let mut bought = refused.subscription.plan_ids().filter_map(|id| self.config.plan(id));
            bought.any(|plan| plan.includes(missing))
        };
        if let Some(refused) = judgement.denied.iter().find(opens) {
            return denial_of(refused);
        }
        let is_unknown = |id: &&str| !plans.is_empty() && self.config.plan(id).is_none();
        let mut paid = judgement.good.iter().flat_map(|subscription| subscription.plan_ids());
        if let Some(id) = paid.find(is_unknown) {
            return unknown_plan(id);
        }
        let is_sold = |plan: &Plan| plan.on_sale && plan.includes(&route.requires);
        Denial::new(if plans.iter().any(is_sold) {
            Cause::PlanLacksEntitlement
        } else {
            Cause::NotForSale
        })
    }

    /// Every subscription of the record, judged for itself.
    pub(super) fn judge<'a>(
        self,
        caller: &Caller,
        record: Option<&'a AccountRecord>,
    ) -> Judgement<'a> {
        let Some(record) = record else { return Judgement::default() };
        let named = self.plan_by_token(caller).and_then(|id| self.config.plan(id));
        judge(record, &self.config.plans, named, self.provider_outage, self.now)
    }

    pub(super) fn subscription_of(self, caller: &Caller) -> SubscriptionSource {
        match caller.credential {
            Credential::Key { .. } => SubscriptionSource::Account,
            Credential::Token { issuer, .. } => {
                let issuer = self.config.issuer_at(issuer);
                issuer.map(|issuer| issuer.subscription).unwrap_or_default()
            }
        }
    }

    /// The plan that the token names, where the token is asked for it; else that of the record's
    /// leading subscription.
    pub(super) fn plan_id<'a>(
        self,
        caller: &'a Caller,
        record: Option<&'a AccountRecord>,
    ) -> Option<&'a str> {
        let of_record = || self.judge(caller, record).leading()?.plan.as_deref();
        self.plan_by_token(caller).or_else(of_record)
    }

    fn plan_judged<'a>(self, caller: &'a Caller, judgement: &Judgement<'a>) -> Option<&'a str> {
        let of_record = || judgement.leading()?.plan.as_deref();
        self.plan_by_token(caller).or_else(of_record)
    }

    fn plan_by_token(self, caller: &Caller) -> Option<&str> {
        let counts = self.subscription_of(caller) != SubscriptionSource::Account;
        caller.identity.plan.as_deref().filter(|_| counts)
    }

    /// Denies where the plan is one that nobody defined: the operator's mistake.
    pub(super) fn undefined_plan(
        self,
        caller: &Caller,
        record: Option<&AccountRecord>,
    ) -> Option<Box<Denial>> {
        self.undefined(self.plan_id(caller, record))
    }

    fn undefined(self, plan: Option<&str>) -> Option<Box<Denial>> {
        let id = plan?;
        let is_undefined = !self.config.plans.is_empty() && self.config.plan(id).is_none();
        is_undefined.then(|| Box::new(unknown_plan(id)))
    }

    pub(super) fn plan_of(
        self,
        caller: &Caller,
        record: Option<&AccountRecord>,
    ) -> Option<&'c Plan> {
        self.config.plan(self.plan_id(caller, record)?)
    }

    /// The caller's identity, with the additions of the record where the issuer lets it add any.
    pub(super) fn identity_of(
        self,
        caller: &Caller,
        record: Option<&AccountRecord>,
    ) -> Rc<Identity> {
        if self.subscription_of(caller) == SubscriptionSource::Token {
            return Rc::clone(&caller.identity);
        }
        self.identity_judged(caller, record, &self.judge(caller, record))
    }

    fn identity_judged(
        self,
        caller: &Caller,
        record: Option<&AccountRecord>,
        judgement: &Judgement<'_>,
    ) -> Rc<Identity> {
        let source = self.subscription_of(caller);
        let leading = judgement.leading();
        let subscriptions =
            if judgement.good.is_empty() { leading.as_slice() } else { &judgement.good };
        let bought = subscriptions.iter().flat_map(|subscription| subscription.plan_ids());
        let named = self.plan_by_token(caller);
        let of_plans = bought
            .chain(named)
            .filter_map(|id| self.config.plan(id))
            .map(|plan| plan.entitlements.as_slice());
        let of_record = record.into_iter().flat_map(AccountRecord::extra_entitlements);
        let of_token =
            Some(caller.claimed.as_slice()).filter(|_| source == SubscriptionSource::Both);
        let mut entitlements = union(of_plans.chain(of_record).chain(of_token));
        if let Some(key) = key_of(caller, record).filter(|key| !key.scopes.is_empty()) {
            entitlements.retain(|one| key.scopes.contains(one));
        }
        let plan = self.plan_judged(caller, judgement).and_then(|id| self.config.plan(id));
        Rc::new(Identity {
            plan: plan.map(|plan| plan.id.clone()),
            entitlements,
            ..(*caller.identity).clone()
        })
    }

    /// The cause that keeps a caller out wherever its subscription is kept, and also while the
    /// ledger is down.
    pub(super) fn barred(self, caller: &Caller, record: Option<&AccountRecord>) -> Option<Cause> {
        if let Some(cause) = api_key::barred(caller, record, self.now) {
            return Some(cause);
        }
        let record = record?;
        if let Credential::Token { id, issued_at, .. } = &caller.credential
            && is_revoked(record, id.as_deref(), *issued_at)
        {
            return Some(Cause::CredentialRevoked);
        }
        let suspends = |dispute: &Dispute| {
            let billing = self.config.billing(dispute.provider);
            dispute.is_open
                && billing.is_some_and(|billing| billing.suspends_on_dispute)
                && record.has_got(dispute)
        };
        let is_suspended = record.suspended || record.disputes.iter().any(suspends);
        is_suspended.then_some(Cause::AccountSuspended)
    }
}

fn denial_of(refused: &DeniedSubscription<'_>) -> Denial {
    let mut denial = Denial::new(refused.cause);
    denial.facts.since = refused.since;
    denial.facts.payment_failure = refused.subscription.payment_failure;
    denial
}

fn no_subscription() -> Denial {
    Denial::new(Cause::NoSubscription)
}

fn unknown_plan(id: &str) -> Denial {
    let mut denial = Denial::new(Cause::Misconfigured);
    denial.facts.operator_detail =
        Some(format!("PLANS has no plan {id:?}, nor a price of that name"));
    denial
}
