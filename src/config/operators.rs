//! The users of the admin endpoints, and their roles.

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::Binding;
use super::fields::{ConfigReader, Expect};
use super::secrets::is_something_else;
use crate::strict_json;
use crate::words::words;

/// Somebody with an operator's token.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Operator {
    /// The name in the audit trail.
    pub name: String,
    /// The rights of this operator.
    pub role: Role,
    /// Their token. An operator with several tokens is in the list several times.
    pub token: String,
}

impl Operator {
    /// The operator with this token. Compares hashes, so that the time depends neither on how much
    /// of a token is right, nor on the length of the right ones, nor on its owner. The given one is
    /// hashed once.
    pub fn of<'a>(operators: &'a [Self], token: &str) -> Option<&'a Self> {
        if token.len() > MAX_TOKEN_BYTES {
            return None;
        }
        let given = Sha256::digest(token);
        let mut found = None;
        // Every one is compared, so that the time doesn't depend on the match.
        for operator in operators {
            let expected = Sha256::digest(&operator.token);
            let differ =
                given.iter().zip(expected).fold(0, |all, (left, right)| all | (left ^ right));
            if differ == 0 {
                found = Some(operator);
            }
        }
        found
    }
}

words! {
    /// The role of an operator; each role may do what those before it may.
    #[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
    pub enum Role {
        /// Look.
        Read = "read",
        /// Help a customer: credits, keys, revocations, reading again from the provider.
        Support = "support",
        /// Everything, also what an account may do and whether it is suspended.
        Admin = "admin",
    }
}

pub(super) fn read(reader: &ConfigReader<'_>) -> Vec<Operator> {
    let tokens = reader.secrets("ADMIN_TOKEN", MIN_TOKEN_BYTES).into_iter();
    let fitting = tokens.filter(|token| {
        let fits = token.len() <= MAX_TOKEN_BYTES;
        if !fits {
            let expect = Expect::new("a token of 16 to 512 bytes", "openssl rand -base64 24");
            reader.mistake("ADMIN_TOKEN", "", "a token that is too long", expect);
        }
        fits
    });
    let first = |token| Operator { name: "admin".to_owned(), role: Role::Admin, token };
    let mut operators: Vec<_> = fitting.map(first).collect();
    let text = match reader.bindings().value("ADMIN_TOKENS") {
        None => return operators,
        Some(Binding::Text(text)) if text.is_empty() => return operators,
        Some(Binding::Text(text)) => text,
        Some(Binding::Json(_)) => String::new(),
    };
    // The mistake quotes nothing of the text: it holds tokens.
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
/// Longer ones are nobody's, so that a request's is not even hashed.
const MAX_TOKEN_BYTES: usize = 512;

fn expected() -> Expect<'static> {
    Expect::new(
        "a JSON array of objects with name, role (read, support or admin) and a token of 16 to 512 \
         bytes; several tokens of one operator are apart by spaces",
        r#"[{"name":"anna","role":"support","token":"…"}]"#,
    )
}

/// One for each of an operator's tokens: there are several while one is changed for another.
/// [`Fields`](super::fields::Fields) is no reader for them, since its mistakes quote names and
/// values.
fn operator(item: &Value) -> Result<Vec<Operator>, &'static str> {
    let fields = item.as_object().ok_or("something that is no object")?;
    if fields.keys().any(|name| !matches!(name.as_str(), "name" | "role" | "token")) {
        return Err("an unknown field");
    }
    let text =
        |name: &str| fields.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    let name = text("name").ok_or("no name")?;
    let word = text("role").ok_or("no role")?;
    let role = Role::from_word(word).ok_or("an unknown role")?;
    let tokens = text("token").ok_or("no token")?;
    if let Some(what) = is_something_else(tokens, "ADMIN_TOKENS") {
        return Err(what);
    }
    let tokens: Vec<_> = tokens.split_whitespace().collect();
    if tokens.is_empty() || tokens.iter().any(|token| token.len() < MIN_TOKEN_BYTES) {
        return Err("a token that is too short");
    }
    if tokens.iter().any(|token| token.len() > MAX_TOKEN_BYTES) {
        return Err("a token that is too long");
    }
    let one = |token: &str| Operator { name: name.to_owned(), role, token: token.to_owned() };
    Ok(tokens.into_iter().map(one).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_its_operators_and_nothing_else_is() {
        let operator =
            |name: &str, token: String| Operator { name: name.to_owned(), role: Role::Read, token };
        let longest = "x".repeat(MAX_TOKEN_BYTES);
        let all =
            [operator("anna", "0123456789abcdef".to_owned()), operator("ben", longest.clone())];
        let found = |token: &str| Operator::of(&all, token).map(|one| one.name.as_str());
        assert_eq!((found("0123456789abcdef"), found(&longest)), (Some("anna"), Some("ben")));
        let more = format!("{longest}x");
        for wrong in ["", "0123456789abcde", "0123456789abcdeF", &more, longest.split_at(1).1] {
            assert_eq!(found(wrong), None, "{wrong}");
        }
        assert_eq!(Operator::of(&[], ""), None);
    }
}
