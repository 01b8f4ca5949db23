//! What a denied caller can do about it.

use serde::Serialize;

use crate::plan::PlanOffer;

/// Something the caller can do about a denial.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Remedy {
    /// What to do.
    pub action: Action,
    /// Where to do it, when the operator configured a place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub href: Option<String>,
    /// The plan that opens the door, where the action is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plan: Option<PlanOffer>,
}

impl Remedy {
    /// A remedy with a link, if there is one.
    pub fn new(action: Action, href: Option<&str>) -> Self {
        Self { action, href: href.map(str::to_owned), plan: None }
    }
}

/// What kind of thing a remedy is.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// Buy more units.
    BuyCredits,
    /// Have the gate look again whether access is back, after paying.
    CheckAgain,
    /// Subscribe, or change to another plan.
    ChoosePlan,
    /// Write to the operator.
    ContactSupport,
    /// Finish the payment that was begun.
    FinishPayment,
    /// Send a request that costs less.
    ReduceCost,
    /// Take the paused subscription up again.
    ResumeSubscription,
    /// Sign in, or send a credential.
    SignIn,
    /// Change the card or the payment method.
    UpdatePayment,
    /// Wait until `retry_at`, then try again.
    Wait,
}

impl Action {
    /// The stable word, the same as in JSON.
    pub const fn word(self) -> &'static str {
        match self {
            Self::BuyCredits => "buy-credits",
            Self::CheckAgain => "check-again",
            Self::ChoosePlan => "choose-plan",
            Self::ContactSupport => "contact-support",
            Self::FinishPayment => "finish-payment",
            Self::ReduceCost => "reduce-cost",
            Self::ResumeSubscription => "resume-subscription",
            Self::SignIn => "sign-in",
            Self::UpdatePayment => "update-payment",
            Self::Wait => "wait",
        }
    }
}
