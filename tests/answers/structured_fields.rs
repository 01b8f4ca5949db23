//! A strict parser of structured field lists, by the algorithms of RFC 9651 §4.2.
//!
//! Written from the RFC and apart from the code that it tests. Knows integers, strings and tokens,
//! which is all that our fields hold; anything else is an error.

use std::collections::BTreeMap;

/// A bare item.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Bare {
    /// §4.2.4, without decimals.
    Integer(i64),
    /// §4.2.5.
    String(String),
    /// §4.2.6.
    Token(String),
}

/// An item with its parameters.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Item {
    /// The item itself.
    pub(crate) bare: Bare,
    /// Its parameters; none of ours is without a value.
    pub(crate) parameters: BTreeMap<String, Bare>,
}

/// §4.2.1; inner lists are refused.
pub(crate) fn parse_list(text: &str) -> Result<Vec<Item>, String> {
    if !text.is_ascii() {
        return Err(format!("not ASCII: {text:?}"));
    }
    let mut rest = text.trim_matches(' ');
    let mut items = Vec::new();
    while !rest.is_empty() {
        let (item, after) = parse_item(rest)?;
        items.push(item);
        rest = after.trim_start_matches([' ', '\t']);
        if rest.is_empty() {
            break;
        }
        let after = rest.strip_prefix(',').ok_or_else(|| format!("no comma: {rest:?}"))?;
        rest = after.trim_start_matches([' ', '\t']);
        if rest.is_empty() {
            return Err("trailing comma".into());
        }
    }
    Ok(items)
}

fn parse_item(text: &str) -> Result<(Item, &str), String> {
    let (bare, mut rest) = parse_bare(text)?;
    let mut parameters = BTreeMap::new();
    while let Some(after) = rest.strip_prefix(';') {
        let after = after.trim_start_matches(' ');
        if !after.starts_with(|first: char| first.is_ascii_lowercase() || first == '*') {
            return Err(format!("not a key: {after:?}"));
        }
        let in_key =
            |one: char| one.is_ascii_lowercase() || one.is_ascii_digit() || "_-.*".contains(one);
        let end = after.find(|one| !in_key(one)).unwrap_or(after.len());
        let (key, after) = after.split_at(end);
        let after = after.strip_prefix('=').ok_or_else(|| format!("{key} has no value"))?;
        let (value, after) = parse_bare(after)?;
        parameters.insert(key.to_owned(), value);
        rest = after;
    }
    Ok((Item { bare, parameters }, rest))
}

fn parse_bare(text: &str) -> Result<(Bare, &str), String> {
    match text.chars().next() {
        Some('"') => parse_string(text),
        Some('-' | '0'..='9') => parse_integer(text),
        Some(first) if first.is_ascii_alphabetic() || first == '*' => {
            let in_token =
                |one: char| one.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~:/".contains(one);
            let end = text.find(|one| !in_token(one)).unwrap_or(text.len());
            let (token, rest) = text.split_at(end);
            Ok((Bare::Token(token.to_owned()), rest))
        }
        _ => Err(format!("not an item: {text:?}")),
    }
}

fn parse_integer(text: &str) -> Result<(Bare, &str), String> {
    let digits_from = usize::from(text.starts_with('-'));
    let digits = text[digits_from..].bytes().take_while(u8::is_ascii_digit).count();
    let (number, rest) = text.split_at(digits_from + digits);
    if digits == 0 || digits > 15 || rest.starts_with('.') {
        return Err(format!("not an integer: {text:?}"));
    }
    let number = number.parse().map_err(|error| format!("{number}: {error}"))?;
    Ok((Bare::Integer(number), rest))
}

fn parse_string(text: &str) -> Result<(Bare, &str), String> {
    let mut out = String::new();
    let mut characters = text.char_indices().skip(1);
    while let Some((at, one)) = characters.next() {
        match one {
            '\\' => match characters.next() {
                Some((_, escaped @ ('"' | '\\'))) => out.push(escaped),
                other => return Err(format!("bad escape {other:?}")),
            },
            '"' => return Ok((Bare::String(out), &text[at + 1..])),
            ' '..='~' => out.push(one),
            other => return Err(format!("not printable: {other:?}")),
        }
    }
    Err(format!("no closing quote: {text:?}"))
}

#[test]
fn the_parser_refuses_what_the_rfc_refuses() {
    for wrong in ["\"a", "\"\\x\"", "a,", "a b", "1234567890123456", "a;B=1", "a;b", "\"\t\"", "é"]
    {
        assert!(parse_list(wrong).is_err(), "{wrong:?}");
    }
    assert_eq!(parse_list("a;b=-1 ,\t\"x\\\"\"").map(|items| items.len()), Ok(2));
}
