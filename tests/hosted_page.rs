//! The way to the payment provider's portal and checkout: every link that is made, handed out again
//! or not made, with an edge in memory.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test stops where a fixture is broken")]

#[path = "support/bindings.rs"]
mod bindings;
#[path = "hosted_page/checkout.rs"]
mod checkout;
#[path = "hosted_page/edge.rs"]
mod edge;
#[path = "hosted_page/limits.rs"]
mod limits;
#[path = "hosted_page/portal.rs"]
mod portal;
