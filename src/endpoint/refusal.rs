//! Requests for the gate's own endpoints that the router refuses.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;

use super::table::Method;

/// A request that is for no endpoint, or a wrong one for its endpoint.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Refusal {
    /// Servers disagree about the path's meaning.
    UnreadablePath,
    /// No endpoint has this path.
    NoEndpoint,
    /// No cause has this word.
    NoProblemType,
    /// The endpoint has this method only.
    MethodNotAllowed(Method),
    /// The query is wrong: a description of the right one.
    Query(&'static str),
}

impl Refusal {
    /// The HTTP status.
    pub const fn status(&self) -> u16 {
        match self {
            Self::UnreadablePath | Self::Query(_) => 400,
            Self::NoEndpoint | Self::NoProblemType => 404,
            Self::MethodNotAllowed(_) => 405,
        }
    }

    /// The sentence for the caller.
    pub fn detail(&self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::UnreadablePath => "The path can't be read: servers disagree about what it means.",
            Self::NoEndpoint => "The gate has no such endpoint.",
            Self::NoProblemType => "There is no problem type of this name.",
            Self::MethodNotAllowed(Method::Post) => "Only POST works here.",
            Self::MethodNotAllowed(_) => "Only GET and HEAD work here.",
            Self::Query(expected) => return Cow::Owned(["The query: ", expected, "."].concat()),
        })
    }

    /// The value of `Allow`, where another method would do.
    pub const fn allow(&self) -> Option<&'static str> {
        match self {
            Self::MethodNotAllowed(method) => Some(method.allow()),
            _ => None,
        }
    }

    /// The stable word.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::UnreadablePath => "unreadable-path",
            Self::NoEndpoint => "no-endpoint",
            Self::NoProblemType => "no-problem-type",
            Self::MethodNotAllowed(_) => "method-not-allowed",
            Self::Query(_) => "query",
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.detail())
    }
}

impl Error for Refusal {}
