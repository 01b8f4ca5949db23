//! The standing of an account, for its own caller at `usage` and for the operator.

use crate::account::{AccountRecord, Status, judge};
use crate::cause::{Cause, Notice, QuotaState};
use crate::config::Config;
use crate::decision::Denial;
use crate::plan::{Enforcement, Plan, PlanOffer, Quota, percent_used, threshold_reached};
use crate::quota::{CreditPack, Usage};
use crate::time::Timestamp;

/// The standing of an account: its plan, the use of it, and the obstacles.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AccountUsage {
    /// The plan, where one is known.
    pub plan: Option<PlanOffer>,
    /// The stage of the subscription's life, where the account's record holds one.
    pub status: Option<Status>,
    /// The notices for the caller.
    pub notices: Vec<Notice>,
    /// The reason why requests are refused at the moment, all of them or those on one meter.
    pub denial: Option<Box<Denial>>,
    /// Every quota of the plan, in the plan's order.
    pub quotas: Vec<QuotaUse>,
    /// Credits that can be used, the first to expire first.
    pub credits: Vec<CreditPack>,
    /// The page of plans on sale, for this account.
    pub plans_url: Option<String>,
}

/// A quota, and how it is shown.
#[derive(Clone, Debug, PartialEq)]
pub struct QuotaUse {
    /// The use of it.
    pub state: QuotaState,
    /// The name of its units, where the operator gave one.
    pub meter_name: Option<String>,
    /// Whether nothing more passes on its meter, credits aside.
    pub is_full: bool,
}

impl AccountUsage {
    /// The ledger's facts, in the words of the configuration.
    pub fn new(config: &Config, plan: Option<&Plan>, usage: &Usage) -> Self {
        let quotas = plan.map_or(&[][..], |plan| &plan.quotas);
        let one = |state: &QuotaState| {
            quota_of(quotas, state).map(|quota| QuotaUse::new(config, quota, state))
        };
        let quotas: Vec<_> = usage.quotas.iter().filter_map(one).collect();
        let notices = quotas.iter().filter_map(|quota| {
            quota_notice(&quota.state, config.terms().notify_at(&quota.state.name.meter))
        });
        Self {
            plan: plan.map(Plan::offer),
            notices: notices.collect(),
            quotas,
            credits: usage.credits.iter().filter(|pack| pack.left > 0).cloned().collect(),
            ..Self::default()
        }
    }

    /// Adds the standing of the subscription in the account's record. `provider_outage` is set
    /// where the payment provider is known to be down.
    pub fn judge(
        &mut self,
        config: &Config,
        plan: Option<&Plan>,
        record: Option<&AccountRecord>,
        provider_outage: bool,
        now: Timestamp,
    ) {
        let nobody = AccountRecord::default();
        let record = record.unwrap_or(&nobody);
        let judgement = judge(record, &config.plans, plan, provider_outage, now);
        let leading = judgement.leading();
        self.status = Some(leading.map(|leading| leading.status).unwrap_or_default());
        if !judgement.good.is_empty() {
            self.notices = [judgement.notices, std::mem::take(&mut self.notices)].concat();
            return;
        }
        let refused = judgement.denied.first();
        let mut denial = Denial::new(refused.map_or(Cause::NoSubscription, |one| one.cause));
        denial.facts.since = refused.and_then(|one| one.since);
        denial.facts.payment_failure = refused.and_then(|one| one.subscription.payment_failure);
        self.denial = Some(Box::new(denial));
    }

    /// Units of credits that are left.
    pub fn credits_left(&self) -> u64 {
        self.credits.iter().fold(0, |sum: u64, pack| sum.saturating_add(pack.left))
    }
}

impl QuotaUse {
    fn new(config: &Config, quota: &Quota, state: &QuotaState) -> Self {
        let beyond = state.used.saturating_sub(state.limit);
        let is_full = state.remaining() == 0
            && match (quota.enforcement, quota.overage_max) {
                (Enforcement::Hard, _) => true,
                (Enforcement::Soft, overage_max) => overage_max.is_some_and(|max| beyond >= max),
            };
        let meter = config.meters.iter().find(|meter| meter.id == quota.meter);
        Self {
            state: state.clone(),
            meter_name: meter.and_then(|meter| meter.name.clone()),
            is_full,
        }
    }
}

/// The quota whose state this is.
pub fn quota_of<'a>(quotas: &'a [Quota], state: &QuotaState) -> Option<&'a Quota> {
    quotas.iter().find(|quota| quota.name() == state.name)
}

/// The notice about a quota, if one is due; `thresholds` are in percent and rise.
pub fn quota_notice(quota: &QuotaState, thresholds: &[u8]) -> Option<Notice> {
    if quota.enforcement == Enforcement::Soft && quota.used > quota.limit {
        return Some(Notice::SoftQuotaPassed { quota: quota.name.clone() });
    }
    // Of a quota of nothing there is nothing to say: the meter is sold by credits.
    let percent = percent_used(quota.used, quota.limit)?;
    let percent = threshold_reached(thresholds, percent)?;
    Some(Notice::QuotaNearLimit { quota: quota.name.clone(), percent })
}
