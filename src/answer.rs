//! The HTTP response made from a denial.

/// A whole response.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// Headers in order; a name may stand more than once.
    pub headers: Vec<(&'static str, String)>,
    /// The body; empty for HEAD.
    pub body: String,
}
