//! Tollgate: a gate at the CDN edge.
//!
//! For each request the gate checks a signed entitlement token and a quota, and decides: pass to
//! the origin, or answer at the edge. When the reason is money the answer is a 402 that the caller
//! can act on.
//!
//! The crate has two halves. The **core** is plain Rust without async, clock, I/O or platform type;
//! everything that can be decided wrongly lives there. The **edge** ([`edge`]) is the only place
//! that names the Workers platform, and does what the core asks for. `docs/life-of-a-request.md`
//! follows a request through both.
//!
//! | module | what it knows |
//! | --- | --- |
//! | [`gate`] | the step machine: one request from facts to decision |
//! | [`decision`] | the vocabulary: decision, cause, remedy, notice |
//! | [`request`] | what the gate looks at in a request, and how a path is read |
//! | [`config`] | bindings → validated configuration, all mistakes at once |
//! | [`token`] | signed tokens: parse, key rings, claims |
//! | [`account`] | the account's record, and whether it is in good standing |
//! | [`billing`] | what payment providers tell, and what it means for an account |
//! | [`quota`] | periods, the ledger and its leases |
//! | [`allowance`] | what readers without an account may see for free |
//! | [`answer`] | denial → status, headers, body |
//! | [`admin`] | the operators' API: endpoint table, roles, flows |
//! | [`usage`] | how an account stands, as it is told |
//! | [`identity`] | who the origin is told the caller is |
//! | [`report`] | what is logged about a decision |
//! | [`gate_secret`], [`mac`] | keys for texts that only the gate can make |
//! | [`bounded_map`], [`strict_json`], [`time`], [`wire`] | the four tools the others share |

pub mod account;
pub mod admin;
pub mod allowance;
pub mod answer;
pub mod billing;
pub mod bounded_map;
pub mod cause;
pub mod config;
pub mod decision;
pub mod edge;
pub mod gate;
pub mod gate_secret;
pub mod identity;
mod jitter;
pub mod mac;
pub mod plan;
pub mod quota;
pub mod report;
pub mod request;
pub mod store;
pub mod strict_json;
pub mod text;
pub mod time;
pub mod token;
pub mod usage;
pub mod wire;
mod words;
