//! Who may use the admin endpoints, and for what.

use serde_json::Value;

use super::Binding;
use super::fields::{Expect, Reader};
use super::secrets::is_something_else;
use crate::strict_json;

/// Somebody with an operator's token.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Operator {
    /// Whom the audit trail names.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// What they send. Who may send several is here several times.
    pub token: String,
}

/// What an operator may do; each role may do what those before it may.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Role {
    /// Look.
    Read,
    /// Help a customer: credits, keys, revocations, reading again from the provider.
    Support,
    /// Everything, also what an account may do and whether it is suspended.
    Admin,
}

impl Role {
    /// Every role and its word.
    pub const ALL: [(&str, Self); 3] =
        [("read", Self::Read), ("support", Self::Support), ("admin", Self::Admin)];

    /// The word in configuration and answers.
    pub fn word(self) -> &'static str {
        Self::ALL.iter().find(|(_, role)| *role == self).map_or("read", |(word, _)| word)
    }
}

pub(super) fn read(reader: &Reader<'_>) -> Vec<Operator> {
    let tokens = reader.secrets("ADMIN_TOKEN", MIN_TOKEN_BYTES).into_iter();
    let first = |token| Operator { name: "admin".to_owned(), role: Role::Admin, token };
    let mut operators: Vec<_> = tokens.map(first).collect();
    let text = match reader.bindings().value("ADMIN_TOKENS") {
        None => return operators,
        Some(Binding::Text(text)) if text.is_empty() => return operators,
        Some(Binding::Text(text)) => text,
        Some(Binding::Json(_)) => String::new(),
    };
    // What is wrong is said without a word of what stands there: it holds tokens.
    let list = strict_json::parse(&text).ok();
    let Some(Value::Array(items)) = list else {
        reader.mistake("ADMIN_TOKENS", "", "a value that is no JSON array", expected());
        return operators;
    };
    for (index, item) in items.iter().enumerate() {
        let field = format!("[{index}]");
        match operator(item) {
            Err(found) => reader.mistake("ADMIN_TOKENS", &field, found, expected()),
            Ok(own)
                if own.iter().any(|one| operators.iter().any(|other| other.token == one.token)) =>
            {
                reader.mistake("ADMIN_TOKENS", &field, "a token a second time", expected());
            }
            Ok(own) => operators.extend(own),
        }
    }
    operators
}

/// Shorter tokens can be guessed.
const MIN_TOKEN_BYTES: usize = 16;

fn expected() -> Expect<'static> {
    Expect::new(
        "a JSON array of objects with name, role (read, support or admin) and a token of at least \
         16 bytes; several tokens of one operator are apart by spaces",
        r#"[{"name":"anna","role":"support","token":"…"}]"#,
    )
}

/// One for each of an operator's tokens: there are several while one is changed for another.
fn operator(item: &Value) -> Result<Vec<Operator>, &'static str> {
    let fields = item.as_object().ok_or("something that is no object")?;
    if fields.keys().any(|name| !matches!(name.as_str(), "name" | "role" | "token")) {
        return Err("an unknown field");
    }
    let text =
        |name: &str| fields.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    let name = text("name").ok_or("no name")?;
    let word = text("role").ok_or("no role")?;
    let role = Role::ALL.iter().find(|(other, _)| *other == word).ok_or("an unknown role")?.1;
    let tokens = text("token").ok_or("no token")?;
    if let Some(what) = is_something_else(tokens, "ADMIN_TOKENS") {
        return Err(what);
    }
    let tokens: Vec<_> = tokens.split_whitespace().collect();
    if tokens.is_empty() || tokens.iter().any(|token| token.len() < MIN_TOKEN_BYTES) {
        return Err("a token that is too short");
    }
    let one = |token: &str| Operator { name: name.to_owned(), role, token: token.to_owned() };
    Ok(tokens.into_iter().map(one).collect())
}
