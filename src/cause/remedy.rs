//! Remedies: the means of a denied caller.

use serde::Serialize;

use crate::plan::PlanOffer;
use crate::words::words;

/// Something the caller can do about a denial.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Remedy {
    /// The action.
    pub action: Action,
    /// The place for it, when the operator configured one.
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

    /// The link, where it is one that may stand on a page: an absolute path, or a URL that a
    /// browser opens without running it.
    pub fn safe_href(&self) -> Option<&str> {
        let href = self.href.as_deref()?;
        let same_site =
            href.starts_with('/') && !href.starts_with("//") && !href.starts_with("/\\");
        let schemes = ["https://", "http://", "mailto:"];
        let is_known = schemes.iter().any(|scheme| href.starts_with(scheme));
        (same_site || is_known).then_some(href)
    }
}

words! {
    /// The kind of a remedy.
    #[derive(Clone, Copy, Debug, Eq, PartialEq)]
    pub enum Action: Serialize {
        /// Buy more units.
        BuyCredits = "buy-credits",
        /// Have the gate look again whether access is back, after paying.
        CheckAgain = "check-again",
        /// Subscribe, or change to another plan.
        ChoosePlan = "choose-plan",
        /// Write to the operator.
        ContactSupport = "contact-support",
        /// Finish the payment that was begun.
        FinishPayment = "finish-payment",
        /// Send a request that costs less.
        ReduceCost = "reduce-cost",
        /// Take the paused subscription up again.
        ResumeSubscription = "resume-subscription",
        /// Sign in, or send a credential.
        SignIn = "sign-in",
        /// Change the card or the payment method.
        UpdatePayment = "update-payment",
        /// Wait until `retry_at`, then try again.
        Wait = "wait",
    }
}
