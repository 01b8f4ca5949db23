//! Headers that tell apart visitors without a credential, where the configuration asks for them.

use crate::config::Config;
use crate::request::credential::cookie;
use crate::request::{CredentialSource, RequestFacts};

/// Somebody without a credential, or with one beside the cookie of an earlier visit.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Visitor<'a> {
    /// The header `Cookie`.
    pub cookies: &'a str,
    /// The address, as the platform reports it.
    pub address: &'a str,
    /// The category of a verified bot; empty for everybody else.
    pub bot_category: &'a str,
}

/// The names that the edge reads into [`RequestFacts::captured_headers`] behind the credentials'
/// own: of headers, [`BOT_CATEGORY`], and an empty name for one that no route asks for. Each header
/// that is read costs.
pub fn header_names(config: &Config) -> Vec<&'static str> {
    let [mut cookies, mut address, mut category] = [""; 3];
    for route in &config.routes {
        if route.free.is_some() && cookie_place(config).is_none() {
            cookies = "cookie";
        }
        if route.free_burst.is_some() {
            address = "cf-connecting-ip";
        }
        if !route.crawlers.is_empty() {
            category = BOT_CATEGORY;
        }
    }
    let asked = [cookies, address, category];
    if asked == [""; 3] { Vec::new() } else { asked.to_vec() }
}

impl<'a> Visitor<'a> {
    /// Finds what was read for [`header_names`].
    pub fn of(config: &Config, facts: &'a RequestFacts) -> Self {
        let at = |place: usize| facts.captured_headers.get(place).map_or("", String::as_str);
        let first = config.credentials.len();
        let after = |places: usize| at(first.saturating_add(places));
        let cookies = cookie_place(config).map_or_else(|| after(0), at);
        Self { cookies, address: after(1), bot_category: after(2) }
    }

    /// The value of a cookie; `None` where there is none of this name.
    pub fn cookie(&self, name: &str) -> Option<&'a str> {
        cookie(self.cookies, name)
    }
}

/// Names, among [`header_names`], no header but what the platform knows of bots.
pub const BOT_CATEGORY: &str = ":bot-category";

/// The position of a credential that is read from the header `Cookie` already.
fn cookie_place(config: &Config) -> Option<usize> {
    config.credentials.iter().position(|one| matches!(one, CredentialSource::Cookie(_)))
}
