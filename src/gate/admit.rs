//! The second stage: from a verified caller to a pass, by burst limit, record and units.

use std::borrow::Cow;
use std::rc::Rc;

use super::api_key::may_be_newer;
use super::applicant::{Admission, Admit, Applicant};
use super::case::{Case, Halt, Turn, no_room};
use super::memory::{Caller, LedgerRefusal, Snapshot};
use super::sign_in::AnonymousUsage;
use super::standing::Admitted;
use super::step::{Need, Outcome};
use crate::account::{AccountRecord, Judgement};
use crate::cause::Cause;
use crate::config::{Route, SubscriptionSource, Uncounted};
use crate::decision::{Denial, Pass};
use crate::identity::Identity;
use crate::plan::{Cost, Plan};
use crate::quota::{Charge, RefusalReason};
use crate::usage::quota_notice;

impl Turn<'_> {
    /// Begins with a caller who was just verified.
    pub(super) fn begin_admit(&mut self, route: &Route, caller: Rc<Caller>) -> Admission {
        let applicant = Applicant::new(caller);
        match burst_need(route, &applicant.caller) {
            Some(need) => Err(Halt::Need(need, Admit::Burst(applicant))),
            None => self.admit(route, applicant),
        }
    }

    /// Goes on from a place of this stage, with the outcome that it has waited for.
    pub(super) fn resume_admit(
        &mut self,
        route: &Route,
        place: Admit,
        outcome: Outcome,
    ) -> Admission {
        match place {
            Admit::Burst(applicant) => {
                self.case.check_burst(outcome.burst_answered()?, &applicant.caller)?;
                self.admit(route, applicant)
            }
            Admit::Ledger(awaited) => {
                self.ledger_answered(route, *awaited, outcome.ledger_answered()?)
            }
            Admit::Queued(applicant) => {
                outcome.waited()?;
                self.admit(route, applicant)
            }
            Admit::Outage(applicant) => {
                self.outage_read(outcome.outage_read()?);
                self.admit(route, applicant)
            }
        }
    }

    /// Admits the caller by what memory has, or asks the ledger.
    pub(super) fn admit(&mut self, route: &Route, mut applicant: Applicant) -> Admission {
        let (case, caller) = (self.case, Rc::clone(&applicant.caller));
        if let Some(denial) = case.undefined_plan(&caller, None) {
            return Err(case.deny(*denial, &caller, &caller.identity).into());
        }
        let Some(view) = self.memory.account_mut(&caller.account) else { return Err(no_room()) };
        let fresh = view.fresh(case.now).filter(|snapshot| !may_be_newer(&caller, snapshot));
        let record = fresh.as_ref().and_then(|snapshot| snapshot.record.as_deref());
        let known = match case.known_standing(route, &caller, fresh.as_ref()) {
            Some(Err(denial)) => return Err(self.deny_account(*denial, applicant, record)),
            Some(Ok(standing)) => Some(standing),
            None => None,
        };
        let plan =
            known.as_ref().and_then(|known| case.config.plan(known.identity.plan.as_deref()?));
        let costs = case.costs(route, plan);
        applicant.note_demand(|| {
            view.holder.note_demand(&costs, Some(caller.member()), case.now);
            let is_counted = !costs.is_empty();
            is_counted.then(|| AnonymousUsage::find(case, &caller)).flatten()
        });
        if let Some(standing) = known {
            if costs.is_empty() {
                return Ok(Box::new(self.pass_free(standing, &caller)));
            }
            let has_plan = || case.plan_id(&caller, record).is_some();
            if fresh.is_some() && standing.identity.plan.is_none() && !has_plan() {
                let denial = Denial::new(Cause::NoSubscription);
                return Err(self.deny_account(denial, applicant, record));
            }
            let has_to_merge = applicant.anonymous().is_some_and(|one| one.next(view).is_some());
            if !has_to_merge {
                if let Some(charge) = view.holder.take(&costs, Some(caller.member()), case.now) {
                    let pass = self.pass_charged(standing, charge, &costs, &applicant);
                    return Ok(Box::new(pass));
                }
                if let Some(refusal) = view.refusal(&costs, &caller, case.now) {
                    return Err(case.refuse(&refusal, &caller, &standing.identity).into());
                }
            }
        }
        self.ask_ledger(route, applicant, &costs)
    }

    /// Passes a request that costs nothing.
    pub(super) fn pass_free(&mut self, standing: Admitted, caller: &Caller) -> Pass {
        let view = self.memory.account(&caller.account);
        if view.is_some_and(|view| view.snapshot.is_some()) {
            self.top_up(caller);
        }
        self.look_at_provider(&standing.notices);
        standing.into_pass()
    }

    /// Passes a request whose units are taken, and fetches more off its path if they run out.
    pub(super) fn pass_charged(
        &mut self,
        standing: Admitted,
        charge: Charge,
        costs: &[Cost],
        applicant: &Applicant,
    ) -> Pass {
        let (case, caller) = (self.case, &applicant.caller);
        self.look_at_provider(&standing.notices);
        let mut pass = standing.into_pass();
        if let Some(view) = self.memory.account(&caller.account) {
            pass.quotas = view.holder.quotas(costs, Some(caller.member()), case.now);
            let anonymous = applicant.anonymous();
            pass.set_cookie = anonymous.and_then(|one| one.cookie_after_merge(case, view));
        }
        let terms = case.config.terms();
        let notices = costs.iter().zip(std::iter::repeat(&pass.quotas)).flat_map(|(cost, all)| {
            let thresholds = terms.notify_at(&cost.meter);
            all.iter()
                .filter(|quota| quota.is_about(&cost.meter))
                .filter_map(|quota| quota_notice(quota, thresholds))
        });
        let notices: Vec<_> = notices.collect();
        pass.notices.extend(notices);
        pass.charge = (!charge.is_empty()).then_some(charge);
        self.top_up(caller);
        pass
    }

    /// Denies for a cause in the account's record; `None` where nothing is known of it. Where the
    /// payment provider may be to blame, the inbox is asked first.
    pub(super) fn deny_account(
        &mut self,
        denial: Denial,
        applicant: Applicant,
        record: Option<&AccountRecord>,
    ) -> Halt<Admit> {
        let caller = &applicant.caller;
        if let Some(view) = self.memory.known_account_mut(&caller.account) {
            view.distrust(self.case.now);
        }
        if self.begin_outage_check(denial.cause) {
            return Halt::Need(Need::ReadOutage, Admit::Outage(applicant));
        }
        let identity = self.case.identity_of(caller, record);
        self.case.deny(denial, caller, &identity).into()
    }
}

impl Case<'_> {
    /// Denies a caller beyond the burst limit.
    pub(super) fn check_burst(self, is_within: bool, caller: &Caller) -> Result<(), Box<Denial>> {
        if is_within {
            return Ok(());
        }
        let mut denial = Denial::new(Cause::RateLimited);
        denial.retry_at = Some(self.now.plus_ms(BURST_RETRY_MS));
        Err(self.deny(denial, caller, &caller.identity))
    }

    /// The denial that a refusal of the ledger comes to.
    pub(super) fn refuse(
        self,
        refusal: &LedgerRefusal,
        caller: &Caller,
        identity: &Identity,
    ) -> Box<Denial> {
        let cause = match refusal.reason {
            RefusalReason::CostExceedsQuota => Cause::CostExceedsQuota,
            RefusalReason::CreditsExhausted => Cause::CreditsExhausted,
            RefusalReason::QuotaExhausted => Cause::QuotaExhausted,
        };
        let mut denial = Denial::new(cause);
        // A quota of nothing stays one: there only credits help.
        if cause != Cause::CostExceedsQuota && refusal.quota.limit > 0 {
            denial.retry_at = Some(refusal.quota.resets_at);
        }
        denial.quota = Some(refusal.quota.clone());
        denial.quotas.clone_from(&refusal.quotas);
        self.deny(denial, caller, identity)
    }

    /// The costs of the request on the meters that count: none on one that the plan doesn't limit.
    pub(super) fn costs<'r>(self, route: &'r Route, plan: Option<&Plan>) -> Cow<'r, [Cost]> {
        let Some(metering) = &route.metering else { return Cow::Borrowed(&[]) };
        let is_free_head = metering.uncounted.contains(&Uncounted::Head);
        if is_free_head && self.facts.method == "HEAD" {
            return Cow::Borrowed(&[]);
        }
        let is_limited = |cost: &&Cost| plan.is_none_or(|plan| plan.limits(&cost.meter));
        if metering.costs.iter().all(|cost| is_limited(&cost)) {
            return Cow::Borrowed(&metering.costs);
        }
        metering.costs.iter().filter(is_limited).cloned().collect()
    }

    /// The caller's standing by memory alone; `None` where the ledger has to be asked.
    fn known_standing(
        self,
        route: &Route,
        caller: &Caller,
        fresh: Option<&Snapshot>,
    ) -> Option<Result<Admitted, Box<Denial>>> {
        let by_token = self.subscription_of(caller) == SubscriptionSource::Token;
        match fresh {
            Some(snapshot) => Some(self.check_standing(route, caller, snapshot.record.as_deref())),
            None if by_token => {
                let identity = Rc::clone(&caller.identity);
                Some(self.check_entitlements(route, identity, &Judgement::default()))
            }
            None => None,
        }
    }
}

/// The need to ask a route's burst limit about a caller; `None` where the route has none.
pub(super) fn burst_need(route: &Route, caller: &Caller) -> Option<Need> {
    let binding = route.burst.clone()?;
    Some(Need::LimitBurst { binding, key: caller.account.to_string() })
}

/// The shorter of the two periods that the platform's rate limits know.
const BURST_RETRY_MS: i64 = 10_000;
