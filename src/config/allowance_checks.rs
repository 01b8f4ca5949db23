//! Checks of free allowances that look at more than one route.

use super::allowances::{EXAMPLE, MIN_KEY_BYTES};
use super::closest::closest;
use super::{Config, Mistake};
use crate::allowance::{CATEGORIES, MAX_ALLOWANCES};

/// Without a key a true count can't be told from a made-up one.
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
