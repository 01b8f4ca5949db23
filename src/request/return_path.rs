//! Where somebody is to come back to after paying: a path of this site, and of no other.

use std::fmt::Write;

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
        let is_local = path.starts_with('/') && !path.starts_with("//");
        let is_own = path.starts_with(own_prefix) || path.contains("/..") || path.contains("/./");
        let fits = path.len() <= MAX_BYTES;
        if is_plain && is_local && !is_own && fits {
            Ok(Self(path.to_owned()))
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
    Some(decode(value))
}

/// Percent-encodes all that has a meaning in a query or a form (RFC 3986 §2.3).
pub fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

const EXPECTED: &str = "expected a path of this site, such as return=/articles/1";
const MAX_BYTES: usize = 1_024;

fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let digits = [char::from(rest.next()?), char::from(rest.next()?)];
                let [high, low] = digits.map(|digit| digit.to_digit(16));
                u8::try_from(high?.checked_mul(16)?.checked_add(low?)?).ok()?
            }
            b'+' => b' ',
            other => other,
        });
    }
    String::from_utf8(bytes).ok()
}

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
        ] {
            assert_eq!(of(bad), Err(EXPECTED), "{bad}");
        }
        assert!(of(&format!("return=/{}", "a".repeat(2_000))).is_err());
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
