//! The parts of a request that decide: bounded, and read once.

pub mod body;
pub mod credential;
pub mod onward;
pub mod path;
pub mod pattern;
pub mod return_path;

pub use body::BodyError;
pub use credential::CredentialSource;
pub use onward::HeaderKind;
pub use path::{PathError, Reach, Readings, readings};
pub use pattern::{RouteMatch, RoutePattern, match_route};
pub use return_path::ReturnPath;

use path::kept::KeptReadings;

use crate::text::authority;

/// The facts of one request, as far as they decide. Everything else in it is none of the gate's
/// business.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RequestFacts {
    /// The method as sent; unknown ones too.
    pub method: String,
    /// `https` or `http`.
    pub scheme: String,
    /// Host and port as in the URL, lower case.
    pub authority: String,
    /// The path as sent, still encoded.
    pub path: String,
    /// The query without its question mark, still encoded.
    pub query: Option<String>,
    /// `Origin`, of an `OPTIONS` alone.
    pub preflight_origin: String,
    /// `Access-Control-Request-Method`, of an `OPTIONS` alone.
    pub preflight_method: String,
    /// `Upgrade`, of any method but GET.
    pub odd_upgrade: String,
    /// The values of the headers that the configuration has captured: the one that each credential
    /// source stands in, in their order, empty for the query; then those of visitors.
    pub captured_headers: Vec<String>,
    /// Of `path`.
    readings: Result<KeptReadings, PathError>,
}

impl Default for RequestFacts {
    /// The facts of no request: its empty path can't be read.
    fn default() -> Self {
        Self {
            method: String::new(),
            scheme: String::new(),
            authority: String::new(),
            path: String::new(),
            query: None,
            preflight_origin: String::new(),
            preflight_method: String::new(),
            odd_upgrade: String::new(),
            captured_headers: Vec::new(),
            readings: KeptReadings::of(""),
        }
    }
}

impl RequestFacts {
    /// Reads them one a line, in the order of the fields, the URL whole. A header that is absent
    /// is an empty line; no value can hold a line break.
    ///
    /// `None` when the URL isn't an absolute one.
    pub fn from_lines(lines: &str) -> Option<Self> {
        let mut lines = lines.split('\n');
        let mut next = || lines.next().unwrap_or_default().to_owned();
        let method = next();
        let url = next();
        let (scheme, rest) = url.split_once("://")?;
        let rest = rest.split('#').next().unwrap_or_default();
        let (before_query, query) = match rest.split_once('?') {
            Some((before, query)) => (before, Some(query.to_owned())),
            None => (rest, None),
        };
        let (authority, path) = match before_query.find('/') {
            Some(slash) => before_query.split_at_checked(slash)?,
            None => (before_query, "/"),
        };
        Some(Self {
            method,
            scheme: scheme.to_owned(),
            authority: authority.to_ascii_lowercase(),
            path: path.to_owned(),
            readings: KeptReadings::of(path),
            query,
            preflight_origin: next(),
            preflight_method: next(),
            odd_upgrade: next(),
            captured_headers: lines.map(str::to_owned).collect(),
        })
    }

    /// A GET of another path of the same site, with the same headers and the same query.
    pub fn get(&self, path: &str) -> Self {
        Self {
            method: "GET".to_owned(),
            path: path.to_owned(),
            readings: KeptReadings::of(path),
            ..self.clone()
        }
    }

    /// Every way in which a server may read the path; read once, when the facts were.
    ///
    /// # Errors
    ///
    /// [`PathError`], for a path that no two servers need to agree about.
    pub fn readings(&self) -> Result<Readings<'_>, PathError> {
        self.readings.as_ref().map(|kept| kept.beside(&self.path)).map_err(|error| *error)
    }

    /// The host without its port and without a final dot.
    pub fn host(&self) -> &str {
        let host = authority::host(&self.authority);
        host.strip_suffix('.').unwrap_or(host)
    }

    /// `scheme://host:port` as the caller sees it.
    pub fn base_url(&self) -> String {
        format!("{}://{}", self.scheme, self.authority)
    }

    /// Path and query as sent: what the origin gets.
    pub fn target(&self) -> String {
        match &self.query {
            Some(query) => format!("{}?{query}", self.path),
            None => self.path.clone(),
        }
    }

    /// Whether this asks for a WebSocket by another method than GET (RFC 6455 §4.1). The runtime
    /// would send it on as a GET, though the gate has judged another method.
    pub fn is_odd_upgrade(&self) -> bool {
        let mut protocols = self.odd_upgrade.split([',', '/']).map(str::trim);
        let is_websocket = protocols.any(|one| one.eq_ignore_ascii_case("websocket"));
        is_websocket && self.method != "GET"
    }

    /// Whether this is a CORS preflight (Fetch standard, "CORS-preflight request"): never gated,
    /// since a browser sends it without credentials.
    pub fn is_preflight(&self) -> bool {
        let is_asked = !self.preflight_origin.is_empty() && !self.preflight_method.is_empty();
        self.method == "OPTIONS" && is_asked
    }
}

/// The caller's wishes for an answer of the gate's own. Read only when there is one to give.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Preferences {
    /// `Accept`.
    pub accept: String,
    /// `Origin`: present when a page of another site asks.
    pub origin: String,
    /// `Sec-Fetch-Mode`: `navigate` where a browser loads a page.
    pub fetch_mode: String,
    /// `Sec-Fetch-Site`: how the asking page stands to this host.
    pub fetch_site: String,
}

impl Preferences {
    /// Reads them one a line, in the order of the fields.
    pub fn from_lines(lines: &str) -> Self {
        let mut lines = lines.split('\n');
        let mut next = || lines.next().unwrap_or_default().to_owned();
        Self { accept: next(), origin: next(), fetch_mode: next(), fetch_site: next() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_a_request_apart() {
        let facts = RequestFacts::from_lines(
            "PROPFIND\nhttps://API.example.com:8443/a//b?x=1?y#z\n\n\n\nBearer t\n\nkey",
        )
        .unwrap();
        assert_eq!((facts.method.as_str(), facts.host()), ("PROPFIND", "api.example.com"));
        assert_eq!(facts.target(), "/a//b?x=1?y");
        assert_eq!(facts.base_url(), "https://api.example.com:8443");
        assert_eq!(facts.captured_headers, ["Bearer t", "", "key"]);
        assert!(!facts.is_preflight());
    }

    #[test]
    fn the_readings_are_those_of_the_path() {
        for path in ["/plain", "/a%20b", "/a/..%2fb", "/%zz", "/a\u{1}b"] {
            let facts = RequestFacts::from_lines(&format!("GET\nhttps://a{path}?q")).unwrap();
            assert_eq!(facts.readings(), readings(path), "{path}");
            assert_eq!(facts.get("/b").readings(), readings("/b"));
        }
        assert_eq!(RequestFacts::default().readings(), Err(PathError::NotAbsolute));
    }

    #[test]
    fn a_websocket_is_asked_for_by_get_alone() {
        let is_odd = |method: &str, upgrade: &str| {
            let lines = format!("{method}\nhttps://a/\n\n\n{upgrade}");
            RequestFacts::from_lines(&lines).unwrap().is_odd_upgrade()
        };
        for upgrade in ["websocket", "WebSocket", "h2c, websocket", "websocket/13"] {
            assert!(!is_odd("GET", upgrade), "{upgrade}");
            for method in ["HEAD", "POST", "OPTIONS", "get"] {
                assert!(is_odd(method, upgrade), "{method} {upgrade}");
            }
        }
        for upgrade in ["", "h2c", "TLS/1.0", "websockets"] {
            assert!(!is_odd("POST", upgrade), "{upgrade}");
        }
    }

    #[test]
    fn reads_odd_urls() {
        let target = |url: &str| RequestFacts::from_lines(&format!("GET\n{url}")).unwrap().target();
        assert_eq!(target("http://a"), "/");
        assert_eq!(target("http://a?q"), "/?q");
        assert_eq!(target("http://a/?"), "/?");
        assert!(RequestFacts::from_lines("GET\n/relative").is_none());
        assert_eq!(RequestFacts::from_lines("GET\nhttp://[::1]:80/").unwrap().host(), "[::1]");
        assert_eq!(RequestFacts::from_lines("GET\nhttp://[::1]/").unwrap().host(), "[::1]");
    }
}
