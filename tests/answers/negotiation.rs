//! The format that an `Accept` header asks for.

use proptest::prelude::*;
use tollgate::answer::Format;

use crate::BROWSER;

#[test]
fn the_preferred_format_is_chosen() {
    use Format::{Html, Json, Text};
    let long = format!("{}text/html", "a/b,".repeat(5_000));
    let table = [
        ("", Json),
        ("*/*", Json),
        (" ", Json),
        (BROWSER, Html),
        ("text/html", Html),
        ("TEXT/HTML", Html),
        ("text/html;charset=utf-8", Html),
        ("text/html, application/xhtml+xml, */*", Html),
        ("text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2", Html),
        ("application/json", Json),
        ("application/json, text/plain, */*", Json),
        ("application/problem+json", Json),
        ("application/vnd.api+json, text/html;q=0.5", Json),
        ("application/problem+json;q=0.3, application/json, text/html;q=0.8", Json),
        ("application/json;q=0.5, text/html;q=0.8", Html),
        ("application/json;q=0.8, text/html;q=0.5", Json),
        ("application/json;q=0.501, text/html;q=0.5", Json),
        ("text/plain", Text),
        ("text/plain, text/html", Text),
        ("text/html, text/plain", Html),
        ("text/markdown, text/html, */*", Text),
        ("text/*", Text),
        ("text/*, text/plain;q=0", Html),
        ("text/*;q=0.5, application/json;q=0.4", Text),
        ("application/*, text/html;q=0.9", Json),
        ("*/*;q=0.1, text/html;q=0", Json),
        ("*/*, application/json;q=0, application/problem+json;q=0", Text),
        ("application/json;q=0", Text),
        ("application/json;q=0, text/*;q=0", Json),
        ("*/*;q=0", Json),
        ("image/png", Json),
        ("text/event-stream", Json),
        ("text/html;q=0.000, */*", Json),
        ("text/html;q=1.5, */*;q=0.9", Html),
        ("text/html;q=abc, text/plain;q=0.1", Text),
        ("text/html;q=-1", Json),
        ("text/html;q=", Json),
        ("text/html ; q=0.2 , text/plain ; q=0.3", Text),
        ("text/html;x=\"a,b;q=0\";q=0.9, text/plain;q=0.5", Html),
        ("text/html;x=\"unclosed, text/plain;q=0", Html),
        ("text/html;q=0;q=1, text/plain;q=0.1", Text),
        (",,,;;;===///", Json),
        ("html", Json),
        ("text/", Json),
        ("/html", Json),
        ("\u{0}\u{7f}\u{e4}/\u{1F600};q=\u{661}", Json),
        (long.as_str(), Json),
    ];
    for (accept, expected) in table {
        let shown: String = accept.chars().take(80).collect();
        assert_eq!(Format::negotiate(accept, false), expected, "{shown:?}");
    }
}

#[test]
fn a_navigation_prefers_a_page_where_nothing_else_is_said() {
    for (accept, expected) in [
        ("", Format::Html),
        ("*/*", Format::Html),
        (BROWSER, Format::Html),
        ("application/json", Format::Json),
        ("text/plain", Format::Text),
        ("text/html;q=0, */*", Format::Text),
    ] {
        assert_eq!(Format::negotiate(accept, true), expected, "{accept:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_accept_header_panics_and_one_exact_name_wins(
        accept in "([a-z*/+;=,\"\\\\ q0-9.äé]|text/html|\\*/\\*|;q=0\\.){0,60}",
        any in any::<String>(),
        navigates in any::<bool>(),
    ) {
        let _ = Format::negotiate(&any, navigates);
        let _ = Format::negotiate(&accept, navigates);
        let unknown = "image/png, foo/bar;q=0.3";
        prop_assert_eq!(
            Format::negotiate(&format!("text/html;q=0.001, {unknown}"), navigates),
            Format::Html
        );
    }

    #[test]
    fn the_greater_q_wins(html in 1_u16..=1000, text in 1_u16..=1000, json in 1_u16..=1000) {
        let q = |value: u16| format!("{}.{:03}", value / 1000, value % 1000);
        let accept = format!(
            "text/html;q={}, text/plain;q={}, application/json;q={}", q(html), q(text), q(json)
        );
        let best = html.max(text).max(json);
        let expected = if html == best {
            Format::Html
        } else if text == best {
            Format::Text
        } else {
            Format::Json
        };
        prop_assert_eq!(Format::negotiate(&accept, false), expected);
    }
}
