//! JSON as a person reads it: a list as a table, an object as indented lines.

use std::fmt::Write as _;

use serde_json::Value;

/// Items as a table with these columns; one that no item has is left out.
pub(crate) fn table(items: &[Value], columns: &[&str]) -> String {
    let has = |column: &&&str| {
        items.iter().any(|item| item.get(**column).is_some_and(|value| !value.is_null()))
    };
    let columns: Vec<&str> = columns.iter().filter(has).copied().collect();
    let row = |item: &Value| -> Vec<String> {
        columns.iter().map(|column| short(item.get(*column).unwrap_or(&Value::Null))).collect()
    };
    let rows: Vec<_> = items.iter().map(row).collect();
    let head: Vec<String> = columns.iter().map(|column| column.replace('_', " ")).collect();
    let width = |place: usize| {
        let cells = rows.iter().chain([&head]).filter_map(|row| row.get(place));
        cells.map(|cell| cell.chars().count()).max().unwrap_or_default()
    };
    let mut text = String::new();
    for row in [&head].into_iter().chain(&rows) {
        let mut line = String::new();
        for (place, cell) in row.iter().enumerate() {
            let width = width(place).saturating_add(2);
            let _ = write!(line, "{cell:<width$}");
        }
        let _ = writeln!(text, "{}", line.trim_end());
    }
    text
}

/// A list, or what is said where it is empty.
pub(crate) fn table_or(items: &[Value], columns: &[&str], nothing: &str) -> String {
    if items.is_empty() { format!("{nothing}\n") } else { table(items, columns) }
}

/// Any value, a line for each of its parts.
pub(crate) fn plain(value: &Value) -> String {
    let mut text = String::new();
    put(value, 0, &mut text);
    text
}

fn put(value: &Value, depth: usize, text: &mut String) {
    let indent = "  ".repeat(depth);
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                if is_flat(value) {
                    let _ = writeln!(text, "{indent}{name}: {}", short(value));
                } else {
                    let _ = writeln!(text, "{indent}{name}:");
                    put(value, depth.saturating_add(1), text);
                }
            }
        }
        Value::Array(items) => {
            for item in items {
                let mut inner = String::new();
                put(item, depth.saturating_add(1), &mut inner);
                // The first line of an item carries its mark.
                let rest = inner.get(indent.len().saturating_add(2)..).unwrap_or(&inner);
                let _ = write!(text, "{indent}- {rest}");
            }
        }
        flat => {
            let _ = writeln!(text, "{indent}{}", short(flat));
        }
    }
}

/// Whether a value fits behind its name.
fn is_flat(value: &Value) -> bool {
    match value {
        Value::Object(fields) => fields.is_empty(),
        Value::Array(items) => items.iter().all(|item| !item.is_object() && !item.is_array()),
        _ => true,
    }
}

fn short(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(items) if is_flat(value) => {
            let items: Vec<_> = items.iter().map(short).collect();
            if items.is_empty() { "-".to_owned() } else { items.join(", ") }
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn lists_are_tables_of_what_is_there() {
        let items = [
            json!({"id": "a", "at": null, "n": 1}),
            json!({"id": "long one", "ok": true, "at": null}),
        ];
        let expected = "id        n  ok\na         1  -\nlong one  -  yes\n";
        assert_eq!(table(&items, &["id", "n", "at", "ok"]), expected);
        assert_eq!(table_or(&[], &["id"], "Nothing."), "Nothing.\n");
    }

    #[test]
    fn objects_are_indented_lines() {
        let value = json!({
            "plan": "pro", "tags": ["a", "b"],
            "subs": [{"id": "s1", "deep": {"x": 1}}, {"id": "s2"}],
        });
        let expected =
            "plan: pro\nsubs:\n  - deep:\n      x: 1\n    id: s1\n  - id: s2\ntags: a, b\n";
        assert_eq!(plain(&value), expected);
    }
}
