//! The two ways in which bodies are written: JSON, and lines of plain text.

use serde::Serialize;

/// `value` as JSON.
pub(super) fn to_json(value: &impl Serialize) -> String {
    let mut bytes = Vec::with_capacity(BODY_CAPACITY);
    // Neither can fail: the types hold no map with odd keys, and JSON is UTF-8.
    let _ = serde_json::to_writer(&mut bytes, value);
    String::from_utf8(bytes).unwrap_or_default()
}

/// Adds one line for a terminal: text from elsewhere can't move its cursor.
pub(super) fn push_line(out: &mut String, parts: &[&str]) {
    for part in parts {
        out.extend(part.chars().map(|one| if one.is_control() { ' ' } else { one }));
    }
    out.push('\n');
}

/// Holds an ordinary body without growing, in bytes.
pub(super) const BODY_CAPACITY: usize = 1_024;
