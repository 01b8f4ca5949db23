//! Quotas: periods, the ledger and its leases.
//!
//! The ledger is the account's one authority on what was used. An isolate asks it for a lease,
//! which is debited when granted, and passes requests from it without asking again; it gives the
//! unspent rest back. [`lease`] holds the messages between the two, [`holder`] the isolate's side,
//! [`ledger`] the authority's side, [`store`] its needs of a database, [`live`] how its rows are
//! packed. `docs/quotas.md` has the whole.

pub mod charge;
pub mod holder;
pub mod lease;
pub mod ledger;
pub mod live;
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
