//! The display of a value in a mistake: short, and without anything that may be a secret. Mistakes
//! can be read by anybody who asks for the gate's health.

use serde_json::Value;

/// A value as it is shown in a mistake, cut to a readable length. Of a table, only what its fields
/// are called: a key that stands in the wrong place must not be repeated.
pub(super) fn shown(value: &Value) -> String {
    match value {
        Value::Object(map) => {
            let names: Vec<_> = map.keys().map(String::as_str).collect();
            short(&format!("a table of {{{}}}", names.join(", ")))
        }
        Value::Array(items) if items.iter().any(|item| item.is_object() || item.is_array()) => {
            "an array of tables or arrays".to_owned()
        }
        other => short(&other.to_string()),
    }
}

/// A URL as it is shown in a mistake: without user name, password and query.
pub(super) fn shown_url(text: &str) -> String {
    let visible = text.split('?').next().unwrap_or_default();
    match visible.rsplit_once('@') {
        Some((_, host)) => short(&format!("{:?}", format!("…@{host}"))),
        None => short(&format!("{visible:?}")),
    }
}

const MAX_SHOWN: usize = 80;

fn short(text: &str) -> String {
    if text.chars().count() <= MAX_SHOWN {
        return text.to_owned();
    }
    text.chars().take(MAX_SHOWN).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn shows_what_helps_and_hides_what_may_be_secret() {
        assert_eq!(shown(&json!("a\n")), r#""a\n""#);
        assert_eq!(shown(&json!([1, "two"])), r#"[1,"two"]"#);
        assert_eq!(shown(&json!({"kty": "oct", "k": "secret"})), "a table of {k, kty}");
        assert_eq!(shown(&json!([{"k": "secret"}])), "an array of tables or arrays");
        assert_eq!(shown(&json!("ü".repeat(100))).chars().count(), 81);
        assert_eq!(shown_url("http://a.example/x?token=secret"), r#""http://a.example/x""#);
        assert_eq!(shown_url("https://user:secret@a.example"), r#""…@a.example""#);
    }
}
