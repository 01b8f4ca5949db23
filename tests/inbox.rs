//! The inbox: events of payment providers, kept until their accounts have them.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]
#![expect(clippy::arithmetic_side_effects, reason = "small numbers of tests")]
#![expect(clippy::indexing_slicing, reason = "a test stops where something is missing")]

#[path = "inbox/days.rs"]
mod days;
#[path = "inbox/delivery.rs"]
mod delivery;
#[path = "inbox/listing.rs"]
mod listing;
#[path = "inbox/looking.rs"]
mod looking;
#[path = "support/memory_inbox.rs"]
mod memory_inbox;
#[path = "support/memory_store.rs"]
mod memory_store;
#[path = "inbox/outage.rs"]
mod outage;
#[path = "inbox/ownership.rs"]
mod ownership;
#[path = "inbox/retention.rs"]
mod retention;
#[path = "inbox/simulation.rs"]
mod simulation;
#[path = "inbox/taking_in.rs"]
mod taking_in;
#[path = "inbox/world.rs"]
mod world;
