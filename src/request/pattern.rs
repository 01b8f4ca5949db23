//! Patterns of requests, and the choice of the route for a request.

mod choice;
mod error;
mod parse;

pub use choice::{RouteMatch, match_route};
pub use error::PatternError;

/// A method + host + path pattern, such as `GET,POST *.example.com/articles/**`.
///
/// `docs/routes.md` describes the language.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RoutePattern {
    /// As the operator wrote it.
    pub text: String,
    methods: Methods,
    host: HostPattern,
    segments: Vec<Segment>,
    open_end: bool,
}

#[derive(Clone, Debug, Eq, PartialEq)]
enum Methods {
    Any,
    Listed(Vec<String>),
}

#[derive(Clone, Debug, Eq, PartialEq)]
enum HostPattern {
    Any,
    /// Lower case.
    Exact(String),
    /// `.example.com`, lower case: what a host ends in.
    Below(String),
}

#[derive(Clone, Debug, Eq, PartialEq)]
enum Segment {
    Any,
    /// Percent-decoded.
    Literal(String),
}

impl RoutePattern {
    /// Whether it is about some methods alone.
    pub fn names_methods(&self) -> bool {
        self.methods != Methods::Any
    }

    /// Whether it matches every request: any method, any host, `/**`.
    pub fn is_catch_all(&self) -> bool {
        let any_path = self.segments.is_empty() && self.open_end;
        any_path && self.methods == Methods::Any && self.host == HostPattern::Any
    }

    /// Whether every request that `other` matches is matched by this one too: behind it, `other`
    /// would never be reached.
    pub fn covers(&self, other: &Self) -> bool {
        self.methods.cover(&other.methods)
            && self.host.covers(&other.host)
            && self.covers_path_of(other)
    }

    fn covers_path_of(&self, other: &Self) -> bool {
        let lengths_fit = if self.open_end {
            self.segments.len() <= other.segments.len()
        } else {
            self.segments.len() == other.segments.len() && !other.open_end
        };
        let mut pairs = self.segments.iter().zip(&other.segments);
        lengths_fit && pairs.all(|(mine, theirs)| *mine == Segment::Any || mine == theirs)
    }

    fn fit(&self, method: &str, host: &str, path: &[u8]) -> Fit {
        if !self.methods.contain(method) || !self.host.contains(host) {
            return Fit::No;
        }
        let path = path.strip_prefix(b"/").unwrap_or(path);
        let path = path.strip_suffix(b"/").unwrap_or(path);
        // The rest behind the segments; `/` has none.
        let mut rest = (!path.is_empty()).then_some(path);
        let mut fit = Fit::Exact;
        for segment in &self.segments {
            let Some((part, after)) = rest.and_then(|rest| segment.take(rest)) else {
                return Fit::No;
            };
            (fit, rest) = (fit.min(part), after);
        }
        if self.open_end || rest.is_none() { fit } else { Fit::No }
    }
}

/// The fit of a pattern, worst first.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Fit {
    No,
    /// Only when case is ignored, and `+` is read as a space.
    Loose,
    Exact,
}

impl Methods {
    fn contain(&self, method: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Listed(names) => {
                names.iter().any(|name| name == method || (name == "GET" && method == "HEAD"))
            }
        }
    }

    fn cover(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Any, _) => true,
            (_, Self::Any) => false,
            (_, Self::Listed(names)) => names.iter().all(|name| self.contain(name)),
        }
    }
}

impl HostPattern {
    fn contains(&self, host: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Exact(name) => host.eq_ignore_ascii_case(name),
            Self::Below(end) => {
                let rest = host.len().checked_sub(end.len()).filter(|length| *length > 0);
                let tail = rest.and_then(|length| host.get(length..));
                tail.is_some_and(|tail| tail.eq_ignore_ascii_case(end))
            }
        }
    }

    fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Any, _) => true,
            (_, Self::Any) | (Self::Exact(_), Self::Below(_)) => false,
            (_, Self::Exact(name)) => self.contains(name),
            (Self::Below(mine), Self::Below(theirs)) => theirs.ends_with(mine),
        }
    }
}

impl Segment {
    /// Takes this segment off the beginning of `text`. Returns how it fits, and the text behind the
    /// next slash. A name is compared where it has to stand, so that no text is too long for it.
    fn take<'a>(&self, text: &'a [u8]) -> Option<(Fit, Option<&'a [u8]>)> {
        let (part, rest) = match self {
            Self::Any => {
                let end = text.iter().position(|byte| *byte == b'/').unwrap_or(text.len());
                text.split_at_checked(end).filter(|(part, _)| !part.is_empty())?
            }
            Self::Literal(name) => text.split_at_checked(name.len())?,
        };
        let after = match rest {
            [] => None,
            [b'/', after @ ..] => Some(after),
            _ => return None,
        };
        let fit = match self {
            Self::Literal(name) if name.as_bytes() != part => {
                equal_loosely(name.as_bytes(), part).then_some(Fit::Loose)?
            }
            Self::Literal(_) | Self::Any => Fit::Exact,
        };
        Some((fit, after))
    }
}

fn equal_loosely(left: &[u8], right: &[u8]) -> bool {
    let fold = |byte: &u8| if *byte == b'+' { b' ' } else { byte.to_ascii_lowercase() };
    left.len() == right.len() && left.iter().map(fold).eq(right.iter().map(fold))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::path::readings;

    fn pattern(text: &str) -> RoutePattern {
        RoutePattern::parse(text).unwrap()
    }

    fn matches(text: &str, request: &str) -> bool {
        let (method, target) = request.split_once(' ').unwrap();
        let (host, path) = target.split_at(target.find('/').unwrap());
        let pattern = pattern(text);
        let routes = std::iter::once((&pattern, false));
        match_route(&routes, method, host, &readings(path).unwrap()) == RouteMatch::One(0)
    }

    #[test]
    fn a_pattern_matches_what_its_parts_say() {
        for (text, request, expected) in [
            ("/", "GET h/", true),
            ("/", "GET h/a", false),
            ("/**", "GET h/", true),
            ("/**", "PURGE h/a/b", true),
            ("/articles/**", "GET h/articles", true),
            ("/articles/**", "GET h/articles/", true),
            ("/articles/**", "GET h/articles/a/b", true),
            ("/articles/**", "GET h/articlesx", false),
            ("/articles/*", "GET h/articles", false),
            ("/articles/*", "GET h/articles/", false),
            ("/articles/*", "GET h/articles/a", true),
            ("/articles/*", "GET h/articles/a/", true),
            ("/articles/*", "GET h/articles/a/b", false),
            ("/*/edit", "GET h/a/edit", true),
            ("/*/edit", "GET h/a", false),
            ("/docs/", "GET h/docs", true),
            ("/docs", "GET h/DOCS/", true),
            ("/caf%C3%A9", "GET h/caf%c3%a9", true),
            ("/my%20files/*", "GET h/my%20files/a", true),
            ("/my%20files/*", "GET h/my+files/a", true),
            ("/a%2Ab", "GET h/a*b", true),
            ("GET /a", "GET h/a", true),
            ("GET /a", "HEAD h/a", true),
            ("GET /a", "POST h/a", false),
            ("HEAD /a", "GET h/a", false),
            ("PUT,PATCH /a", "PATCH h/a", true),
            ("PATCH /a", "patch h/a", false),
            ("example.com/a", "GET example.com/a", true),
            ("example.com/a", "GET EXAMPLE.com.:8443/a", true),
            ("example.com/a", "GET www.example.com/a", false),
            ("*.example.com/a", "GET a.b.example.com/a", true),
            ("*.example.com/a", "GET example.com/a", false),
            ("*.example.com/a", "GET badexample.com/a", false),
        ] {
            assert_eq!(matches(text, request), expected, "{text} {request}");
        }
    }

    #[test]
    fn a_pattern_covers_what_it_leaves_nothing_of() {
        for (mine, theirs, expected) in [
            ("/**", "GET example.com/a/*", true),
            ("/a/**", "/a", true),
            ("/a/**", "/a/*/**", true),
            ("/a/*", "/a/b", true),
            ("/a/*", "/a/**", false),
            ("/a/*/**", "/a/**", false),
            ("/a", "/a/", true),
            ("/a/b", "/a/*", false),
            ("GET /a", "HEAD,GET /a", true),
            ("GET /a", "/a", false),
            ("POST /a", "GET /a", false),
            ("*.example.com/**", "a.example.com/x", true),
            ("*.example.com/**", "*.b.example.com/x", true),
            ("*.example.com/**", "example.com/x", false),
            ("a.example.com/**", "*.example.com/x", false),
            ("example.com/**", "/x", false),
        ] {
            assert_eq!(pattern(mine).covers(&pattern(theirs)), expected, "{mine} {theirs}");
        }
        let catch_all = |text: &str| pattern(text).is_catch_all();
        assert!(catch_all("/**") && catch_all("* /**"));
        assert!(!catch_all("GET /**") && !catch_all("h/**") && !catch_all("/*/**"));
    }
}
