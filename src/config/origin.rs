//! The destination of passed requests.

use super::fields::{ConfigReader, Expect};
use super::shown::shown_url;
use crate::text::authority;

/// The destination of a passed request.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum OriginTarget {
    /// A service binding of this name.
    Service(String),
    /// Scheme, host and optional port, such as `https://origin.example.com`; no trailing slash.
    Url(String),
}

impl OriginTarget {
    /// Reads `https://host[:port]` or `service:BINDING`.
    ///
    /// # Errors
    ///
    /// `None` where it is neither; a path, query or user name is refused too, since the request's
    /// own path arrives unchanged.
    pub fn parse(text: &str) -> Option<Self> {
        if let Some(binding) = text.strip_prefix("service:") {
            return (!binding.is_empty()).then(|| Self::Service(binding.to_owned()));
        }
        let (scheme, rest) = text.split_once("://")?;
        let authority = rest.strip_suffix('/').unwrap_or(rest);
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:[]".contains(&byte);
        let fits = matches!(scheme, "https" | "http")
            && !authority::host(authority).is_empty()
            && authority.bytes().all(plain);
        fits.then(|| Self::Url(format!("{scheme}://{authority}")))
    }

    /// The audience in assertions: the origin's host, or the binding's name.
    pub fn audience(&self) -> &str {
        match self {
            Self::Service(binding) => binding,
            Self::Url(url) => url.split_once("://").map_or(url, |(_, host)| host),
        }
    }
}

pub(super) fn read(reader: &ConfigReader<'_>) -> Option<OriginTarget> {
    let Some(text) = reader.text("ORIGIN", EXAMPLE) else {
        if reader.bindings().value("ORIGIN").is_none() {
            reader.mistake("ORIGIN", "", "nothing", expect());
        }
        return None;
    };
    check(reader, "ORIGIN", "", &text)
}

/// Reads an origin found in `variable` at `field`, and makes sure its binding exists.
pub(super) fn check(
    reader: &ConfigReader<'_>,
    variable: &str,
    field: &str,
    text: &str,
) -> Option<OriginTarget> {
    let target = OriginTarget::parse(text);
    match &target {
        None => reader.mistake(variable, field, &shown_url(text), expect()),
        Some(OriginTarget::Service(binding)) if !reader.bindings().has_resource(binding) => {
            let found = format!("no service binding {binding:?}");
            let expected = format!("[[services]] binding = {binding:?} in wrangler.toml");
            reader.mistake(variable, field, &found, Expect::new(&expected, EXAMPLE));
        }
        Some(_) => {}
    }
    target
}

const EXAMPLE: &str = "\"https://origin.example.com\"";

fn expect() -> Expect<'static> {
    Expect::new("scheme, host and port of the origin, or service:BINDING", EXAMPLE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_urls_and_bindings() {
        let url = |text: &str| Some(OriginTarget::Url(text.into()));
        assert_eq!(OriginTarget::parse("https://a.example/"), url("https://a.example"));
        assert_eq!(OriginTarget::parse("http://[::1]:8080"), url("http://[::1]:8080"));
        assert_eq!(OriginTarget::parse("service:SITE"), Some(OriginTarget::Service("SITE".into())));
        for bad in ["a.example", "https://", "https://a/b", "https://u@a", "ftp://a", "service:"] {
            assert_eq!(OriginTarget::parse(bad), None, "{bad}");
        }
    }
}
