//! The place to come back to after paying: a path of this site, and of no other.

use super::path::{Reach, readings};
use crate::text::percent;

/// A path of this site, perhaps with a query, as it stands in a `return` parameter.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ReturnPath(String);

impl ReturnPath {
    /// The `return` of a query; the front page where there is none.
    ///
    /// `own_prefix` is where the gate's own endpoints are: nobody comes back to them.
    ///
    /// # Errors
    ///
    /// It is not a path of this site. Says what was expected.
    pub fn of_query(query: Option<&str>, own_prefix: &str) -> Result<Self, &'static str> {
        match parameter(query, "return") {
            None => Ok(Self("/".to_owned())),
            Some(value) => Self::new(&value.ok_or(EXPECTED)?, own_prefix),
        }
    }

    /// This path.
    ///
    /// # Errors
    ///
    /// As for [`Self::of_query`].
    pub fn new(path: &str, own_prefix: &str) -> Result<Self, &'static str> {
        // Browsers read a backslash as a slash and skip tabs and line ends: `/\\evil.example` and
        // `/\t/evil.example` would lead elsewhere (URL standard §4.4).
        let is_plain = path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
        let fits = path.len() <= MAX_BYTES;
        let found = Self(path.to_owned());
        if is_plain && fits && is_elsewhere_here(found.path(), own_prefix) {
            Ok(found)
        } else {
            Err(EXPECTED)
        }
    }

    /// As it is.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The path alone.
    pub fn path(&self) -> &str {
        self.0.split(['?', '#']).next().unwrap_or_default()
    }

    /// As the value of a query parameter.
    pub fn encoded(&self) -> String {
        encode(&self.0)
    }
}

/// The value of a query's parameter, decoded; `Some(None)` where it is no UTF-8.
pub fn parameter(query: Option<&str>, name: &str) -> Option<Option<String>> {
    let pairs = query?.split('&').filter_map(|pair| pair.split_once('='));
    let value = pairs.filter(|(found, _)| *found == name).map(|(_, value)| value).next()?;
    Some(percent::decode(&value.replace('+', " ")).ok())
}

/// Percent-encodes all that has a meaning in a query or a form (RFC 3986 §2.3).
pub fn encode(text: &str) -> String {
    percent::encode(text, |byte| percent::is_unreserved(byte) || byte == b'/')
}

/// Whether every reading of `path`, browsers' among them, is one of this site and outside of
/// `own_prefix`. Browsers resolve `%2e%2e` like `..`, and servers do more than that.
fn is_elsewhere_here(path: &str, own_prefix: &str) -> bool {
    // Nobody comes back to where dot segments lead, so that no page needs to resolve them.
    if path.contains("/..") || path.contains("/./") {
        return false;
    }
    readings(path).is_ok_and(|readings| {
        let names_host = readings.iter().any(|reading| reading.starts_with(b"//"));
        !names_host && readings.reach(own_prefix) == Reach::Outside
    })
}

const EXPECTED: &str = "expected a path of this site, such as return=/articles/1";
const MAX_BYTES: usize = 1_024;

#[cfg(test)]
mod tests {
    use super::*;

    fn of(query: &str) -> Result<String, &'static str> {
        ReturnPath::of_query(Some(query), "/_tollgate/").map(|path| path.0)
    }

    #[test]
    fn only_paths_of_this_site() {
        assert_eq!(ReturnPath::of_query(None, "/_tollgate/").unwrap().as_str(), "/");
        assert_eq!(of("plan=pro"), Ok("/".to_owned()));
        assert_eq!(of("return=/a%2Fb%3Fc%3D1&x"), Ok("/a/b?c=1".to_owned()));
        for bad in [
            "return=https://evil.example/",
            "return=//evil.example",
            "return=/%5Cevil.example",
            "return=/%09/evil.example",
            "return=%2F%2Fevil.example",
            "return=javascript:alert(1)",
            "return=",
            "return=/%ff",
            "return=/%4",
            "return=/_tollgate/billing/portal",
            "return=/a/../_tollgate/billing/portal",
            "return=/%252e//evil.example",
            "return=/%252f/evil.example",
        ] {
            assert_eq!(of(bad), Err(EXPECTED), "{bad}");
        }
        assert!(of(&format!("return=/{}", "a".repeat(2_000))).is_err());
        assert_eq!(of("return=/a?b=/../c"), Ok("/a?b=/../c".to_owned()), "a query leads nowhere");
        for good in
            ["/.well-known/x", "/caf%C3%A9/%20", "/a;b=c", "/a//b", "/_tollgates/x", "/50%25"]
        {
            let encoded = encode(good);
            assert_eq!(of(&format!("return={encoded}")).as_deref(), Ok(good), "{good}");
        }
    }

    #[test]
    fn no_spelling_of_the_gates_own_endpoints() {
        for prefix in ["/_tollgate/", "/gate/v1.0/", "/~x/"] {
            let inner = prefix.trim_matches('/');
            let (first, rest) = (inner.as_bytes()[0], inner.split_at(1).1);
            for own in ["status", "billing/portal", "billing/checkout?plan=pro", "refresh#x", ""] {
                for bad in [
                    format!("/{inner}/{own}"),
                    format!("/x/%2e%2e/{inner}/{own}"),
                    format!("/%2e/{inner}/{own}"),
                    format!("/x/.%2e/{inner}/{own}"),
                    format!("/x/%2E./{inner}/{own}"),
                    format!("/x/%252e%252e/{inner}/{own}"),
                    format!("/x/..;a/{inner}/{own}"),
                    format!("/x%2f..%2f{inner}/{own}"),
                    format!("/x/%5c../{inner}/{own}"),
                    format!("/%2f{inner}/{own}"),
                    format!("/{}/{own}", inner.to_ascii_uppercase()),
                    format!("/%{first:02x}{rest}/{own}"),
                    format!("/%25{first:02x}{rest}/{own}"),
                    format!("/{inner};a=b/{own}"),
                    format!("/{inner}%3b/{own}"),
                ] {
                    assert_eq!(ReturnPath::new(&bad, prefix), Err(EXPECTED), "{bad}");
                    let query = format!("return={}", encode(&bad));
                    assert_eq!(ReturnPath::of_query(Some(&query), prefix), Err(EXPECTED), "{bad}");
                }
            }
            assert!(ReturnPath::new(&format!("/{inner}"), prefix).is_err(), "{prefix}");
            assert!(ReturnPath::new(&format!("/x/{inner}/status"), prefix).is_ok(), "{prefix}");
        }
    }

    #[test]
    fn what_is_encoded_is_decoded() {
        let path = ReturnPath::new("/a?b=c&d=%20#e", "/_tollgate/").unwrap();
        assert_eq!(path.encoded(), "/a%3Fb%3Dc%26d%3D%2520%23e");
        let again = ReturnPath::of_query(Some(&format!("return={}", path.encoded())), "/x/");
        assert_eq!(again.unwrap(), path);
        assert_eq!(path.path(), "/a");
    }
}
