//! What operators are shown, as JSON.

use crate::account::ApiKey;
use crate::quota::store::AuditEntry;
use crate::strict_json;

/// An API key, without its secret.
pub fn key(key: &ApiKey) -> String {
    let json = serde_json::to_string(key).unwrap_or_default();
    with_member(json, &format!("\"prefix\":\"{}{}\"", ApiKey::MARK, key.id))
}

/// Whose requests a key makes, of one that is shown.
pub fn member_of_key(shown: &str) -> Option<String> {
    let key = strict_json::parse(shown).ok()?;
    key.get("member")?.as_str().map(str::to_owned)
}

/// An entry of the audit trail. What was done stands in it as JSON already.
pub fn audit_entry(entry: &AuditEntry) -> String {
    let AuditEntry { at, actor, action, detail } = entry;
    let [actor, action] = [actor, action].map(|text| quoted(text));
    let detail = if detail.starts_with('{') { detail.clone() } else { quoted(detail) };
    let at = at.rfc3339_exact();
    format!("{{\"at\":\"{at}\",\"actor\":{actor},\"action\":{action},\"detail\":{detail}}}")
}

/// A text as JSON.
pub fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap_or_default()
}

/// A JSON object that is not empty, with one member more: `"name":value`.
pub fn with_member(mut object: String, member: &str) -> String {
    if object.pop() == Some('}') {
        object.push(',');
        object.push_str(member);
        object.push('}');
    }
    object
}
