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
//! A module imports only from those below it (`tests/layers.rs`; `npm run modules` prints the
//! graph). From the top to the bottom:
//!
//! | module | content |
//! | --- | --- |
//! | [`edge`] | the platform: requests, Durable Objects, WebCrypto, timers |
//! | [`message`] | messages to the objects of accounts and API keys |
//! | [`admin`] | the operators' API: table of endpoints, roles, flows |
//! | [`answer`] | denial → status, headers and body; pages of usage and status |
//! | [`hosted_page`] | the way of a caller to the payment provider's portal or checkout |
//! | [`gate`] | the step machine: one request from facts to decision |
//! | [`report`] | log lines of decisions |
//! | [`usage`] | the standing of an account, for its own eyes |
//! | [`decision`] | pass, or denial |
//! | [`config`] | bindings → validated configuration, all mistakes at once |
//! | [`billing`] | payment providers, their events, and the inbox that keeps them |
//! | [`endpoint`] | the gate's own endpoints: table and router |
//! | [`allowance`] | free pages of readers without an account |
//! | [`quota`] | the ledger and its leases |
//! | [`account`] | the account's record, and whether it is in good standing |
//! | [`request`] | the facts of a request, and the readings of its path |
//! | [`token`] | signed tokens: parse, key rings, claims |
//! | [`cause`] | causes, remedies, notices and the state of quotas |
//! | [`plan`] | the things on sale: plans, quotas, periods, meters |
//! | `words` | enums with a stable word for each variant |
//! | [`identity`] | the caller's identity, and the names of accounts and objects |
//! | [`wire`] | the form of messages between isolates and objects |
//! | [`json_object`] | JSON that people write, read field by field |
//! | [`gate_secret`], [`mac`] | keys for texts that only the gate can make |
//! | [`step`] | the needs of step machines, and the rest of their processes |
//! | [`bounded_map`], `jitter`, [`store`], [`strict_json`], [`text`], [`time`] | tools |

// Lets tests beside the code use the helpers of `tests/support`.
#[cfg(test)]
extern crate self as tollgate;

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
pub mod endpoint;
pub mod gate;
pub mod gate_secret;
pub mod hosted_page;
pub mod identity;
mod jitter;
pub mod json_object;
pub mod mac;
pub mod message;
pub mod plan;
pub mod quota;
pub mod report;
pub mod request;
pub mod step;
pub mod store;
pub mod strict_json;
pub mod text;
pub mod time;
pub mod token;
pub mod usage;
pub mod wire;
mod words;
