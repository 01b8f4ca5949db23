//! A provider, some plans, and webhooks of them.

use serde_json::Value;
use tollgate::account::Provider;
use tollgate::billing::credits::CreditPrice;
use tollgate::billing::reference::References;
use tollgate::billing::webhook::{Webhook, read};
use tollgate::billing::{Billing, BillingEvent, spec_of};
use tollgate::gate_secret::GateSecret;
use tollgate::identity::AccountName;
use tollgate::plan::{Plan, Quota};
use tollgate::time::Timestamp;

/// The time of the tests' signatures.
pub(crate) const NOW: Timestamp = Timestamp::from_seconds(1_795_333_000);

pub(crate) fn billing(provider: Provider, secrets: &[&str]) -> Billing {
    Billing {
        api_url: spec_of(provider).api_url.to_owned(),
        store: (provider == Provider::LemonSqueezy).then(|| "7".to_owned()),
        credits: credits(),
        references: references(),
        webhook_secrets: secrets.iter().map(|secret| (*secret).to_owned()).collect(),
        api_key: Some("key_of_the_api".to_owned()),
        ..Billing::new(provider)
    }
}

/// 500 units each, by the names that each provider has for it; one of them may be free.
fn credits() -> Vec<CreditPrice> {
    let row = |price: &str, free| CreditPrice {
        price: price.to_owned(),
        units: 500,
        max_quantity: 3,
        free,
    };
    let names = ["price_units", "plink_units", "pri_units", "91", "prod_units"];
    names.map(|price| row(price, false)).into_iter().chain([row("price_gift", true)]).collect()
}

fn references() -> References {
    References::new(&[GateSecret::new("a secret of the tests")])
}

/// The name of an account.
pub(crate) fn account(name: &str) -> AccountName {
    AccountName::parse(name).unwrap()
}

/// A reference to this account that only the gate can write, good for years.
pub(crate) fn reference(account: &str) -> String {
    references().sign(&self::account(account), Timestamp::from_seconds(2_000_000_000)).unwrap()
}

/// `pro` has a quota; `export` is an add-on without.
pub(crate) fn plans() -> Vec<Plan> {
    let quota = Quota { meter: "api".to_owned(), limit: 1_000, ..Quota::default() };
    let plan = |id: &str, prices: &[&str], quotas| Plan {
        id: id.to_owned(),
        quotas,
        prices: prices.iter().map(|price| (*price).to_owned()).collect(),
        ..Plan::default()
    };
    vec![
        plan("export", &["price_export", "pri_export", "31", "prod_export"], Vec::new()),
        plan("pro", &["price_pro", "pro_monthly", "pri_pro", "21", "prod_pro"], vec![quota]),
    ]
}

pub(crate) fn event(provider: Provider, body: &Value) -> Result<BillingEvent, String> {
    event_by(&billing(provider, &["whsec_test"]), body)
}

pub(crate) fn event_by(billing: &Billing, body: &Value) -> Result<BillingEvent, String> {
    let body = body.to_string();
    let headers = vec![
        ("webhook-id", "msg_1".to_owned()),
        ("webhook-timestamp", NOW.as_seconds().to_string()),
    ];
    Ok(read(billing, &plans(), &Webhook { headers, body: &body })?)
}
