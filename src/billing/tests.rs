//! The list of payment providers.

use std::collections::BTreeSet;

use super::{ProviderSpec, Scheme, api_of, events_of, spec_of};
use crate::account::Provider;

fn specs() -> Vec<&'static ProviderSpec> {
    Provider::ALL.map(spec_of).to_vec()
}

#[test]
fn each_name_leads_to_its_own_value() {
    for provider in Provider::ALL {
        assert_eq!(spec_of(provider).provider, provider);
    }
}

#[test]
fn no_two_providers_share_a_word_a_secret_or_a_header_field() {
    let mut seen = BTreeSet::new();
    for spec in specs() {
        let events = events_of(spec.provider);
        let secrets = [spec.webhook_secret.name, spec.api_key.name];
        let own = [spec.provider.word(), spec.name, spec.api_url].into_iter().chain(secrets);
        for one in own.chain(events.headers.iter().copied()) {
            assert!(seen.insert(one), "{one} of {} is another's too", spec.name);
        }
    }
}

#[test]
fn the_signed_header_field_is_read() {
    for spec in specs() {
        let events = events_of(spec.provider);
        let header = match &spec.scheme {
            Scheme::Timed(form) => form.header,
            Scheme::Body { header } => header,
            Scheme::Standard => "webhook-signature",
        };
        assert!(events.headers.contains(&header), "{}", spec.name);
        let is_lower = |name: &&str| name.to_ascii_lowercase() == **name;
        assert!(events.headers.iter().all(is_lower), "{}", spec.name);
    }
}

#[test]
fn addresses_are_hosts_and_paths_begin_with_a_slash() {
    for spec in specs() {
        let events = events_of(spec.provider);
        let host = spec.api_url.strip_prefix("https://");
        assert!(host.is_some_and(|host| !host.contains('/')), "{}", spec.api_url);
        let rereading = &events.rereading;
        let lists = [rereading.subscriptions.map(|(path, _)| path), Some(rereading.customer)];
        let entitlements = rereading.entitlements.as_ref().map(|list| list.path);
        let paths = lists.into_iter().chain([entitlements]).flatten().map(|(before, _)| before);
        for path in paths.chain([events.catalogue.path]).chain(events.missed) {
            assert!(path.starts_with('/'), "{path} of {}", spec.name);
        }
    }
}

#[test]
fn the_fields_of_links_and_pings_are_listed() {
    for spec in specs() {
        let api = api_of(spec.provider);
        let events = events_of(spec.provider);
        let links = [api.portal_url, api.checkout_url].map(|path| format!("answer.{path}"));
        let ping = [Some(events.ping.kind), events.ping.id, Some(events.ping.time)];
        let ping = ping.into_iter().flatten().map(|path| format!("{}.{path}", events.event));
        for field in links.into_iter().chain(ping) {
            let is_listed = api.fields.iter().any(|(known, _)| *known == field);
            assert!(is_listed, "{field} of {}", spec.name);
        }
    }
}
