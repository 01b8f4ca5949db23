//! The account: its record, and whether it is in good standing.

pub mod billed;
mod key;
mod provider;
pub mod record;
pub mod standing;
mod subscription;

pub use billed::{
    Customer, Dispute, Failure, LastReport, Payment, ProviderSubscription, add_payment,
};
pub use key::{ApiKey, KeyOwner};
pub use provider::Provider;
pub use record::AccountRecord;
pub use standing::{Judgement, Standing, is_revoked, judge, standing};
pub use subscription::{Status, Subscription};
