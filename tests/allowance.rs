//! The free allowance from outside: the cookie, and what replaying old ones is worth.

#![expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

#[path = "allowance/cookie.rs"]
mod cookie;
#[path = "allowance/honest.rs"]
mod honest;
#[path = "support/memory_readers.rs"]
mod memory_readers;
#[path = "allowance/objects.rs"]
mod objects;
#[path = "allowance/replay.rs"]
mod replay;
#[path = "allowance/rotation.rs"]
mod rotation;
#[path = "allowance/site.rs"]
mod site;
#[path = "allowance/views.rs"]
mod views;
