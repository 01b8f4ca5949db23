//! Plans: their entitlements, and the quantities that they include.

mod meter;
pub mod period;
mod quota;
mod quota_name;
mod terms;

pub use meter::{Cost, DEFAULT_NOTIFY_AT, Lost, Meter, percent_used, threshold_reached};
pub use period::{Period, Window};
pub use quota::{Enforcement, Quota};
pub use quota_name::{QuotaName, Scope};
pub use terms::Terms;

use serde::Serialize;

use crate::words::words;

/// Something that is sold.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    /// Its id in tokens and records.
    pub id: String,
    /// Its display name.
    pub name: String,
    /// Its price in words.
    pub price: Option<String>,
    /// Entitlements it includes.
    pub entitlements: Vec<String>,
    /// Its limits.
    pub quotas: Vec<Quota>,
    /// Its names at the payment provider: ids of prices, products or variants, lookup keys.
    /// The first is the one that is sold.
    pub prices: Vec<String>,
    /// The place to buy it.
    pub buy_url: Option<String>,
    /// Whether new customers can buy it.
    pub on_sale: bool,
    /// The policy for a ledger that can't be reached.
    pub on_outage: FailurePolicy,
    /// Days of access after a failed charge.
    pub grace_days: u32,
}

impl Plan {
    /// Whether one of its quotas is about this meter.
    pub fn limits(&self, meter: &str) -> bool {
        self.quotas.iter().any(|quota| quota.meter == meter)
    }

    /// As it is offered to a caller.
    pub fn offer(&self) -> PlanOffer {
        PlanOffer { id: self.id.clone(), name: self.name.clone(), price: self.price.clone() }
    }

    /// Whether it includes all of `entitlements`.
    pub fn includes(&self, entitlements: &[String]) -> bool {
        entitlements.iter().all(|one| self.entitlements.contains(one))
    }
}

/// A plan as it is offered to a caller.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct PlanOffer {
    /// The plan's id in the configuration.
    pub id: String,
    /// Its display name.
    pub name: String,
    /// Its price in words, as the operator wrote it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub price: Option<String>,
}

words! {
    /// The policy for failures of our own.
    #[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
    pub enum FailurePolicy: Serialize {
        /// Answer 503.
        #[default]
        Deny = "deny",
        /// Let it through, marked as degraded.
        Pass = "pass",
    }
}

/// The plan of this id, or with a price of this name: what a provider calls it.
pub fn plan_named<'a>(plans: &'a [Plan], name: &str) -> Option<&'a Plan> {
    let has_price = |plan: &&Plan| plan.prices.iter().any(|price| price == name);
    plans.iter().find(|plan| plan.id == name).or_else(|| plans.iter().find(has_price))
}
