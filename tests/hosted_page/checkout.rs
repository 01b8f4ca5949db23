//! Links to the checkout.

use tollgate::billing::reference::LIFETIME_S;
use tollgate::hosted_page::{End, Unavailable};

use crate::edge::{CHECKOUT_URL, Edge, NOW, end, lead_to};

#[test]
fn a_sale_carries_a_signed_reference_to_its_account() {
    let mut edge = Edge::new();
    assert_eq!(end(edge.checkout("pro")), lead_to(CHECKOUT_URL));
    assert_eq!(edge.needs, ["sessions", "provider", "keep"], "nobody knows alice yet");
    assert_eq!(edge.sent("line_items[0][price]").unwrap(), "price_pro");
    let back = "https://shop.example/_tollgate/status?return=/articles/1%3Fx%3Dy";
    assert_eq!(edge.sent("success_url").unwrap(), back);
    assert_eq!(edge.sent("cancel_url").unwrap(), "https://shop.example/articles/1?x=y");
    assert_eq!(edge.sent("customer"), None);
    let reference = edge.sent("client_reference_id").unwrap();
    let reference = edge.config.billing[0].references.verify(&reference).unwrap();
    assert_eq!(reference.account, "-/alice");
    assert_eq!(reference.expires_at, NOW.plus_seconds(LIFETIME_S));
}

#[test]
fn a_customer_buys_as_the_same_customer() {
    let mut edge = Edge::new().paying();
    assert_eq!(end(edge.checkout("pro")), lead_to(CHECKOUT_URL));
    assert_eq!(edge.needs, ["sessions", "inbox", "provider", "keep"]);
    assert_eq!(edge.sent("customer").unwrap(), "cus_1");
}

#[test]
fn a_price_that_is_a_name_is_looked_up_first() {
    let mut edge = Edge::new().paying();
    assert_eq!(end(edge.checkout("team")), lead_to(CHECKOUT_URL));
    assert_eq!(edge.needs, ["sessions", "provider", "inbox", "provider", "keep"]);
    assert!(edge.calls[0].url.ends_with("lookup_keys[0]=team-monthly"), "{}", edge.calls[0].url);
    assert_eq!(edge.sent("line_items[0][price]").unwrap(), "price_found");
}

#[test]
fn a_second_click_gets_the_same_link() {
    let mut edge = Edge::new();
    edge.checkout("pro");
    assert_eq!(end(edge.checkout("pro")), lead_to(CHECKOUT_URL));
    assert_eq!(edge.needs, ["sessions"]);
    edge.now = NOW.plus_seconds(60);
    edge.checkout("pro");
    assert_eq!(edge.needs, ["sessions", "provider", "keep"], "a minute later it is made anew");
}

#[test]
fn clicks_at_once_are_one_sale() {
    let key = |change: fn(&mut Edge)| {
        let mut edge = Edge::new();
        change(&mut edge);
        edge.checkout("pro");
        edge.idempotency_key()
    };
    let first = key(|_| {});
    assert_eq!(key(|_| {}), first, "each of two isolates makes the link");
    assert_eq!(key(|edge| edge.now = NOW.plus_ms(59_999)), first);
    assert_ne!(key(|edge| edge.now = NOW.plus_ms(60_000)), first, "another minute");
    assert_ne!(key(|edge| edge.now = NOW.plus_ms(-1)), first);
    let as_customer = key(|edge| *edge = Edge::new().paying());
    assert_ne!(as_customer, first, "bought by somebody who is a customer meanwhile");
    let mut elsewhere = Edge::new();
    elsewhere.checkout("link");
    assert_ne!(elsewhere.idempotency_key(), first, "another price");
}

#[test]
fn a_plan_that_is_not_for_sale_is_refused_by_any_method() {
    for method in ["GET", "HEAD"] {
        let mut edge = Edge { method, ..Edge::new() };
        assert_eq!(end(edge.checkout("old")), End::NotOnSale);
        for unknown in ["gold", "", "price_pro", "PRO"] {
            assert_eq!(end(edge.checkout(unknown)), End::NoPlan, "{unknown}");
        }
        assert!(edge.needs.is_empty());
    }
}

#[test]
fn a_plan_without_a_price_is_bought_at_the_shops_own_page() {
    let mut edge = Edge::new();
    let End::LeadTo(url) = end(edge.checkout("unpriced")) else { panic!("no way") };
    let reference = url.strip_prefix("https://shop.example/plans?r=").unwrap();
    let reference = edge.config.billing[0].references.verify(reference).unwrap();
    assert_eq!(reference.account, "-/alice");
    assert!(edge.needs.is_empty());
    let mut edge = Edge::without_pages();
    assert_eq!(end(edge.checkout("unpriced")), End::Unavailable(Unavailable::NoPage));
}
