//! Which requests a route is about.

/// A method + host + path pattern.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RoutePattern {
    /// As the operator wrote it.
    pub text: String,
}
