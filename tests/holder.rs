//! An isolate's handling of its leases, on a clock of the test's own and before a real ledger.

#![expect(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]
#![expect(clippy::indexing_slicing, reason = "small numbers of tests")]

#[path = "holder/asking.rs"]
mod asking;
#[path = "holder/demand.rs"]
mod demand;
#[path = "holder/members.rs"]
mod members;
#[path = "support/memory_store.rs"]
mod memory_store;
#[path = "holder/outages.rs"]
mod outages;
#[path = "holder/pair.rs"]
mod pair;
#[path = "holder/refunds.rs"]
mod refunds;
#[path = "holder/told.rs"]
mod told;
#[path = "holder/topping_up.rs"]
mod topping_up;
#[path = "holder/watching.rs"]
mod watching;
