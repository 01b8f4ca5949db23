//! The messages between an isolate and its account's ledger.
//!
//! Each message of an isolate, the *holder*, carries a number that rises and names every lease that
//! the holder still keeps, with running totals. So any message may be lost, sent again or overtaken
//! by another: the highest number heard is the truth, and all others are void. A lease that was
//! granted and isn't named in a later message never arrived, and goes back whole.

use crate::account::AccountRecord;
use crate::cause::QuotaState;
use crate::quota::{CreditPack, DegradedUnits};
use crate::time::Timestamp;
use crate::wire::wire;

/// A message of an isolate: wants and reports.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct LedgerRequest {
    /// The holder's name, random enough never to be met twice.
    pub holder: String,
    /// The message's number. The leases it asks for are called by it and those that follow, so the
    /// next message's number is higher by at least the number of wants.
    pub number: u64,
    /// The plan that the token names; where it names none, the account's record decides.
    pub plan: Option<String>,
    /// The units that are wanted: all of what is needed is granted, or nothing.
    pub wants: Vec<Want>,
    /// Every lease that the holder keeps; heard before the wants are looked at.
    pub leases: Vec<LeaseReport>,
    /// Units that passed without being counted while the ledger was out of reach.
    pub degraded: Vec<DegradedUnits>,
    /// The caller's use before it signed in.
    pub merge: Option<Box<Merge>>,
}

/// Units that an isolate wants to hold.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Want {
    /// The meter they are for.
    pub meter: String,
    /// The member, where the plan counts each one.
    pub member: Option<String>,
    /// Units that a request waits for; 0 where none does.
    pub needed: u64,
    /// Units that are likely to be wanted soon: as many of them are granted as are fair.
    pub ahead: u64,
}

/// The use of a lease so far. Of `spent` and `returned` the message with the highest number is
/// right; their sum never passes the lease's units.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LeaseReport {
    /// The lease.
    pub id: u64,
    /// Units that requests took and that were not given back to the lease.
    pub spent: u64,
    /// Units that the holder will not spend any more.
    pub returned: u64,
}

/// Units that were used without an account, and are counted in it once, as far as it has room.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Merge {
    /// A name for reader, allowance, period and meter. Units that come again under the same name
    /// are counted only as far as they have grown.
    pub name: String,
    /// The meter.
    pub meter: String,
    /// The member that signed in, where the plan counts each one.
    pub member: Option<String>,
    /// Number of units.
    pub units: u64,
    /// The end of their period. Soon after that the name is forgotten.
    pub ends_at: Timestamp,
}

/// The ledger's answer.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct LedgerReply {
    /// The account's record after this call; `None` where the ledger has no record of the account.
    pub account: Option<AccountRecord>,
    /// The outcome of the wants, if there were any.
    pub grant: Option<GrantOutcome>,
    /// For how much of its demand, in milliseconds, a holder should ask at a time: longer where
    /// there are many of them, so that the ledger can answer them all.
    pub horizon_ms: u32,
}

/// The outcome of the wants. The quotas are those of the plan that are about a wanted meter, in the
/// plan's order, as they stand after the call.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum GrantOutcome {
    /// The units are debited and the isolate may spend them.
    Granted {
        /// One for each want that got units. A meter that no quota is about needs none.
        leases: Vec<Lease>,
        /// The quotas of each want's meter, these units included; in the order of the wants.
        quotas: Vec<Vec<QuotaState>>,
    },
    /// Nothing is debited.
    Refused {
        /// The reason.
        reason: RefusalReason,
        /// The meter that is in the way.
        meter: String,
        /// The quota that refused; where several do, the one that takes longest to start again.
        quota: QuotaState,
        /// All quotas of the meters.
        quotas: Vec<QuotaState>,
    },
    /// The plan is not in the configuration.
    UnknownPlan,
    /// Neither the token nor the record names a plan.
    NoPlan,
    /// The message was overtaken by a later one and changes nothing.
    Void,
}

/// Units that were handed to an isolate.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Lease {
    /// Its id: the number of the message that asked for it, plus the place of the want in it.
    pub id: u64,
    /// Number of units: all that were needed and as many more as were fair.
    pub units: u64,
    /// Time for which the holder may spend them, in milliseconds from its message. A waiting
    /// request may take its own units at any time: they were spent when granted.
    pub lifetime_ms: u64,
    /// Number of credits among them, which are spent last and counted in no quota.
    pub credits: u64,
    /// Whether the holder should report its spending soon, since lost units go back (`lenient`).
    pub is_lenient: bool,
    /// Whether only the member it was asked for may spend them.
    pub is_of_member: bool,
}

/// The reason why wants were refused.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum RefusalReason {
    /// A quota has too few units left, and the account never had credits.
    QuotaExhausted,
    /// The quota has too few units left and the account's credits don't make up for it.
    CreditsExhausted,
    /// Even a fresh period, with the account's credits, could not hold it: waiting does not help.
    CostExceedsQuota,
}

/// An account's use, for the account itself.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Usage {
    /// The account's record.
    pub account: Option<AccountRecord>,
    /// Every quota of the plan, in the plan's order.
    pub quotas: Vec<QuotaState>,
    /// Credit packs that have not expired, the first to expire first. Those of which nothing is
    /// left are among them: units that isolates hold may come back.
    pub credits: Vec<CreditPack>,
}

wire!(LedgerRequest { 1: holder, 2: number, 3: plan, 4: wants, 5: leases, 6: degraded, 7: merge });
wire!(Want { 1: meter, 2: member, 3: needed, 4: ahead });
wire!(LeaseReport { 1: id, 2: spent, 3: returned });
wire!(Merge { 1: name, 2: meter, 3: member, 4: units, 5: ends_at });
wire!(LedgerReply { 1: account, 2: grant, 3: horizon_ms });
wire! {
    enum GrantOutcome {
        1: Granted { 1: leases, 2: quotas },
        2: Refused { 1: reason, 2: meter, 3: quota, 4: quotas },
        3: UnknownPlan,
        4: NoPlan,
        5: Void,
    }
}
wire!(Lease { 1: id, 2: units, 3: lifetime_ms, 4: credits, 5: is_lenient, 6: is_of_member });
wire! { enum RefusalReason { 1: QuotaExhausted, 2: CreditsExhausted, 3: CostExceedsQuota } }
wire!(Usage { 1: account, 2: quotas, 3: credits });

/// Time for which a holder may spend a lease, on its own clock from its message. Its own errand,
/// which the platform lets run for 30 s after a response, outlives it.
pub const LEASE_LIFETIME_MS: i64 = 25_000;
