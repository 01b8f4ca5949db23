//! The payment providers, and the way of their news to the gate.

use super::fields::{ConfigReader, Expect, Fields};
use crate::account::Provider;
use crate::billing::credits::CreditPrice;
use crate::billing::reference::References;
use crate::billing::{Billing, spec_of};
use crate::gate_secret::GateSecret;
use crate::store::MAX_UNITS;
use crate::text::authority;

pub(super) fn read(reader: &ConfigReader<'_>, secrets: &[GateSecret]) -> Vec<Billing> {
    let mut all: Vec<Billing> = Vec::new();
    for (index, fields) in reader.tables("BILLING", EXAMPLE).into_iter().enumerate() {
        let Some(mut one) = read_one(reader, fields) else { continue };
        one.references = References::new(secrets);
        if all.iter().any(|other| other.provider == one.provider) {
            let found = format!("{:?} a second time", one.provider.word());
            let expect = Expect::new("one entry per provider", EXAMPLE);
            reader.mistake("BILLING", &format!("[{index}].provider"), &found, expect);
        }
        all.push(one);
    }
    all
}

const EXAMPLE: &str = "[[vars.BILLING]] provider = \"stripe\"";
const MIN_API_KEY_BYTES: usize = 8;

const ON_DISPUTE: &[(&str, bool)] = &[("note", false), ("suspend", true)];

fn read_one(reader: &ConfigReader<'_>, mut fields: Fields<'_>) -> Option<Billing> {
    let is_said = fields.has("provider");
    let providers = Provider::ALL.map(|provider| (provider.word(), provider));
    let provider = fields.choice("provider", &providers, "\"stripe\"");
    if !is_said {
        let words = Provider::words();
        let expect = Expect::new(&words, "\"stripe\"");
        fields.mistake("provider", "nothing", expect);
    }
    let account_key = fields.text("account", "\"tollgate_account\"");
    let api_url = fields.url("api_url", "\"https://api.stripe.com\"");
    let store = fields.text("store", "\"12345\"");
    let test = fields.flag("test").unwrap_or(false);
    let credits = read_credits(&mut fields);
    let on_dispute = fields.choice("on_dispute", ON_DISPUTE, "\"suspend\"");
    if let Some(url) = &api_url
        && url.split_once("://").is_some_and(|(_, rest)| rest.contains(['/', '?', '#']))
    {
        let expect = Expect::new("scheme, host and optional port", "\"https://api.stripe.com\"");
        fields.mistake("api_url", &format!("{url:?}"), expect);
    }
    fields.finish();
    let provider = provider?;
    let spec = spec_of(provider);
    let webhook_name = spec.webhook_secret.name;
    let webhook_secrets = reader.webhook_secrets(spec);
    if webhook_secrets.is_empty() && !reader.is_mistaken(webhook_name) {
        let found = format!("nothing, beside BILLING's {:?}", provider.word());
        let expect = Expect::new("the secret that its webhooks are signed with", "whsec_…");
        reader.mistake(webhook_name, "", &found, expect);
    }
    // The first opens the provider's API; those behind it may stand there while it is changed.
    let api_key = reader.secrets(spec.api_key.name, MIN_API_KEY_BYTES).into_iter().next();
    let new = Billing::new(provider);
    Some(Billing {
        account_key: account_key.unwrap_or(new.account_key),
        api_url: api_url.unwrap_or_else(|| spec.api_url.to_owned()),
        store,
        test,
        credits,
        suspends_on_dispute: on_dispute.unwrap_or(false),
        webhook_secrets,
        api_key,
        ..new
    })
}

fn read_credits(fields: &mut Fields<'_>) -> Vec<CreditPrice> {
    let mut credits: Vec<CreditPrice> = Vec::new();
    for mut row in fields.tables("credits", CREDITS_EXAMPLE) {
        let expect =
            Expect::new("the id of a price, variant, product or payment link", "\"pri_1\"");
        let price = row.needed_text("price", expect);
        let units = row.whole("units", 1..=MAX_UNITS, "500");
        let max_quantity = row.whole("max_quantity", 1..=MAX_QUANTITY, "10");
        let free = row.flag("free").unwrap_or(false);
        if units.is_none() && !row.is_mistaken() {
            row.mistake("units", "nothing", Expect::new("how many units one of it is", "500"));
        }
        if let Some(price) = &price
            && credits.iter().any(|other| other.price == *price)
        {
            row.mistake("price", &format!("{price:?} a second time"), Expect::new("each once", ""));
        }
        row.finish();
        if let (Some(price), Some(units)) = (price, units) {
            let max_quantity = max_quantity.unwrap_or(DEFAULT_MAX_QUANTITY);
            credits.push(CreditPrice { price, units, max_quantity, free });
        }
    }
    credits
}

const CREDITS_EXAMPLE: &str = "credits = [{ price = \"pri_1\", units = 500 }]";
/// More than anybody orders at once, so that nobody pays for units that are not given.
const DEFAULT_MAX_QUANTITY: u64 = 100;
const MAX_QUANTITY: u64 = 1_000_000;

impl Billing {
    /// The host of the provider's API, the only one that is asked.
    pub fn api_host(&self) -> &str {
        let authority = self.api_url.split_once("://").map_or("", |(_, authority)| authority);
        authority::host(authority)
    }
}
