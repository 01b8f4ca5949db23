//! The messages between an isolate and its account's ledger.
//!
//! An isolate names each lease it asks for, and reports running totals. So any message may be lost,
//! sent again or overtaken by another: the ledger ends in the same state.

use serde::{Deserialize, Serialize};

use crate::account::AccountRecord;
use crate::decision::QuotaState;

/// What an isolate asks of the ledger, and what it has to tell.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct LedgerRequest {
    /// The plan that the token names; where it names none, the account's record decides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<String>,
    /// The units that are wanted. Without it only the account is asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub want: Option<Want>,
    /// News of earlier leases; heard before the want is looked at.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reports: Vec<LeaseReport>,
}

/// Units that an isolate wants to hold.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Want {
    /// The isolate's name for the lease, `<holder>:<sequence>`. Holders must be random enough never
    /// to meet. Asking again with the same name, within the lifetime, is the same want.
    pub lease: String,
    /// The meter they are for.
    pub meter: String,
    /// How many; all of them are granted or none.
    pub units: u64,
}

/// What became of a lease so far. Both numbers are totals since it was granted, and never fall.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct LeaseReport {
    /// The lease's name.
    pub lease: String,
    /// Units spent on requests. A unit that is not returned stays charged whether it was spent or
    /// not, so the ledger only takes note of `returned`.
    pub spent: u64,
    /// Units given back: the holder will not spend them any more. Beyond what was granted, ignored.
    pub returned: u64,
}

/// What the ledger answers.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct LedgerReply {
    /// The account's record after this call; `None` where the ledger has never heard of the
    /// account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<AccountRecord>,
    /// What became of the want, if there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grant: Option<GrantOutcome>,
}

/// What became of a want. The quotas are those of the plan that are about the wanted meter, in the
/// plan's order, as they stand after the call.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum GrantOutcome {
    /// The units are debited and the isolate may spend them.
    Granted {
        /// The lease's name.
        lease: String,
        /// How many units it holds.
        units: u64,
        /// For how long the holder may spend them, in milliseconds from when it asked.
        lifetime_ms: u64,
        /// How many of the units were taken from the account's credits.
        credits_spent: u64,
        /// The quotas, these units included.
        quotas: Vec<QuotaState>,
    },
    /// Nothing is debited.
    Refused {
        /// Why.
        reason: RefusalReason,
        /// The quota that refused; where several do, the one that takes longest to start again.
        quota: QuotaState,
        /// All quotas of the meter.
        quotas: Vec<QuotaState>,
    },
    /// No quota of the plan is about that meter: nothing to count.
    Unlimited,
    /// The plan is not in the configuration.
    UnknownPlan,
    /// Neither the token nor the record names a plan.
    NoPlan,
    /// The lease's name already stands for units of another meter: two holders share a name.
    LeaseTaken,
}

/// Why a want was refused.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum RefusalReason {
    /// A hard quota has too few units left, and the account never had credits.
    QuotaExhausted,
    /// The quota has too few units left and the account's credits don't make up for it.
    CreditsExhausted,
    /// Even a fresh period, with the account's credits, could not hold it: waiting does not help.
    CostExceedsQuota,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_compact() {
        let request = LedgerRequest {
            plan: None,
            want: Some(Want { lease: "h:1".into(), meter: "api".into(), units: 1 }),
            reports: Vec::new(),
        };
        let json = r#"{"want":{"lease":"h:1","meter":"api","units":1}}"#;
        assert_eq!(serde_json::to_string(&request).unwrap(), json);
        assert_eq!(serde_json::from_str::<LedgerRequest>(json).unwrap(), request);
        let reply = LedgerReply { account: None, grant: Some(GrantOutcome::UnknownPlan) };
        assert_eq!(serde_json::to_string(&reply).unwrap(), r#"{"grant":"unknown-plan"}"#);
        assert_eq!(serde_json::from_str::<LedgerReply>("{}").unwrap(), LedgerReply::default());
    }
}
