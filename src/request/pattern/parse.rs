//! From the text of a pattern to the pattern, with sentences that help its author.

use super::{HostPattern, Methods, RoutePattern, Segment};
use crate::request::path::readings;
use crate::text::percent;
use crate::text::percent::DecodeError;

impl RoutePattern {
    /// Parses `[METHODS ][host]/path`.
    ///
    /// # Errors
    ///
    /// A sentence for the operator: what is wrong, and what would be right.
    pub fn parse(text: &str) -> Result<Self, String> {
        parse(text)
    }
}

/// Parses `[METHODS ][host]/path`; see [`RoutePattern::parse`].
fn parse(text: &str) -> Result<RoutePattern, String> {
    let (methods, target) = match text.split_once(' ') {
        Some((methods, target)) if !methods.contains('/') => (parse_methods(methods)?, target),
        _ => (Methods::Any, text),
    };
    if target.contains(char::is_whitespace) {
        return Err(
            "there is a space too many: one stands between the methods and the path, as in \
                    `GET,POST /articles/**`, and a space in a path is written `%20`"
                .to_owned(),
        );
    }
    let target = without_scheme(target)?;
    let Some(slash) = target.find('/') else { return Err(no_path(target)) };
    let (host, path) = target.split_at_checked(slash).unwrap_or(("", target));
    let host = parse_host(host)?;
    let (segments, open_end) = parse_path(path)?;
    Ok(RoutePattern { text: text.to_owned(), methods, host, segments, open_end })
}

fn parse_methods(text: &str) -> Result<Methods, String> {
    if text == "*" {
        return Ok(Methods::Any);
    }
    let mut names: Vec<String> = Vec::new();
    for name in text.split(',') {
        if name.is_empty() {
            return Err(format!(
                "a method is missing in `{text}`: list methods with commas and without spaces, as \
                 in `GET,POST /path`, or leave them out for any method"
            ));
        }
        if name == "*" {
            return Err(format!("`*` in `{text}` is any method already: write `* /path`"));
        }
        if name.contains('.') {
            return Err(format!(
                "`{name}` stands where methods do: host and path go together without a space, as in \
                 `{name}/path`"
            ));
        }
        if let Some(strange) = name.chars().find(|character| !is_token_character(*character)) {
            return Err(format!(
                "`{strange}` can't stand in the method `{name}`: a pattern is methods, a space, and \
                 a path, as in `GET,POST /path`"
            ));
        }
        if name.bytes().any(|byte| byte.is_ascii_lowercase()) {
            let upper = name.to_ascii_uppercase();
            return Err(format!("methods are upper case: write `{upper}` rather than `{name}`"));
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

fn without_scheme(target: &str) -> Result<&str, String> {
    match target.split_once("://") {
        Some((scheme, rest)) if !scheme.contains('/') => Err(format!(
            "leave `{scheme}://` out: a route is about http and https alike, as in `{rest}`"
        )),
        _ => Ok(target),
    }
}

fn no_path(target: &str) -> String {
    if target.is_empty() {
        return "the path is missing: `/**` is any path, `/articles/*` one segment below `/articles`"
            .to_owned();
    }
    if target.contains('.') {
        return format!("the path is missing: `{target}/**` is every path of that host");
    }
    if target.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b',') {
        return format!("the path is missing: `{target} /**` is any path with that method");
    }
    format!("a path starts with a slash: write `/{target}`")
}

fn parse_host(text: &str) -> Result<HostPattern, String> {
    if text.is_empty() {
        return Ok(HostPattern::Any);
    }
    if text == "*" {
        return Err(
            "any host is written by leaving it out: `/path` rather than `*/path`".to_owned()
        );
    }
    if let Some((name, _)) = text.split_once(':') {
        return Err(format!("leave the port out of the host: `{name}` rather than `{text}`"));
    }
    let (name, below) = match text.strip_prefix("*.") {
        Some(name) => (name, true),
        None => (text, false),
    };
    if name.contains('*') {
        return Err(format!(
            "`*` may only stand for what is before a domain, as in `*.example.com`, not as in `{text}`"
        ));
    }
    if !name.is_ascii() {
        return Err(format!("write the host `{text}` in its ASCII form, which starts with `xn--`"));
    }
    let name = name.to_ascii_lowercase();
    if !name.split('.').all(is_label) {
        return Err(format!(
            "`{text}` is not a host name; a path without a host starts with a slash, as in `/{text}`"
        ));
    }
    Ok(if below { HostPattern::Below(format!(".{name}")) } else { HostPattern::Exact(name) })
}

fn is_label(label: &str) -> bool {
    let characters_fit = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    !label.is_empty() && label.bytes().all(characters_fit)
}

fn parse_path(path: &str) -> Result<(Vec<Segment>, bool), String> {
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
            "**" => {
                return Err(
                    "`**` stands for the rest of the path, so it can only come last; `*` is \
                            one segment"
                        .to_owned(),
                );
            }
            "*" => segments.push(Segment::Any),
            _ => segments.push(Segment::Literal(parse_literal(part)?)),
        }
    }
    Ok((segments, false))
}

fn refuse_url_parts(path: &str) -> Result<(), String> {
    if path.contains('?') {
        return Err(
            "routes are chosen by the path alone: leave out the `?` and what follows; `*` is \
                    a wildcard for one segment"
                .to_owned(),
        );
    }
    if path.contains('#') {
        return Err("a `#` and what follows never reach a server: leave them out".to_owned());
    }
    if path.contains('\\') {
        return Err("a path is written with `/`, not with a backslash".to_owned());
    }
    if path.contains(';') {
        return Err(
            "`;` starts parameters, which some servers drop: leave it and them out".to_owned()
        );
    }
    if path.contains("//") {
        return Err(
            "there are two slashes in a row, which many servers merge: write one".to_owned()
        );
    }
    Ok(())
}

/// A segment without wildcard, percent-decoded. It must have one reading only: otherwise a request
/// for it would look like one for its neighbour.
fn parse_literal(part: &str) -> Result<String, String> {
    if part.contains('*') {
        return Err(format!(
            "a wildcard is a whole segment: `*` is one segment and `**` the rest, and `{part}` is \
             neither (a literal star is written `%2A`)"
        ));
    }
    if part.starts_with(':') || part.contains(['{', '}']) {
        return Err(format!(
            "`{part}` looks like a named parameter: write `*` for one segment (a literal `:` or `{{` \
             is written `%3A` or `%7B`)"
        ));
    }
    if part == "." || part == ".." {
        return Err(format!("`{part}` is resolved before a request is sent: leave it out"));
    }
    let decoded = decode(part)?;
    let path = format!("/{decoded}");
    let meaning = readings(&path).ok().filter(|found| found.is_single() && !decoded.contains('/'));
    if meaning.is_none() {
        return Err(format!(
            "servers read `{part}` in several ways, so a request for it can't be told from others: \
             use `*` for this segment, or `**` for it and the rest"
        ));
    }
    Ok(decoded)
}

fn decode(part: &str) -> Result<String, String> {
    percent::decode(part).map_err(|error| match error {
        DecodeError::Digits => format!("two hexadecimal digits must follow each `%` in `{part}`"),
        DecodeError::Utf8 => format!("`{part}` is not UTF-8 when it is decoded"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The mistake in `text`.
    fn error(text: &str) -> String {
        parse(text).expect_err(text)
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
