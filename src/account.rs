//! The account: its record, and whether it is in good standing.

pub mod billed;
mod key;
pub mod record;
pub mod standing;
mod subscription;
mod written;

pub use billed::{Billed, Customer, Dispute, Failure, Payment, Told, add_payment};
pub(crate) use key::hex;
pub use key::{ApiKey, KeyOwner};
pub use record::AccountRecord;
pub use standing::{Judgement, Standing, is_revoked, judge, standing};
pub use subscription::{PaymentFailure, Status, Subscription};

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
