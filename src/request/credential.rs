//! Finds the credential in a request, and takes it out of what goes to the origin.

use super::RequestFacts;

/// A place where a credential may stand.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum CredentialSource {
    /// `Authorization: Bearer …`
    Bearer,
    /// A cookie of this name.
    Cookie(String),
    /// A header of this name, lower case.
    Header(String),
    /// A query parameter of this name.
    Query(String),
}

/// A credential, and its place.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Found<'a> {
    /// The token as sent.
    pub token: &'a str,
    /// Its place.
    pub source: &'a CredentialSource,
}

/// The first of `sources` that the request carries.
pub fn find<'a>(sources: &'a [CredentialSource], facts: &'a RequestFacts) -> Option<Found<'a>> {
    sources.iter().zip(&facts.captured_headers).find_map(|(source, value)| {
        let token = match source {
            CredentialSource::Bearer => bearer(value),
            CredentialSource::Cookie(name) => cookie(value, name),
            CredentialSource::Header(_) => Some(value.as_str()),
            CredentialSource::Query(name) => {
                facts.query.as_deref().and_then(|query| parameter(query, name))
            }
        };
        token.filter(|token| !token.is_empty()).map(|token| Found { token, source })
    })
}

/// The changes to a request that keep every credential from the origin.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Strip {
    /// Headers to remove.
    pub headers: Vec<String>,
    /// The new value of `Cookie`; the header is removed where that is empty.
    pub cookie: Option<String>,
    /// The new path and query.
    pub target: Option<String>,
}

/// The changes that take every credential out, also those that were not looked at because an
/// earlier one was found.
pub fn strip(sources: &[CredentialSource], facts: &RequestFacts) -> Strip {
    let mut strip = Strip::default();
    for (source, value) in sources.iter().zip(&facts.captured_headers) {
        match source {
            CredentialSource::Bearer if bearer(value).is_some() => {
                strip.headers.push("authorization".to_owned());
            }
            CredentialSource::Header(name) if !value.is_empty() => {
                strip.headers.push(name.clone());
            }
            CredentialSource::Bearer | CredentialSource::Header(_) => {}
            CredentialSource::Cookie(name) => {
                let cookies = strip.cookie.as_deref().unwrap_or(value);
                if let Some(kept) = without_cookie(cookies, name) {
                    strip.cookie = Some(kept);
                }
            }
            CredentialSource::Query(name) => {
                let target = strip.target.clone().unwrap_or_else(|| facts.target());
                if let Some((path, query)) = target.split_once('?')
                    && let Some(kept) = without_parameter(query, name)
                {
                    let mark = if kept.is_empty() { "" } else { "?" };
                    strip.target = Some(format!("{path}{mark}{kept}"));
                }
            }
        }
    }
    strip
}

/// The header that each source stands in, in their order; empty for the query. This is what the
/// edge reads into [`RequestFacts::captured_headers`].
pub fn header_names(sources: &[CredentialSource]) -> Vec<&str> {
    sources.iter().map(header_name).collect()
}

/// The value of a cookie (RFC 6265 §4.2.1), without the quotes that some clients add. Several
/// `Cookie` lines arrive joined by commas, which can't stand in a cookie.
pub fn cookie<'a>(header: &'a str, name: &str) -> Option<&'a str> {
    let value = header.split(SEPARATORS).find_map(|pair| named(pair.trim(), name))?;
    Some(value.strip_prefix('"').and_then(|inner| inner.strip_suffix('"')).unwrap_or(value))
}

/// The header `Cookie` without the cookies of this name, cut where [`cookie`] finds them; all
/// others stay as they are. `None` where it has none.
pub fn without_cookie(cookies: &str, name: &str) -> Option<String> {
    if !cookies.contains(name) {
        return None;
    }
    let mut kept = String::with_capacity(cookies.len());
    let (mut has_cut, mut ends_cut) = (false, false);
    // The separator that a cut has left open. Servers that know no comma read both sides of one as
    // one cookie, so a semicolon on either side stays.
    let mut open = None;
    for piece in cookies.split_inclusive(SEPARATORS) {
        let pair = piece.strip_suffix(SEPARATORS).unwrap_or(piece);
        let separator = piece.strip_prefix(pair).filter(|separator| !separator.is_empty());
        ends_cut = named(pair.trim(), name).is_some();
        if ends_cut {
            has_cut = true;
            open = match (open, separator) {
                (Some(","), Some(separator)) => Some(separator),
                (None, _) => None,
                (before, _) => before,
            };
            continue;
        }
        kept.extend(open);
        // The pair behind the cut begins the header now.
        kept.push_str(if kept.is_empty() { pair.trim_start() } else { pair });
        open = separator;
    }
    kept.extend(open.filter(|_| !ends_cut));
    has_cut.then_some(kept)
}

/// The signs that end a cookie in the header.
const SEPARATORS: [char; 2] = [';', ','];

fn header_name(source: &CredentialSource) -> &str {
    match source {
        CredentialSource::Bearer => "authorization",
        CredentialSource::Cookie(_) => "cookie",
        CredentialSource::Header(name) => name,
        CredentialSource::Query(_) => "",
    }
}

/// The token of `Bearer <token>` (RFC 6750 §2.1); the scheme's case does not matter.
fn bearer(authorization: &str) -> Option<&str> {
    let (scheme, token) = authorization.trim().split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}

/// The value of a query parameter. It isn't decoded: a token needs no encoding.
fn parameter<'a>(query: &'a str, name: &str) -> Option<&'a str> {
    query.split('&').find_map(|pair| named(pair, name))
}

/// `query` without the parameters called `name`; `None` where it has none.
fn without_parameter(query: &str, name: &str) -> Option<String> {
    let is_named = |pair: &&str| named(pair, name).is_some();
    parameter(query, name)?;
    let kept: Vec<_> = query.split('&').filter(|pair| !is_named(pair)).collect();
    Some(kept.join("&"))
}

fn named<'a>(pair: &'a str, name: &str) -> Option<&'a str> {
    let (found, value) = pair.split_once('=')?;
    (found == name).then_some(value)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn facts() -> RequestFacts {
        RequestFacts {
            path: "/a".into(),
            query: Some("x=1&token=q&y".into()),
            captured_headers: ["h", "", "a=1; tollgate=\"c\"; b=2", "bearer  abc"]
                .map(Into::into)
                .into(),
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
        for (index, (source, token)) in sources.iter().zip(tokens).enumerate() {
            let captured_headers = vec![facts.captured_headers[index].clone()];
            let facts = RequestFacts { captured_headers, ..facts.clone() };
            let found = find(std::slice::from_ref(source), &facts).unwrap();
            assert_eq!(found, Found { token, source });
        }
        assert_eq!(find(&sources, &facts).unwrap().token, "h");
        assert_eq!(header_names(&sources), ["x-token", "", "cookie", "authorization"]);
    }

    #[test]
    fn several_cookie_lines_are_one() {
        let sources = [CredentialSource::Cookie("tollgate".into())];
        let captured_headers = vec!["a=1, tollgate=c".to_owned()];
        let facts = RequestFacts { captured_headers, ..RequestFacts::default() };
        assert_eq!(find(&sources, &facts).unwrap().token, "c");
        assert_eq!(strip(&sources, &facts).cookie.as_deref(), Some("a=1"));
    }

    #[test]
    fn a_cookie_is_cut_where_it_was_found() {
        for (cookies, kept) in [
            ("a=1,tollgate=c", "a=1"),
            ("tollgate=c,a=1", "a=1"),
            ("a=1,tollgate=c,b=2", "a=1,b=2"),
            ("a=1,tollgate=c; b=2", "a=1; b=2"),
            ("a=1; tollgate=c, b=2", "a=1; b=2"),
            ("a=1 ,\ttollgate=c\t;b=2;", "a=1 ;b=2;"),
            ("a=x, y; tollgate=\"c\"; b=\"p,q\"", "a=x, y; b=\"p,q\""),
            ("tollgate=c; tollgate=d,tollgate=e", ""),
            ("; a=1;tollgate=c;;b", "; a=1;;b"),
            (
                "tollgate=c; nottollgate=d; tollgated=e; Tollgate=f",
                "nottollgate=d; tollgated=e; Tollgate=f",
            ),
        ] {
            assert_eq!(without_cookie(cookies, "tollgate").as_deref(), Some(kept), "{cookies}");
        }
        for none in ["", "a=1", "a=tollgate", "nottollgate=c", "tollgate", "tollgate =c"] {
            assert_eq!(without_cookie(none, "tollgate"), None, "{none}");
            assert_eq!(cookie(none, "tollgate"), None, "{none}");
        }
    }

    proptest! {
        #[test]
        fn a_token_that_was_found_stands_nowhere_in_what_goes_on(
            pairs in prop::collection::vec(
                ("[ \t]{0,2}", prop::sample::select(vec!["tollgate", "tollgat", "a", "", "Tollgate"]),
                 "=?", "[ \t]?", prop::sample::select(vec!["SECRET", "x", "\"SECRET\"", ""]), "[ \t]?"),
                0..6),
            separators in prop::collection::vec(prop::sample::select(vec![";", ",", "; ", ", "]), 6),
        ) {
            // A secret stands only where it is the credential's.
            let texts: Vec<_> = pairs.iter().map(|(before, name, equals, more, value, after)| {
                let is_ours = *name == "tollgate" && equals == "=";
                let value = if is_ours { *value } else { "other" };
                let name = if is_ours { (*name).to_owned() } else { format!("{name}_") };
                format!("{before}{name}{equals}{more}{value}{after}")
            }).collect();
            let mut header = String::new();
            for (text, separator) in texts.iter().zip(&separators) {
                header.push_str(text);
                header.push_str(separator);
            }
            let kept = without_cookie(&header, "tollgate");
            let found = cookie(&header, "tollgate");
            prop_assert_eq!(kept.is_some(), found.is_some(), "{}", header);
            let kept = kept.unwrap_or_else(|| header.clone());
            prop_assert!(!kept.contains("SECRET"), "{:?}: {:?}", header, kept);
            prop_assert_eq!(cookie(&kept, "tollgate"), None);
            // Every other cookie is there, as it was and in its place.
            let others = |text: &str| {
                let pairs = text.split(SEPARATORS).map(str::trim);
                let others = pairs
                    .filter(|pair| !pair.is_empty() && named(pair, "tollgate").is_none());
                others.map(str::to_owned).collect::<Vec<_>>()
            };
            prop_assert_eq!(others(&kept), others(&header));
        }
    }

    #[test]
    fn other_schemes_are_not_credentials() {
        let facts =
            RequestFacts { captured_headers: vec!["Basic abc".into()], ..RequestFacts::default() };
        assert_eq!(find(&[CredentialSource::Bearer], &facts), None);
    }

    #[test]
    fn strips_every_credential_and_nothing_else() {
        assert_eq!(
            strip(&sources(), &facts()),
            Strip {
                headers: vec!["x-token".into(), "authorization".into()],
                cookie: Some("a=1; b=2".into()),
                target: Some("/a?x=1&y".into()),
            }
        );
        let captured_headers = ["", "", "a=1", "Basic abc"].map(Into::into).into();
        let other = RequestFacts { captured_headers, ..RequestFacts::default() };
        assert_eq!(strip(&sources(), &other), Strip::default());
    }
}
