//! The query of an operation: known names only, each once. And pages of lists.

use std::ops::Range;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::invalid::InvalidRequest;
use super::operation::decoded;

/// The values of a query, by name.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Query(Vec<(&'static str, String)>);

impl Query {
    /// Reads a query, `a=1&b=2`, with the names in `known`.
    ///
    /// # Errors
    ///
    /// A parameter is not known, stands there twice, or has no value.
    pub fn parse(query: &str, known: &[&'static str]) -> Result<Self, InvalidRequest> {
        let mut found: Vec<(&'static str, String)> = Vec::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let name = known.iter().find(|one| **one == name);
            let value = decoded(&value.replace('+', "%20"));
            match (name, value) {
                (Some(name), Some(value)) if found.iter().all(|(other, _)| other != name) => {
                    found.push((name, value));
                }
                _ => return Err(InvalidRequest::Parameters { known: known.to_vec() }),
            }
        }
        Ok(Self(found))
    }

    /// The value of a name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(other, _)| *other == name).map(|(_, value)| value.as_str())
    }

    /// The requested page of a list.
    ///
    /// # Errors
    ///
    /// `limit` or `cursor` is wrong.
    pub fn page(&self) -> Result<PageRequest, InvalidRequest> {
        let limit = match self.get("limit") {
            None => DEFAULT_LIMIT,
            Some(text) => {
                let digits = text.len() <= 3 && text.bytes().all(|one| one.is_ascii_digit());
                let limit =
                    text.parse().ok().filter(|limit| digits && (1..=MAX_LIMIT).contains(limit));
                limit.ok_or(LIMIT)?
            }
        };
        let bytes = |text| URL_SAFE_NO_PAD.decode(text).ok();
        let after = match self.get("cursor") {
            None => None,
            Some(text) => {
                let read = bytes(text).and_then(|bytes| String::from_utf8(bytes).ok());
                Some(read.ok_or(InvalidRequest::CURSOR)?)
            }
        };
        Ok(PageRequest { limit, after })
    }
}

/// The requested part of a list.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PageRequest {
    /// The most entries.
    pub limit: usize,
    /// The end of the page before; `None` for the first.
    pub after: Option<String>,
}

impl PageRequest {
    /// The page of a list that is there as a whole, and its end if it is not the last. `ids`
    /// identify the entries; they must neither change nor go away while pages are turned.
    ///
    /// # Errors
    ///
    /// The cursor is none of this list's.
    pub fn of<'a>(
        &self,
        ids: &[&'a str],
    ) -> Result<(Range<usize>, Option<&'a str>), InvalidRequest> {
        let start = match &self.after {
            None => 0,
            Some(after) => {
                let place = ids.iter().position(|id| id == after);
                place.ok_or(InvalidRequest::CURSOR)?.saturating_add(1)
            }
        };
        let end = start.saturating_add(self.limit).min(ids.len());
        let is_last = end == ids.len();
        let last = end.checked_sub(1).and_then(|last| ids.get(last)).copied();
        Ok((start..end, last.filter(|_| !is_last)))
    }
}

const LIMIT: InvalidRequest = InvalidRequest::parameter("limit", "a number from 1 to 100");
const DEFAULT_LIMIT: usize = 20;
const MAX_LIMIT: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::admin::view::{Listing, to_json};

    fn page(query: &str) -> Result<PageRequest, InvalidRequest> {
        let query = Query::parse(query, &["limit", "cursor"]).unwrap();
        query.page()
    }

    #[test]
    fn what_is_not_known_is_refused() {
        let known = &["plan", "member"];
        let query = Query::parse("member=a+b%26&plan=%C3%BC&", known).unwrap();
        assert_eq!((query.get("plan"), query.get("member")), (Some("ü"), Some("a b&")));
        for wrong in ["plans=a", "plan=a&plan=a", "plan=", "plan", "plan=%zz", "=a", "%70lan=a"] {
            let error = Query::parse(wrong, known).unwrap_err().to_string();
            assert!(error.contains("expected plan= or member="), "{wrong}: {error}");
        }
        let error = Query::parse("a=1", &[]).unwrap_err();
        assert_eq!(error.to_string(), "The query: expected none.");
    }

    #[test]
    fn pages_follow_each_other() {
        let all = ["0ü", "1", "2", "3", "4"];
        let mut query = "limit=2".to_owned();
        let mut seen: Vec<&str> = Vec::new();
        loop {
            let (range, next) = page(&query).unwrap().of(&all).unwrap();
            assert!(range.len() <= 2);
            seen.extend(&all[range]);
            let json = to_json(&Listing::<()>::new([], next));
            let Some(next) = next else {
                assert!(json.ends_with("\"next_cursor\":null}"));
                break;
            };
            query = format!("limit=2&cursor={}", URL_SAFE_NO_PAD.encode(next));
            assert!(json.contains(query.split_at("limit=2&cursor=".len()).1));
        }
        assert_eq!(seen, all);
        assert_eq!(page("").unwrap().of(&[]).unwrap(), (0..0, None));
        assert_eq!(page("").unwrap(), PageRequest { limit: 20, after: None });
        for wrong in
            ["limit=0", "limit=101", "limit=-1", "limit=+1", "limit=1.5", "cursor=%20", "cursor=_w"]
        {
            assert!(page(wrong).is_err(), "{wrong}");
        }
        assert!(page("cursor=eA").unwrap().of(&all).is_err(), "another list's");
    }
}
