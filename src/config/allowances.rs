//! A route's gifts to readers without an account, and their needs.

use serde_json::Value;

use super::fields::{Expect, Fields};
use super::shown::shown;
use crate::allowance::{Allowance, MAX_LIMIT};

/// The fields of a route that are about it.
pub(super) struct GivenAway {
    /// The free pages per period.
    pub(super) free: Option<Allowance>,
    /// The name of a rate-limit binding that bounds how often an address starts anew.
    pub(super) free_burst: Option<String>,
    /// The verified crawlers that pass.
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

    /// Whether the route gives nothing away, not even by mistake.
    pub(super) fn is_nothing(&self) -> bool {
        self.free.is_none() && self.free_burst.is_none() && self.crawlers.is_empty()
    }
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

pub(super) const EXAMPLE: &str = "free = \"5 per month\"";
