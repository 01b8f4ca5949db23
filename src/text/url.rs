//! URLs that may stand on a page or be fetched.

use super::authority;

/// Whether `text` is a URL that may stand on a page or be fetched: `https:`, or loopback `http:`.
pub fn is_safe_url(text: &str) -> bool {
    let clean = text.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"'<>\\`".contains(&byte));
    let Some((scheme, rest)) = text.split_once("://") else { return false };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority::host(authority);
    let is_loopback = matches!(host, "localhost" | "127.0.0.1" | "[::1]");
    let scheme_fits = scheme == "https" || scheme == "http" && is_loopback;
    clean && scheme_fits && !host.is_empty() && !authority.contains('@')
}

/// The words for a URL that [`is_safe_url`] takes.
pub const SAFE_URL: &str = "an https:// URL (http:// only on localhost)";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_safe_urls() {
        for good in ["https://a.example", "https://a.example:8443/x?y#z", "http://localhost:1/x"] {
            assert!(is_safe_url(good), "{good}");
        }
        for bad in
            ["http://a.example", "javascript:alert(1)", "https://", "https://u@a", "https://a/\"x"]
        {
            assert!(!is_safe_url(bad), "{bad}");
        }
    }
}
