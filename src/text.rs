//! Small encodings of text, each written once.

pub mod authority;
pub mod hex;
pub mod percent;
pub mod url;
