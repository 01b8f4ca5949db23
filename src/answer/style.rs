//! The pages' style sheet, and the Content-Security-Policy that allows it and nothing else.

use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use crate::config::Brand;

/// The style sheet, as it stands in every page.
pub(super) const SHEET: &str = include_str!("../../www/pages/style.css");

/// The second style element: the brand's colour, or ours where that is no `#rrggbb`.
pub(super) fn brand_sheet(brand: &Brand) -> String {
    let color = if is_color(&brand.color) { &brand.color } else { DEFAULT_COLOR };
    format!(":root{{--brand:{color}}}")
}

/// The policy of a page with these two sheets and the brand's logo (CSP Level 3).
pub(super) fn content_security_policy(brand: &Brand, brand_sheet: &str) -> String {
    let mut policy = String::with_capacity(320);
    policy.push_str("default-src 'none'; style-src ");
    policy.push_str(&SHEET_SOURCE);
    policy.push(' ');
    policy.push_str(&hash_source(brand_sheet));
    if let Some(origin) = brand.logo_url.as_deref().and_then(origin_of) {
        policy.push_str("; img-src ");
        policy.push_str(origin);
    }
    policy.push_str("; base-uri 'none'; form-action 'self'; frame-ancestors 'none'");
    policy
}

/// `https://host:port` of an absolute URL, where it can stand in a policy.
fn origin_of(url: &str) -> Option<&str> {
    let (scheme, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?', '#', '\\']).next()?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-_:[]".contains(&byte);
    let usable =
        matches!(scheme, "http" | "https") && !authority.is_empty() && authority.bytes().all(plain);
    let length = scheme.len().saturating_add("://".len()).saturating_add(authority.len());
    if usable { url.get(..length) } else { None }
}

fn is_color(text: &str) -> bool {
    text.len() == 7
        && text
            .strip_prefix('#')
            .is_some_and(|hex| hex.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// A style element as a policy names it (CSP Level 3, "hash-source").
fn hash_source(sheet: &str) -> String {
    format!("'sha256-{}'", STANDARD.encode(Sha256::digest(sheet)))
}

/// The same for every page, so an isolate hashes it once.
static SHEET_SOURCE: LazyLock<String> = LazyLock::new(|| hash_source(SHEET));

const DEFAULT_COLOR: &str = "#1f5fbf";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_origin_gets_into_the_policy() {
        assert_eq!(origin_of("https://a.example/logo.svg?x#y"), Some("https://a.example"));
        assert_eq!(origin_of("http://127.0.0.1:8080/l"), Some("http://127.0.0.1:8080"));
        for odd in
            ["https://a;script-src *", "https://user@a/", "data:image/png", "https://", "//a"]
        {
            assert_eq!(origin_of(odd), None, "{odd}");
        }
    }

    #[test]
    fn only_a_color_gets_into_the_sheet() {
        for odd in ["", "red", "#12345", "#12345g", "#1234567", "#12}*{}", "</style>"] {
            let brand = Brand { color: odd.to_owned(), ..Brand::default() };
            assert_eq!(brand_sheet(&brand), ":root{--brand:#1f5fbf}", "{odd}");
        }
    }
}
