//! The holder's side of a lease: what one isolate holds of one account's units.
//!
//! Requests are passed from what is held; the ledger is asked off their path, before the last unit
//! is spent. Only one message is under way at a time. Its number voids all earlier ones, at the
//! ledger and here: an answer that comes too late is not looked at, and the ledger takes back what
//! it granted once it hears the next message (see [`crate::quota::lease`]).

mod demand;
mod held;
mod message;
mod pocket;
mod pockets;
mod spend;
mod state;
mod under_way;
mod watch;

pub use message::{Answered, Ask, RETRY_MS};
pub use state::Holder;
pub use watch::{QUIET_MS, WatchAction};
