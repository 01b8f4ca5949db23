//! The configuration: what is accepted, and what is said about everything that isn't.

#![expect(clippy::unwrap_used, reason = "a test stops where a fixture is broken")]
#![expect(clippy::needless_pass_by_value, reason = "values are written where they are passed")]

#[path = "support/any_json.rs"]
mod any_json;
#[path = "support/bindings.rs"]
mod bindings;
#[path = "config/findings.rs"]
mod findings;
#[path = "config/fixture.rs"]
mod fixture;
#[path = "config/mistakes.rs"]
mod mistakes;
#[path = "config/properties.rs"]
mod properties;
#[path = "config/secrets.rs"]
mod secrets;
#[path = "config/values.rs"]
mod values;
