//! Links that are not made: by `HEAD`, by too many requests, and where somebody doesn't answer.

use tollgate::billing::CallError;
use tollgate::billing::sessions::MAX_A_PERIOD;
use tollgate::endpoint::HostedPage;
use tollgate::hosted_page::{End, Unavailable};

use crate::edge::{CHECKOUT_URL, Edge, end, lead_to};

const ACCOUNT_PAGE: &str = "https://shop.example/account";
const BUY_PAGE: &str = "https://shop.example/buy/link";
const SILENT: End = End::Unavailable(Unavailable::ProviderSilent);

#[test]
fn head_makes_no_link() {
    let mut edge = Edge { method: "HEAD", ..Edge::new().paying() };
    assert_eq!(end(edge.portal()), lead_to(ACCOUNT_PAGE));
    assert_eq!(end(edge.checkout("link")), lead_to(BUY_PAGE));
    let mut bare = Edge { method: "HEAD", ..Edge::without_pages().paying() };
    assert_eq!(end(bare.portal()), End::Nothing);
    assert_eq!(end(bare.checkout("pro")), End::Nothing);
    assert!(edge.needs.is_empty() && bare.needs.is_empty());
}

#[test]
fn too_many_links_lead_to_the_configured_page_or_nowhere() {
    let visits = |edge: &mut Edge| {
        for number in 0..MAX_A_PERIOD {
            let ended = edge.visit_from(&HostedPage::Portal, &format!("/x{number}"));
            assert!(matches!(end(ended), End::LeadTo(_)));
        }
        assert_eq!(edge.calls.len(), MAX_A_PERIOD);
        edge.now = edge.now.plus_ms(10_500);
    };
    let mut edge = Edge::new().paying();
    visits(&mut edge);
    assert_eq!(end(edge.portal()), lead_to(ACCOUNT_PAGE));
    assert_eq!(end(edge.checkout("link")), lead_to(BUY_PAGE), "all links count together");
    assert_eq!((edge.needs.as_slice(), edge.calls.len()), (&["sessions"][..], MAX_A_PERIOD));

    let mut bare = Edge::without_pages().paying();
    visits(&mut bare);
    assert_eq!(end(bare.portal()), End::TooMany { retry_after_s: 50 });
    assert_eq!(end(bare.checkout("pro")), End::TooMany { retry_after_s: 50 });
    let again = bare.visit_from(&HostedPage::Portal, "/x0");
    assert!(matches!(end(again), End::LeadTo(_)), "a link that was made is still there");
}

#[test]
fn a_ledger_that_gives_no_leave_is_logged() {
    for (edge, expected) in
        [(Edge::new(), lead_to(BUY_PAGE)), (Edge::without_pages(), lead_to(BUY_PAGE))]
    {
        let mut edge = Edge { has_sessions: false, ..edge };
        let ended = edge.checkout("link");
        assert_eq!((ended.end, edge.needs.as_slice()), (expected, &["sessions"][..]));
        let line = r#"{"event":"fault","what":"billing-api","reason":"the account's ledger allows no link: too late"}"#;
        assert_eq!(ended.log_line.as_deref(), Some(line));
    }
    let mut bare = Edge { has_sessions: false, ..Edge::without_pages() };
    assert_eq!(bare.checkout("pro").end, End::Unavailable(Unavailable::NoPage));
}

#[test]
fn a_provider_in_trouble_leaves_the_configured_page() {
    let answer = |status, body: &str| Ok((status, body.to_owned()));
    for (trouble, reason) in [
        (Err(CallError::NoAnswer("too late".to_owned())), "too late"),
        (answer(500, ""), "the provider answered 500: nothing more"),
        (answer(401, r#"{"error":{"message":"no such key"}}"#), "401: no such key"),
        (answer(200, "<html>"), "no JSON"),
        (answer(200, "{}"), "expected a link"),
        (answer(200, r#"{"url":"javascript:alert(1)"}"#), "expected an https:// link"),
    ] {
        let mut edge = Edge { trouble: Some(trouble.clone()), ..Edge::new().paying() };
        for (ended, page) in [(edge.portal(), ACCOUNT_PAGE), (edge.checkout("link"), BUY_PAGE)] {
            assert_eq!(ended.end, lead_to(page), "{reason}");
            let line = ended.log_line.unwrap();
            assert!(line.contains("billing-api") && line.contains(reason), "{line}");
            assert_eq!(edge.needs, ["sessions", "inbox", "provider"], "nothing is kept");
        }
        let mut bare = Edge { trouble: Some(trouble), ..Edge::without_pages().paying() };
        assert_eq!(bare.portal().end, SILENT, "{reason}");
        assert_eq!(bare.checkout("pro").end, SILENT, "{reason}");
        assert_eq!(bare.checkout("team").end, SILENT, "the price is asked for first");
        assert_eq!(bare.needs, ["sessions", "provider"]);
        bare.trouble = None;
        assert_eq!(end(bare.checkout("pro")), lead_to(CHECKOUT_URL), "as soon as it is well");
    }
}

#[test]
fn a_price_that_the_provider_does_not_have_is_logged() {
    let body = r#"{"data":[]}"#.to_owned();
    let trouble = Some(Ok((200, body)));
    let mut edge = Edge { trouble, ..Edge::without_pages() };
    let ended = edge.checkout("team");
    assert_eq!(ended.end, SILENT);
    assert!(ended.log_line.unwrap().contains("no active price of this name"));
}

#[test]
fn an_inbox_in_trouble_makes_nobody_a_second_customer() {
    let mut edge = Edge::without_pages().paying();
    edge.customer = Err("overloaded".to_owned());
    for ended in [edge.portal(), edge.checkout("pro")] {
        assert_eq!(ended.end, SILENT);
        assert!(ended.log_line.unwrap().contains("overloaded"));
    }
    assert!(edge.calls.is_empty());
}
