//! What a route gives away to readers without an account, and what that needs.

use serde_json::Value;

use super::closest::closest;
use super::fields::{Expect, Fields};
use super::shown::shown;
use super::{Config, Mistake};
use crate::allowance::{Allowance, CATEGORIES, MAX_ALLOWANCES, MAX_LIMIT};

/// The fields of a route that are about it.
pub(super) struct GivenAway {
    /// How many pages are free in which period.
    pub(super) free: Option<Allowance>,
    /// The name of a rate-limit binding that bounds how often an address starts anew.
    pub(super) free_burst: Option<String>,
    /// Which verified crawlers pass.
    pub(super) crawlers: Vec<String>,
}

impl GivenAway {
    pub(super) fn read(fields: &mut Fields<'_>) -> Self {
        let is_free = fields.has("free");
        let free = read_allowance(fields);
        let free_burst = fields.text("free_burst", "\"FREE_BURST\"");
        if free_burst.is_some() && !is_free {
            let expect = Expect::new("the allowance that it guards", EXAMPLE);
            fields.mistake("free", "nothing, beside free_burst", expect);
        }
        let crawlers = read_crawlers(fields);
        Self { free, free_burst, crawlers }
    }

    /// Whether nothing is given away, not even by mistake.
    pub(super) fn is_nothing(&self) -> bool {
        self.free.is_none() && self.free_burst.is_none() && self.crawlers.is_empty()
    }
}

/// Without a key nobody's count could be told from a made-up one.
pub(super) fn check_key(config: &Config) -> Option<Mistake> {
    let index = config.routes.iter().position(|route| route.free.is_some())?;
    config.allowance_key.is_none().then(|| Mistake {
        variable: "ALLOWANCE_KEY".to_owned(),
        field: String::new(),
        found: format!("nothing, but a free allowance on route [{index}]"),
        expected: format!("a secret of at least {MIN_KEY_BYTES} bytes that signs its cookie"),
        example: "openssl rand -base64 32".to_owned(),
    })
}

/// A reader's cookie has room for so many.
pub(super) fn check_number(config: &Config) -> Option<Mistake> {
    let mut free = Vec::new();
    for allowance in config.routes.iter().filter_map(|route| route.free) {
        if !free.contains(&allowance) {
            free.push(allowance);
        }
    }
    (free.len() > MAX_ALLOWANCES).then(|| Mistake {
        variable: "ROUTES".to_owned(),
        field: String::new(),
        found: format!("{} different free allowances", free.len()),
        expected: format!("at most {MAX_ALLOWANCES}; routes with the same one share its count"),
        example: EXAMPLE.to_owned(),
    })
}

/// Categories that Cloudflare doesn't document: perhaps new, more likely misspelt.
pub(super) fn check_crawlers(config: &Config) -> Vec<Mistake> {
    let mut warnings = Vec::new();
    for (index, route) in config.routes.iter().enumerate() {
        let unknown = route.crawlers.iter().filter(|one| !CATEGORIES.contains(&one.as_str()));
        warnings.extend(unknown.map(|one| Mistake {
            variable: "ROUTES".to_owned(),
            field: format!("[{index}].crawlers"),
            found: format!("{one:?}, which Cloudflare doesn't list"),
            expected: match closest(one, &CATEGORIES) {
                Some(known) => format!("a category of verified bots; did you mean {known:?}?"),
                None => format!("one of the categories {}", CATEGORIES.join(", ")),
            },
            example: String::new(),
        }));
    }
    warnings
}

/// Shorter keys can be guessed, by somebody who has a cookie to try them on.
pub(super) const MIN_KEY_BYTES: usize = 32;

fn read_allowance(fields: &mut Fields<'_>) -> Option<Allowance> {
    let text = fields.text("free", EXAMPLE)?;
    let allowance = Allowance::parse(&text);
    if allowance.is_none() {
        let expected =
            format!("\"N per minute\", hour, day or month, with N from 1 to {MAX_LIMIT}");
        fields.mistake("free", &format!("{text:?}"), Expect::new(&expected, EXAMPLE));
    }
    allowance
}

/// Categories have spaces, unlike the words in other lists.
fn read_crawlers(fields: &mut Fields<'_>) -> Vec<String> {
    let expect = Expect::new("an array of categories", "[\"Search Engine Crawler\"]");
    let items = match fields.take("crawlers") {
        None => Vec::new(),
        Some(Value::Array(items)) => items,
        Some(one) => vec![one],
    };
    let mut categories = Vec::new();
    for item in items {
        match item {
            Value::String(category) if !category.trim().is_empty() => categories.push(category),
            other => fields.mistake("crawlers", &shown(&other), expect),
        }
    }
    categories
}

const EXAMPLE: &str = "free = \"5 per month\"";
