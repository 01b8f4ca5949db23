//! Payment providers: their signatures, their events, and what is asked of them.

#![expect(clippy::unwrap_used, reason = "a test stops where a fixture is broken")]
#![expect(clippy::indexing_slicing, reason = "a test stops where nothing is there")]
#![expect(clippy::panic, reason = "a test fails by panicking")]

#[path = "support/any_json.rs"]
mod any_json;
#[path = "billing/api.rs"]
mod api;
#[path = "billing/authors.rs"]
mod authors;
#[path = "billing/declines.rs"]
mod declines;
#[path = "billing/fixture.rs"]
mod fixture;
#[path = "billing/hostile.rs"]
mod hostile;
#[path = "billing/intake.rs"]
mod intake;
#[path = "billing/life.rs"]
mod life;
#[path = "billing/others.rs"]
mod others;
#[path = "billing/runs.rs"]
mod runs;
#[path = "billing/runs_edge.rs"]
mod runs_edge;
#[path = "billing/runs_missed.rs"]
mod runs_missed;
#[path = "billing/signatures.rs"]
mod signatures;
#[path = "billing/stripe.rs"]
mod stripe;
