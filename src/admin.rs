//! The operators' API over HTTP: every decision of it. The edge performs what [`flow`] needs.
//!
//! | file | subject |
//! | --- | --- |
//! | [`operation`] | the table of endpoints: method, path, role, query, input, output |
//! | [`flow`] | one request, from its facts to its answer, as a machine of needs and an end |
//! | [`query`], [`body`], [`record`] | the input of an operation |
//! | [`view`] | the JSON that operators read |
//! | [`invalid`] | mistakes in a request |
//! | [`refusal`] | every error of these endpoints |
//! | [`change`], [`idempotency`] | a write inside the transaction of its ledger, done once |
//! | [`store`], [`reply`] | the rows and replies of the ledger that only operators need |
//!
//! `docs/admin.md` describes the API for its users.

pub mod body;
pub mod change;
pub mod flow;
pub mod idempotency;
pub mod invalid;
pub mod operation;
pub mod query;
pub mod record;
pub mod refusal;
pub mod reply;
pub mod store;
pub mod view;

pub use change::{Change, Command};
pub use flow::{AccountRequest, End, Need, ObjectRequest, Request, Step, start};
pub use idempotency::IdempotencyKey;
pub use invalid::InvalidRequest;
pub use operation::{Endpoint, OPERATIONS, Operation, OperationId, find};
pub use query::{PageRequest, Query};
pub use refusal::Refusal;
pub use reply::{Reply, StoredReply};
pub use store::OperatorStore;
