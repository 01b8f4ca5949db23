//! Mistakes in a pattern, each as a sentence that helps its author.

use std::error::Error;
use std::fmt;

/// The reason why a text is no pattern. The texts in it are parts of the pattern.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum PatternError {
    /// White space stands within host or path.
    Space,
    /// A method is missing between commas.
    NoMethod {
        /// The methods.
        methods: String,
    },
    /// `*` stands among other methods.
    AnyMethodAmongOthers {
        /// The methods.
        methods: String,
    },
    /// A host stands in the place of the methods.
    HostForMethods(String),
    /// A method has a character that no method has.
    MethodCharacter {
        /// The method.
        method: String,
        /// The character.
        strange: char,
    },
    /// A method has lower-case letters.
    LowerCaseMethod(String),
    /// A scheme stands before the host.
    Scheme {
        /// The scheme.
        scheme: String,
        /// The text behind it.
        rest: String,
    },
    /// There is nothing where host and path should stand.
    Nothing,
    /// A host without a path.
    HostAlone(String),
    /// Methods without a path.
    MethodsAlone(String),
    /// A path does not start with a slash.
    NoSlash(String),
    /// The host is `*`.
    AnyHost,
    /// The host has a port.
    Port {
        /// The host's name.
        name: String,
        /// The name with the port.
        host: String,
    },
    /// `*` stands elsewhere in a host than before a domain.
    HostWildcard(String),
    /// The host is not in ASCII.
    HostNotAscii(String),
    /// This is no name of a host.
    NoHost(String),
    /// `**` has something behind it.
    RestNotLast,
    /// The path has a query.
    Query,
    /// The path has a fragment.
    Fragment,
    /// The path has a backslash.
    Backslash,
    /// The path has parameters behind a `;`.
    Parameters,
    /// Two slashes stand in a row.
    TwoSlashes,
    /// A wildcard is only part of a segment.
    PartialWildcard(String),
    /// A segment looks like a named parameter.
    NamedParameter(String),
    /// A segment is `.` or `..`.
    Dots(String),
    /// Servers read a segment in different ways.
    Ambiguous(String),
    /// `%` stands without two hexadecimal digits.
    Percent(String),
    /// A segment is no UTF-8.
    NotUtf8(String),
}

impl PatternError {
    /// A stable word for it.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Space => "space",
            Self::NoMethod { .. } => "no-method",
            Self::AnyMethodAmongOthers { .. } => "any-method-among-others",
            Self::HostForMethods(_) => "host-for-methods",
            Self::MethodCharacter { .. } => "method-character",
            Self::LowerCaseMethod(_) => "lower-case-method",
            Self::Scheme { .. } => "scheme",
            Self::Nothing => "nothing",
            Self::HostAlone(_) => "host-alone",
            Self::MethodsAlone(_) => "methods-alone",
            Self::NoSlash(_) => "no-slash",
            Self::AnyHost => "any-host",
            Self::Port { .. } => "port",
            Self::HostWildcard(_) => "host-wildcard",
            Self::HostNotAscii(_) => "host-not-ascii",
            Self::NoHost(_) => "no-host",
            Self::RestNotLast => "rest-not-last",
            Self::Query => "query",
            Self::Fragment => "fragment",
            Self::Backslash => "backslash",
            Self::Parameters => "parameters",
            Self::TwoSlashes => "two-slashes",
            Self::PartialWildcard(_) => "partial-wildcard",
            Self::NamedParameter(_) => "named-parameter",
            Self::Dots(_) => "dots",
            Self::Ambiguous(_) => "ambiguous",
            Self::Percent(_) => "percent",
            Self::NotUtf8(_) => "not-utf8",
        }
    }
}

/// The mistake, and what would be right.
impl fmt::Display for PatternError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sentence = match self {
            Self::NoMethod { methods } => {
                return write!(
                    formatter,
                    "a method is missing in `{methods}`: list methods with commas and without \
                     spaces, as in `GET,POST /path`, or leave them out for any method"
                );
            }
            Self::AnyMethodAmongOthers { methods } => {
                return write!(
                    formatter,
                    "`*` in `{methods}` is any method already: write `* /path`"
                );
            }
            Self::HostForMethods(name) => {
                return write!(
                    formatter,
                    "`{name}` stands where methods do: host and path go together without a space, \
                     as in `{name}/path`"
                );
            }
            Self::MethodCharacter { method, strange } => {
                return write!(
                    formatter,
                    "`{strange}` can't stand in the method `{method}`: a pattern is methods, a \
                     space, and a path, as in `GET,POST /path`"
                );
            }
            Self::LowerCaseMethod(method) => {
                let upper = method.to_ascii_uppercase();
                return write!(
                    formatter,
                    "methods are upper case: write `{upper}` rather than `{method}`"
                );
            }
            Self::Scheme { scheme, rest } => {
                return write!(
                    formatter,
                    "leave `{scheme}://` out: a route is about http and https alike, as in `{rest}`"
                );
            }
            Self::HostAlone(host) => {
                return write!(
                    formatter,
                    "the path is missing: `{host}/**` is every path of that host"
                );
            }
            Self::MethodsAlone(methods) => {
                return write!(
                    formatter,
                    "the path is missing: `{methods} /**` is any path with that method"
                );
            }
            Self::NoSlash(path) => {
                return write!(formatter, "a path starts with a slash: write `/{path}`");
            }
            Self::Port { name, host } => {
                return write!(
                    formatter,
                    "leave the port out of the host: `{name}` rather than `{host}`"
                );
            }
            Self::HostWildcard(host) => {
                return write!(
                    formatter,
                    "`*` may only stand for what is before a domain, as in `*.example.com`, not as \
                     in `{host}`"
                );
            }
            Self::HostNotAscii(host) => {
                return write!(
                    formatter,
                    "write the host `{host}` in its ASCII form, which starts with `xn--`"
                );
            }
            Self::NoHost(host) => {
                return write!(
                    formatter,
                    "`{host}` is not a host name; a path without a host starts with a slash, as in \
                     `/{host}`"
                );
            }
            Self::PartialWildcard(segment) => {
                return write!(
                    formatter,
                    "a wildcard is a whole segment: `*` is one segment and `**` the rest, and \
                     `{segment}` is neither (a literal star is written `%2A`)"
                );
            }
            Self::NamedParameter(segment) => {
                return write!(
                    formatter,
                    "`{segment}` looks like a named parameter: write `*` for one segment (a literal \
                     `:` or `{{` is written `%3A` or `%7B`)"
                );
            }
            Self::Dots(segment) => {
                return write!(
                    formatter,
                    "`{segment}` is resolved before a request is sent: leave it out"
                );
            }
            Self::Ambiguous(segment) => {
                return write!(
                    formatter,
                    "servers read `{segment}` in several ways, so a request for it can't be told \
                     from others: use `*` for this segment, or `**` for it and the rest"
                );
            }
            Self::Percent(segment) => {
                return write!(
                    formatter,
                    "two hexadecimal digits must follow each `%` in `{segment}`"
                );
            }
            Self::NotUtf8(segment) => {
                return write!(formatter, "`{segment}` is not UTF-8 when it is decoded");
            }
            Self::Space => {
                "there is a space too many: one stands between the methods and the path, as in \
                 `GET,POST /articles/**`, and a space in a path is written `%20`"
            }
            Self::Nothing => {
                "the path is missing: `/**` is any path, `/articles/*` one segment below `/articles`"
            }
            Self::AnyHost => "any host is written by leaving it out: `/path` rather than `*/path`",
            Self::RestNotLast => {
                "`**` stands for the rest of the path, so it can only come last; `*` is one segment"
            }
            Self::Query => {
                "routes are chosen by the path alone: leave out the `?` and what follows; `*` is a \
                 wildcard for one segment"
            }
            Self::Fragment => "a `#` and what follows never reach a server: leave them out",
            Self::Backslash => "a path is written with `/`, not with a backslash",
            Self::Parameters => {
                "`;` starts parameters, which some servers drop: leave it and them out"
            }
            Self::TwoSlashes => {
                "there are two slashes in a row, which many servers merge: write one"
            }
        };
        formatter.write_str(sentence)
    }
}

impl Error for PatternError {}
