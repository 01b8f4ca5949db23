//! Finds the paths in a source file that name something of the crate.

/// Each path in `text` that begins with `root`, such as `crate`: the names behind it. A tree of
/// imports gives one path for each of its leaves.
pub(crate) fn paths(text: &str, root: &str) -> Vec<Vec<String>> {
    let start = format!("{root}::");
    let mut found = Vec::new();
    for (at, _) in text.match_indices(&start) {
        let (before, rest) = text.split_at(at);
        let is_word = before.ends_with(|last: char| last.is_alphanumeric() || "_:".contains(last));
        if !is_word {
            leaves(&rest[start.len()..], &mut Vec::new(), &mut found);
        }
    }
    found
}

/// The code of a source file: without comments, and without its tests.
pub(crate) fn code_of(text: &str) -> String {
    let code = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
    let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
    lines.collect::<Vec<_>>().join("\n")
}

/// Reads one path, or a tree in braces; returns the text behind it.
fn leaves<'a>(text: &'a str, names: &mut Vec<String>, found: &mut Vec<Vec<String>>) -> &'a str {
    let text = text.trim_start();
    if let Some(mut rest) = text.strip_prefix('{') {
        loop {
            rest = rest.trim_start().trim_start_matches(',').trim_start();
            if let Some(after) = rest.strip_prefix('}') {
                return after;
            }
            let depth = names.len();
            let after = leaves(rest, names, found);
            names.truncate(depth);
            if after.len() == rest.len() {
                return after;
            }
            rest = after;
        }
    }
    let end = text.find(|one: char| !one.is_alphanumeric() && one != '_').unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    if name.is_empty() {
        // A glob imports all of the module.
        found.push(names.clone());
        return text.strip_prefix('*').unwrap_or(text);
    }
    names.push(name.to_owned());
    if let Some(rest) = rest.strip_prefix("::") {
        return leaves(rest, names, found);
    }
    found.push(names.clone());
    match rest.strip_prefix(" as ") {
        Some(alias) => alias.trim_start_matches(|one: char| one.is_alphanumeric() || one == '_'),
        None => rest,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_each_leaf_of_a_tree() {
        let text =
            "use crate::a::{self, B, c::{D as E, f}};\nlet x = crate::g::h(1);\nmycrate::no();";
        let found: Vec<_> = paths(text, "crate").iter().map(|path| path.join("::")).collect();
        assert_eq!(found, ["a::self", "a::B", "a::c::D", "a::c::f", "g::h"]);
    }

    #[test]
    fn leaves_comments_and_tests_out() {
        let text =
            "//! crate::a\nuse crate::b::C;\n#[cfg(test)]\nmod tests {\n use crate::d::E;\n}";
        assert_eq!(code_of(text), "use crate::b::C;");
    }
}
