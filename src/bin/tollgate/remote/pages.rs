//! Lists that come page by page.

use std::io::{self, IsTerminal as _};

use clap::Args;
use serde_json::Value;

use super::{Gate, encoded_segment};
use crate::commands::Failure;

/// The length of a list.
#[derive(Args, Clone, Default)]
pub(crate) struct Listing {
    /// No more than so many; all where it is not said.
    #[arg(long, value_name = "COUNT")]
    limit: Option<usize>,
}

/// Everything in a list, page after page. `query` is what it is narrowed by.
pub(crate) fn list(
    gate: &Gate,
    path: &str,
    query: &[(&str, Option<&str>)],
    listing: &Listing,
) -> Result<Vec<Value>, Failure> {
    let mut items = Vec::new();
    let mut cursor: Option<String> = None;
    let most = listing.limit.unwrap_or(usize::MAX);
    loop {
        let page = most.saturating_sub(items.len()).min(PAGE).to_string();
        let mut parameters = vec![format!("limit={page}")];
        for (name, value) in query.iter().chain(&[("cursor", cursor.as_deref())]) {
            let value = value.map(|value| format!("{name}={}", encoded_segment(value)));
            parameters.extend(value);
        }
        let got = gate.get(&format!("{path}?{}", parameters.join("&")))?;
        let page = got.get("items").and_then(Value::as_array).cloned();
        items.extend(page.ok_or_else(|| Failure::unreachable(path, &"it sent no list"))?);
        let next = got.get("next_cursor").and_then(Value::as_str).map(str::to_owned);
        if items.len() >= most || next.is_none() {
            items.truncate(most);
            return Ok(items);
        }
        if next == cursor {
            return Err(Failure::unreachable(path, &"its pages don't go on"));
        }
        cursor = next;
        progress(&format!("{} so far", items.len()));
    }
}

/// Says how far it is, to a person who watches.
pub(crate) fn progress(text: &str) {
    if io::stderr().is_terminal() {
        eprintln!("… {text}");
    }
}

/// The most that the gate gives at a time.
const PAGE: usize = 100;
