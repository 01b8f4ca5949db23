//! Authorities of URLs (RFC 3986 §3.2).

/// The host of `host:port` or `host`; the brackets of an IPv6 address stay.
pub fn host(authority: &str) -> &str {
    split(authority).0
}

/// The host and the port of an authority without user information. The port may be empty.
pub fn split(authority: &str) -> (&str, Option<&str>) {
    match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => (host, Some(port)),
        _ => (authority, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_what_is_no_port() {
        assert_eq!(split("a.example:8443"), ("a.example", Some("8443")));
        assert_eq!(split("a.example:"), ("a.example", Some("")));
        assert_eq!(split("a.example"), ("a.example", None));
        assert_eq!(split("[::1]:80"), ("[::1]", Some("80")));
        assert_eq!(host("[::1]"), "[::1]");
    }
}
