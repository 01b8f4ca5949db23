//! What operators can do, over HTTP: the part that needs no platform.
//!
//! [`operation`] lists every operation, where it is and who may do it; [`query`] and [`body`] read
//! what was asked; [`change`] is what a write does to an account, inside the transaction of its
//! ledger, and [`once`] sees to it that it is done once. `docs/admin.md` tells the whole.

pub mod body;
pub mod change;
pub mod once;
pub mod operation;
pub mod query;
pub mod shown;
pub mod store;

pub use change::{Change, Order, Reply};
pub use once::Once;
pub use operation::{Found, OPERATIONS, Operation, What, find};
pub use query::{Page, Query};
pub use store::{Answered, OperatorStore};
