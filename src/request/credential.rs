//! Finds the credential in a request, and takes it out of what goes to the origin.

use super::RequestFacts;
use crate::config::CredentialSource;

/// A credential, and where it stood.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Found<'a> {
    /// The token as sent.
    pub token: &'a str,
    /// Where it stood.
    pub source: &'a CredentialSource,
}

/// The first of `sources` that the request carries.
pub fn find<'a>(sources: &'a [CredentialSource], facts: &'a RequestFacts) -> Option<Found<'a>> {
    let mut headers = facts.credential_headers.iter();
    sources.iter().find_map(|source| {
        let token = match source {
            CredentialSource::Bearer => bearer(&facts.authorization),
            CredentialSource::Cookie(name) => cookie(&facts.cookie, name),
            CredentialSource::Header(_) => headers.next().map(String::as_str),
            CredentialSource::Query(name) => {
                facts.query.as_deref().and_then(|query| parameter(query, name))
            }
        };
        token.filter(|token| !token.is_empty()).map(|token| Found { token, source })
    })
}

/// How a request has to change so that its credential doesn't reach the origin.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Strip {
    /// Remove this header.
    Header(String),
    /// Replace `Cookie` by this value; remove it where the value is empty.
    Cookie(String),
    /// Replace path and query by this target.
    Target(String),
}

/// What to change to take the credential of `source` out.
pub fn strip(source: &CredentialSource, facts: &RequestFacts) -> Strip {
    match source {
        CredentialSource::Bearer => Strip::Header("authorization".to_owned()),
        CredentialSource::Header(name) => Strip::Header(name.clone()),
        CredentialSource::Cookie(name) => {
            let others = facts.cookie.split(';').map(str::trim);
            let kept: Vec<_> = others.filter(|pair| named(pair, name).is_none()).collect();
            Strip::Cookie(kept.join("; "))
        }
        CredentialSource::Query(name) => {
            let pairs = facts.query.as_deref().unwrap_or_default().split('&');
            let kept: Vec<_> = pairs.filter(|pair| named(pair, name).is_none()).collect();
            let query = kept.join("&");
            let mark = if query.is_empty() { "" } else { "?" };
            Strip::Target(format!("{}{mark}{query}", facts.path))
        }
    }
}

/// The header names among `sources`, in order: what the edge has to read beside
/// [`HEADERS_READ`](super::HEADERS_READ).
pub fn header_names(sources: &[CredentialSource]) -> Vec<&str> {
    let mut names = Vec::new();
    for source in sources {
        if let CredentialSource::Header(name) = source {
            names.push(name.as_str());
        }
    }
    names
}

/// The token of `Bearer <token>` (RFC 6750 §2.1); the scheme's case does not matter.
fn bearer(authorization: &str) -> Option<&str> {
    let (scheme, token) = authorization.trim().split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}

/// The value of a cookie (RFC 6265 §4.2.1), without the quotes that some clients add.
fn cookie<'a>(header: &'a str, name: &str) -> Option<&'a str> {
    let value = header.split(';').find_map(|pair| named(pair.trim(), name))?;
    Some(value.strip_prefix('"').and_then(|inner| inner.strip_suffix('"')).unwrap_or(value))
}

/// The value of a query parameter. It isn't decoded: a token needs no encoding.
fn parameter<'a>(query: &'a str, name: &str) -> Option<&'a str> {
    query.split('&').find_map(|pair| named(pair, name))
}

fn named<'a>(pair: &'a str, name: &str) -> Option<&'a str> {
    let (found, value) = pair.split_once('=')?;
    (found == name).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts() -> RequestFacts {
        RequestFacts {
            path: "/a".into(),
            query: Some("x=1&token=q&y".into()),
            authorization: "bearer  abc".into(),
            cookie: "a=1; tollgate=\"c\"; b=2".into(),
            credential_headers: vec!["h".into()],
            ..RequestFacts::default()
        }
    }

    fn sources() -> [CredentialSource; 4] {
        [
            CredentialSource::Header("x-token".into()),
            CredentialSource::Query("token".into()),
            CredentialSource::Cookie("tollgate".into()),
            CredentialSource::Bearer,
        ]
    }

    #[test]
    fn finds_each_kind() {
        let facts = facts();
        let sources = sources();
        let tokens = ["h", "q", "c", "abc"];
        for (source, token) in sources.iter().zip(tokens) {
            let found = find(std::slice::from_ref(source), &facts).unwrap();
            assert_eq!(found, Found { token, source });
        }
        assert_eq!(find(&sources, &facts).unwrap().token, "h");
        assert_eq!(header_names(&sources), ["x-token"]);
    }

    #[test]
    fn other_schemes_are_not_credentials() {
        let facts = RequestFacts { authorization: "Basic abc".into(), ..RequestFacts::default() };
        assert_eq!(find(&[CredentialSource::Bearer], &facts), None);
    }

    #[test]
    fn strips_only_the_credential() {
        let stripped: Vec<_> = sources().iter().map(|source| strip(source, &facts())).collect();
        assert_eq!(
            stripped,
            [
                Strip::Header("x-token".into()),
                Strip::Target("/a?x=1&y".into()),
                Strip::Cookie("a=1; b=2".into()),
                Strip::Header("authorization".into()),
            ]
        );
    }
}
