//! A response as it is handed to the platform.

use std::borrow::Cow;

/// A whole response.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// Header fields in order; a name may stand more than once.
    pub headers: Headers,
    /// The body; empty for HEAD.
    pub body: String,
}

/// Names and values of header fields. Values are printable ASCII.
pub type Headers = Vec<(&'static str, Cow<'static, str>)>;
