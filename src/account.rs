//! The account: its record, and whether it is in good standing.

pub mod record;
pub mod standing;
mod written;

pub use record::{AccountRecord, PaymentFailure, Status};
pub use standing::{Standing, is_revoked, standing};

use serde::Serialize;

/// What to do when something of ours is broken.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FailurePolicy {
    /// Answer 503.
    #[default]
    Deny,
    /// Let it through, marked as degraded.
    Pass,
}
