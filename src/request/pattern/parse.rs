//! From the text of a pattern to the pattern.

use super::error::PatternError;
use super::{HostPattern, Methods, RoutePattern, Segment};
use crate::request::path::readings;
use crate::text::percent;
use crate::text::percent::DecodeError;

impl RoutePattern {
    /// Parses `[METHODS ][host]/path`.
    ///
    /// # Errors
    ///
    /// The first mistake in it.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        parse(text)
    }
}

/// Parses `[METHODS ][host]/path`; see [`RoutePattern::parse`].
fn parse(text: &str) -> Result<RoutePattern, PatternError> {
    let (methods, target) = match text.split_once(' ') {
        Some((methods, target)) if !methods.contains('/') => (parse_methods(methods)?, target),
        _ => (Methods::Any, text),
    };
    if target.contains(char::is_whitespace) {
        return Err(PatternError::Space);
    }
    let target = without_scheme(target)?;
    let Some(slash) = target.find('/') else { return Err(no_path(target)) };
    let (host, path) = target.split_at_checked(slash).unwrap_or(("", target));
    let host = parse_host(host)?;
    let (segments, open_end) = parse_path(path)?;
    Ok(RoutePattern { text: text.to_owned(), methods, host, segments, open_end })
}

fn parse_methods(text: &str) -> Result<Methods, PatternError> {
    if text == "*" {
        return Ok(Methods::Any);
    }
    let mut names: Vec<String> = Vec::new();
    for name in text.split(',') {
        if name.is_empty() {
            return Err(PatternError::NoMethod { methods: text.to_owned() });
        }
        if name == "*" {
            return Err(PatternError::AnyMethodAmongOthers { methods: text.to_owned() });
        }
        if name.contains('.') {
            return Err(PatternError::HostForMethods(name.to_owned()));
        }
        if let Some(strange) = name.chars().find(|character| !is_token_character(*character)) {
            return Err(PatternError::MethodCharacter { method: name.to_owned(), strange });
        }
        if name.bytes().any(|byte| byte.is_ascii_lowercase()) {
            return Err(PatternError::LowerCaseMethod(name.to_owned()));
        }
        if !names.iter().any(|known| known == name) {
            names.push(name.to_owned());
        }
    }
    Ok(Methods::Listed(names))
}

/// `tchar` of RFC 9110 §5.6.2.
fn is_token_character(character: char) -> bool {
    character.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(character)
}

fn without_scheme(target: &str) -> Result<&str, PatternError> {
    match target.split_once("://") {
        Some((scheme, rest)) if !scheme.contains('/') => {
            Err(PatternError::Scheme { scheme: scheme.to_owned(), rest: rest.to_owned() })
        }
        _ => Ok(target),
    }
}

fn no_path(target: &str) -> PatternError {
    if target.is_empty() {
        return PatternError::Nothing;
    }
    let target = target.to_owned();
    if target.contains('.') {
        PatternError::HostAlone(target)
    } else if target.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b',') {
        PatternError::MethodsAlone(target)
    } else {
        PatternError::NoSlash(target)
    }
}

fn parse_host(text: &str) -> Result<HostPattern, PatternError> {
    if text.is_empty() {
        return Ok(HostPattern::Any);
    }
    if text == "*" {
        return Err(PatternError::AnyHost);
    }
    if let Some((name, _)) = text.split_once(':') {
        return Err(PatternError::Port { name: name.to_owned(), host: text.to_owned() });
    }
    let (name, below) = match text.strip_prefix("*.") {
        Some(name) => (name, true),
        None => (text, false),
    };
    if name.contains('*') {
        return Err(PatternError::HostWildcard(text.to_owned()));
    }
    if !name.is_ascii() {
        return Err(PatternError::HostNotAscii(text.to_owned()));
    }
    let name = name.to_ascii_lowercase();
    if !name.split('.').all(is_label) {
        return Err(PatternError::NoHost(text.to_owned()));
    }
    Ok(if below { HostPattern::Below(format!(".{name}")) } else { HostPattern::Exact(name) })
}

fn is_label(label: &str) -> bool {
    let characters_fit = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    !label.is_empty() && label.bytes().all(characters_fit)
}

fn parse_path(path: &str) -> Result<(Vec<Segment>, bool), PatternError> {
    refuse_url_parts(path)?;
    let path = path.strip_prefix('/').unwrap_or(path);
    let path = path.strip_suffix('/').unwrap_or(path);
    if path.is_empty() {
        return Ok((Vec::new(), false));
    }
    let mut segments = Vec::new();
    let mut parts = path.split('/').peekable();
    while let Some(part) = parts.next() {
        match part {
            "**" if parts.peek().is_none() => return Ok((segments, true)),
            "**" => return Err(PatternError::RestNotLast),
            "*" => segments.push(Segment::Any),
            _ => segments.push(Segment::Literal(parse_literal(part)?)),
        }
    }
    Ok((segments, false))
}

fn refuse_url_parts(path: &str) -> Result<(), PatternError> {
    let parts = [
        ("?", PatternError::Query),
        ("#", PatternError::Fragment),
        ("\\", PatternError::Backslash),
        (";", PatternError::Parameters),
        ("//", PatternError::TwoSlashes),
    ];
    let found = parts.into_iter().find(|(part, _)| path.contains(part));
    found.map_or(Ok(()), |(_, error)| Err(error))
}

/// A segment without wildcard, percent-decoded; it must have one reading only, as a request for it
/// could otherwise never be told from one for its neighbour.
fn parse_literal(part: &str) -> Result<String, PatternError> {
    if part.contains('*') {
        return Err(PatternError::PartialWildcard(part.to_owned()));
    }
    if part.starts_with(':') || part.contains(['{', '}']) {
        return Err(PatternError::NamedParameter(part.to_owned()));
    }
    if part == "." || part == ".." {
        return Err(PatternError::Dots(part.to_owned()));
    }
    let decoded = decode(part)?;
    let path = format!("/{decoded}");
    let meaning = readings(&path).ok().filter(|found| found.is_single() && !decoded.contains('/'));
    if meaning.is_none() {
        return Err(PatternError::Ambiguous(part.to_owned()));
    }
    Ok(decoded)
}

fn decode(part: &str) -> Result<String, PatternError> {
    percent::decode(part).map_err(|error| match error {
        DecodeError::Digits => PatternError::Percent(part.to_owned()),
        DecodeError::Utf8 => PatternError::NotUtf8(part.to_owned()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The mistake in `text`.
    fn error(text: &str) -> String {
        parse(text).expect_err(text).to_string()
    }

    #[test]
    fn all_parts_are_read() {
        let pattern = parse("GET,POST,GET *.Example.com/caf%C3%A9/*/my%20x/**").unwrap();
        assert_eq!(pattern.methods, Methods::Listed(vec!["GET".into(), "POST".into()]));
        assert_eq!(pattern.host, HostPattern::Below(".example.com".into()));
        let literal = |name: &str| Segment::Literal(name.into());
        assert_eq!(pattern.segments, [literal("café"), Segment::Any, literal("my x")]);
        assert!(pattern.open_end);
        assert_eq!(parse("/").unwrap().segments, []);
        assert_eq!(parse("/docs/").unwrap().segments, parse("* /docs").unwrap().segments);
        assert_eq!(parse("M-SEARCH /x").unwrap().methods, Methods::Listed(vec!["M-SEARCH".into()]));
    }

    #[test]
    fn every_mistake_is_named_with_what_is_right() {
        for (text, right) in [
            ("", "`/**`"),
            ("GET", "`GET /**`"),
            ("GET ", "`/**`"),
            ("articles", "`/articles`"),
            ("example.com", "`example.com/**`"),
            ("get /x", "`GET`"),
            ("Get /x", "`GET`"),
            ("GET, POST /x", "a method is missing"),
            ("GET,,POST /x", "a method is missing"),
            ("GET,* /x", "`* /path`"),
            ("GE(T /x", "`(` can't stand in the method"),
            ("GET  /x", "a space too many"),
            ("/my files", "`%20`"),
            ("example.com /x", "`example.com/path`"),
            ("https://example.com/x", "`example.com/x`"),
            ("example.com:8080/x", "`example.com` rather than"),
            ("*/x", "leaving it out"),
            ("a.*.com/x", "`*.example.com`"),
            ("*example.com/x", "`*.example.com`"),
            ("ex_ample..com/x", "not a host name"),
            ("münchen.de/x", "`xn--`"),
            ("/a*", "a whole segment"),
            ("/**a", "a whole segment"),
            ("/a/**/b", "only come last"),
            ("/a?b=c", "the `?`"),
            ("/a#b", "`#`"),
            ("/a\\b", "backslash"),
            ("/a;b=c", "`;` starts parameters"),
            ("/a//b", "write one"),
            ("/a/../b", "leave it out"),
            ("/a/%2e%2e/b", "several ways"),
            ("/users/:id", "named parameter"),
            ("/users/{id}", "named parameter"),
            ("/100%", "hexadecimal"),
            ("/a%+fb", "hexadecimal"),
            ("/a%2€", "hexadecimal"),
            ("/f%FCr", "not UTF-8"),
            ("/a%2Fb", "several ways"),
            ("/100%25", "several ways"),
            ("/inc.", "several ways"),
            ("/a%00b", "several ways"),
            ("/ａｂｃ", "several ways"),
        ] {
            let sentence = error(text);
            assert!(sentence.contains(right), "`{text}`: {sentence}");
        }
    }
}
