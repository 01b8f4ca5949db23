//! The desk: events of payment providers, kept until their accounts have them.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]
#![expect(clippy::arithmetic_side_effects, reason = "small numbers of tests")]
#![expect(clippy::indexing_slicing, reason = "a test stops where something is missing")]

#[path = "desk/days.rs"]
mod days;
#[path = "desk/delivery.rs"]
mod delivery;
#[path = "desk/listing.rs"]
mod listing;
#[path = "desk/looking.rs"]
mod looking;
#[path = "support/memory_desk.rs"]
mod memory_desk;
#[path = "support/memory_store.rs"]
mod memory_store;
#[path = "desk/outage.rs"]
mod outage;
#[path = "desk/retention.rs"]
mod retention;
#[path = "desk/simulation.rs"]
mod simulation;
#[path = "desk/taking_in.rs"]
mod taking_in;
#[path = "desk/whose.rs"]
mod whose;
#[path = "desk/world.rs"]
mod world;
