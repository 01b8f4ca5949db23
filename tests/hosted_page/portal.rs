//! Links to the portal.

use tollgate::account::Provider;
use tollgate::billing::inbox::InboxRequest;
use tollgate::hosted_page::{End, Unavailable};

use crate::edge::{Edge, PORTAL_URL, alice, customer, end, lead_to, vars};

const ACCOUNT_PAGE: &str = "https://shop.example/account";

#[test]
fn a_link_is_made_for_the_paying_customer() {
    let mut edge = Edge::new().paying();
    assert_eq!(end(edge.portal()), lead_to(PORTAL_URL));
    assert_eq!(edge.needs, ["sessions", "inbox", "provider", "keep"]);
    let asked = InboxRequest::CustomerToLead { account: alice(), customers: vec![customer()] };
    assert_eq!(edge.asked, [asked]);
    assert_eq!(edge.sent("customer").unwrap(), "cus_1");
    let back = "https://shop.example/_tollgate/status?return=/articles/1%3Fx%3Dy";
    assert_eq!(edge.sent("return_url").unwrap(), back);
}

#[test]
fn a_second_click_gets_the_same_link_while_the_customer_is_the_accounts_alone() {
    let mut edge = Edge::new().paying();
    edge.portal();
    assert_eq!(end(edge.portal()), lead_to(PORTAL_URL));
    assert_eq!(edge.needs, ["sessions", "inbox"]);
    assert_eq!(edge.calls.len(), 1);

    edge.customer = Ok(None);
    assert_eq!(end(edge.portal()), lead_to(ACCOUNT_PAGE));
    assert_eq!(edge.needs, ["sessions", "inbox"]);

    let mut edge = Edge::without_pages().paying();
    edge.portal();
    edge.customer = Ok(None);
    assert_eq!(end(edge.portal()), End::Unavailable(Unavailable::NoPage));
    edge.customer = Err("the inbox is late".to_owned());
    let ended = edge.portal();
    assert_eq!(ended.end, End::Unavailable(Unavailable::ProviderSilent));
    assert!(ended.log_line.unwrap().contains("the inbox is late"));
}

#[test]
fn nobody_is_asked_for_an_account_without_a_customer() {
    for (mut edge, expected) in [
        (Edge::new(), lead_to(ACCOUNT_PAGE)),
        (Edge::without_pages(), End::Unavailable(Unavailable::NoPage)),
    ] {
        assert_eq!(end(edge.portal()), expected);
        assert!(edge.needs.is_empty(), "{:?}", edge.needs);
    }
}

#[test]
fn nobody_is_asked_without_a_key() {
    let vars = vars().with("STRIPE_API_KEY", "".into());
    let mut edge = Edge::with(&vars).paying();
    assert_eq!(end(edge.portal()), lead_to(ACCOUNT_PAGE));
    assert_eq!(end(edge.checkout("link")), lead_to("https://shop.example/buy/link"));
    assert!(edge.needs.is_empty(), "{:?}", edge.needs);
}

#[test]
fn a_customer_of_a_provider_without_a_key_has_no_portal() {
    let vars = vars()
        .with("STRIPE_API_KEY", "".into())
        .with("BILLING", serde_json::json!([{"provider": "stripe"}, {"provider": "paddle"}]))
        .with("PADDLE_WEBHOOK_SECRET", "pdl_ntfset_0123456789abcdef".into())
        .with("PADDLE_API_KEY", "pdl_sdbx_apikey_1".into());
    let mut edge = Edge::with(&vars).paying();
    assert!(edge.config.billing(Provider::Paddle).unwrap().api_key.is_some());
    assert_eq!(end(edge.portal()), lead_to(ACCOUNT_PAGE));
    assert_eq!(edge.needs, ["sessions"], "the inbox need not be asked");
}

#[test]
fn a_customer_of_two_accounts_has_none() {
    let mut edge = Edge::new().paying();
    edge.customer = Ok(None);
    assert_eq!(end(edge.portal()), lead_to(ACCOUNT_PAGE));
    assert_eq!(edge.needs, ["sessions", "inbox"]);
    assert!(edge.calls.is_empty());
}
