//! Tokens against published vectors, and every way we know to bend a good one.
//!
//! `vectors/` holds the tokens of RFC 7515 appendix A and RFC 8037 appendix A.4. The keys that sign
//! here are those published with them, and one RSA key made for these tests. Signatures are made
//! and verified by `jsonwebtoken`, which shares no code with the gate.
#![expect(clippy::unwrap_used, reason = "helpers of tests stop where a fixture is broken")]

#[path = "support/any_json.rs"]
mod any_json;
#[path = "token_vectors/bench.rs"]
mod bench;
#[path = "token_vectors/claim_mutations.rs"]
mod claim_mutations;
#[path = "token_vectors/mutations.rs"]
mod mutations;
#[path = "token_vectors/points.rs"]
mod points;
#[path = "token_vectors/properties.rs"]
mod properties;
#[path = "token_vectors/published.rs"]
mod published;
