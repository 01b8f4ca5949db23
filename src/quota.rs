//! Quotas: periods, the ledger and its leases.
//!
//! The ledger is the account's one authority on what was used. An isolate asks it for a lease,
//! which is debited when granted, and passes requests from it without asking again; what it did not
//! spend it gives back. [`lease`] holds the messages between the two, [`holder`] what the isolate
//! does with them, [`ledger`] what the authority does, [`store`] what that needs of a database.
//! `docs/quotas.md` tells the whole.

pub mod charge;
pub mod holder;
pub mod lease;
pub mod ledger;
mod pack;
pub mod store;
mod units;

pub use charge::{Charge, Taking};
pub use holder::Holder;
pub use lease::{
    GrantOutcome, Lease, LeaseReport, LedgerReply, LedgerRequest, Merge, RefusalReason, Usage, Want,
};
pub use ledger::{Ledger, LedgerError};
pub use store::LedgerStore;
pub use units::{CreditPack, DegradedUnits, MeterUnits};
