//! The ledger's grants, refusals and returns, case by case.

#![expect(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]
#![expect(clippy::arithmetic_side_effects, reason = "small numbers of tests")]

#[path = "ledger/announcements.rs"]
mod announcements;
#[path = "ledger/bench.rs"]
mod bench;
#[path = "ledger/credits.rs"]
mod credits;
#[path = "ledger/forgetting.rs"]
mod forgetting;
#[path = "ledger/grants.rs"]
mod grants;
#[path = "ledger/limits.rs"]
mod limits;
#[path = "support/memory_store.rs"]
mod memory_store;
#[path = "ledger/messages.rs"]
mod messages;
#[path = "ledger/rollover.rs"]
mod rollover;
#[path = "ledger/sizes.rs"]
mod sizes;
#[path = "ledger/store.rs"]
mod store;
#[path = "ledger/uncounted.rs"]
mod uncounted;
#[path = "ledger/wants.rs"]
mod wants;
