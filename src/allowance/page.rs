//! The requests that are views, and the page of each.

use super::key::AllowanceKey;
use super::tally::{Page, ReaderId};
use crate::request::{Readings, RequestFacts};

impl Page {
    /// The page that a request asks for: its path as it was written, and its query. It has a name
    /// under each value of the secret, the one under the first value first.
    ///
    /// A slash at the end makes no other page, and neither do the parameters by which advertisers
    /// follow a reader around. Every other parameter does: on many sites the query names the
    /// article, and one view must not open them all.
    pub fn names(
        facts: &RequestFacts,
        readings: &Readings<'_>,
        reader: &ReaderId,
        key: &AllowanceKey,
    ) -> Vec<Self> {
        let path = readings.iter().next().unwrap_or_default();
        let path = path.strip_suffix(b"/").unwrap_or(path);
        let mut parts: Vec<&[u8]> = vec![path];
        let query = facts.query.as_deref().unwrap_or_default();
        for parameter in query.split('&').filter(|parameter| !is_tracking(parameter)) {
            // No path and no query has a NUL in it, so none of them can look like another's end.
            parts.push(b"\0");
            parts.push(parameter.as_bytes());
        }
        key.page_names(reader, &parts)
    }
}

/// Whether a request with this method can be a view. Others are never free: their effect can't be
/// seen once and remembered.
pub fn is_view(method: &str) -> bool {
    matches!(method, "GET" | "HEAD")
}

/// Whether the origin delivered the page, so that the view counts. The target of a redirect
/// counts instead, and an error is none of the reader's doing.
pub const fn is_delivered(status: u16) -> bool {
    matches!(status, 101 | 200..=299 | 304)
}

/// Whether `parameter` names the reader's origin rather than a page; also an empty one.
fn is_tracking(parameter: &str) -> bool {
    let name = parameter.split('=').next().unwrap_or_default();
    parameter.is_empty() || name.starts_with("utm_") || TRACKING.contains(&name)
}

/// The click identifiers of advertising networks, mailings and social networks.
const TRACKING: [&str; 12] = [
    "_ga", "dclid", "fbclid", "gbraid", "gclid", "igshid", "mc_cid", "mc_eid", "msclkid", "ttclid",
    "twclid", "wbraid",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::readings;

    fn page(target: &str) -> Page {
        page_of(target, "reader")
    }

    fn page_of(target: &str, reader: &str) -> Page {
        let key = AllowanceKey::new("secret");
        let facts = RequestFacts::from_lines(&format!("GET\nhttps://a.example{target}")).unwrap();
        Page::names(&facts, &readings(&facts.path).unwrap(), &key.reader_id(reader), &key)[0]
    }

    #[test]
    fn one_page_may_be_written_in_several_ways() {
        let same = page("/articles/caf%C3%A9");
        for target in [
            "/articles/caf%c3%a9",
            "/articles/caf%C3%A9/",
            "/articles/caf%C3%A9?",
            "/articles/caf%C3%A9?utm_source=x&fbclid=1&&gclid",
        ] {
            assert_eq!(page(target), same, "{target}");
        }
    }

    #[test]
    fn what_may_be_another_article_is_another_page() {
        let targets = [
            "/",
            "/a",
            "/A",
            "/b",
            "/a//",
            "/a/b",
            "/?p=1",
            "/?p=2",
            "/?p=1&q=2",
            "/?q=2&p=1",
            "/?p=1q=2",
            "/?utm=1",
            "/?xutm_source=1",
            "/a?gclid_=1",
            "/a%2Fb",
            "/a;b",
        ];
        let pages = targets.map(page);
        for (index, one) in pages.iter().enumerate() {
            assert!(!pages[..index].contains(one), "{}", targets[index]);
        }
    }

    #[test]
    fn two_readers_of_one_page_can_not_be_told_by_it() {
        assert_ne!(page_of("/a", "one"), page_of("/a", "other"));
    }

    #[test]
    fn only_what_was_read_and_delivered_counts() {
        assert!(is_view("GET") && is_view("HEAD"));
        assert!(["POST", "get", "OPTIONS", ""].into_iter().all(|method| !is_view(method)));
        assert!([101, 200, 206, 304].into_iter().all(is_delivered));
        assert!([103, 301, 302, 307, 401, 404, 500, 503].into_iter().all(|one| !is_delivered(one)));
    }
}
