//! No spelling of a URL that some server would serve as a protected resource gets through as another
//! route: the gate is held against models of servers.

#[path = "path_rules/models.rs"]
mod models;

use models::{MODELS, Model};
use proptest::prelude::*;
use tollgate::request::ReturnPath;
use tollgate::request::path::{MAX_READINGS, readings};
use tollgate::request::pattern::{RouteMatch, RoutePattern, match_route};

/// A list of routes, and an independent word on which resources are protected.
struct Site {
    /// Patterns, and whether they are open.
    routes: Vec<(RoutePattern, bool)>,
    protected: fn(&[String]) -> bool,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Outcome {
    Gated,
    Open,
    Refused,
}

impl Site {
    fn new(routes: &[(&str, bool)], protected: fn(&[String]) -> bool) -> Self {
        let parse = |&(text, open): &(&str, bool)| Some((RoutePattern::parse(text).ok()?, open));
        Self { routes: routes.iter().filter_map(parse).collect(), protected }
    }

    fn outcome(&self, path: &str) -> Outcome {
        let pairs = self.routes.iter().map(|(pattern, open)| (pattern, *open));
        let found = readings(path).map(|found| match_route(&pairs, "GET", "site.test", &found));
        match found {
            Ok(RouteMatch::One(index)) => {
                let open = self.routes.get(index).is_some_and(|(_, open)| *open);
                if open { Outcome::Open } else { Outcome::Gated }
            }
            Ok(RouteMatch::Ambiguous | RouteMatch::None) | Err(_) => Outcome::Refused,
        }
    }

    fn is_served_by(&self, model: &Model, path: &str) -> bool {
        let Some(mut names) = (model.serve)(path) else { return false };
        if names.last().is_some_and(Vec::is_empty) {
            names.pop();
        }
        let text = |name: &Vec<u8>| {
            let name = String::from_utf8_lossy(name).into_owned();
            if model.ignores_case { name.to_ascii_lowercase() } else { name }
        };
        (self.protected)(&names.iter().map(text).collect::<Vec<_>>())
    }
}

/// Sites that differ in where the protected part is and in what stands around it.
fn sites() -> Vec<Site> {
    let below = |names: &[String]| names.first().is_some_and(|name| name == "premium");
    let secret = |names: &[String]| names == ["premium", "secret.txt"];
    let one_name = |names: &[String]| matches!(names, [first, second] if first == "premium" && !second.is_empty());
    let nested = |names: &[String]| names.starts_with(&["open".into(), "premium".into()]);
    let all_but_open = |names: &[String]| names.first().is_none_or(|name| name != "open");
    vec![
        Site::new(&[("/premium/**", false), ("/**", true)], below),
        Site::new(&[("/open/**", true), ("/premium/**", false), ("/**", true)], below),
        Site::new(&[("/premium/secret.txt", false), ("/**", true)], secret),
        Site::new(&[("/premium/*", false), ("/**", true)], one_name),
        Site::new(&[("/open/premium/**", false), ("/**", true)], nested),
        Site::new(&[("/open/**", true), ("/**", false)], all_but_open),
    ]
}

/// Pieces of a path that can confuse somebody.
fn piece() -> impl Strategy<Value = &'static str> {
    let special = prop::sample::select(vec![
        "/",
        "/",
        "/",
        "//",
        "/./",
        "/../",
        "/..",
        "\\",
        "..\\",
        "%2f",
        "%2F",
        "%5c",
        "%252f",
        "%255C",
        "%25252f",
        ".",
        "..",
        "%2e",
        "%2E%2e",
        "%252e",
        "...",
        ";",
        ";a=b",
        "%3b",
        "/..;/",
        "/;/",
        "%3f",
        "%23",
        "#",
        "%253f",
        "%20",
        " ",
        "+",
        "%2b",
        "::$DATA",
        "%",
        "%00",
        "%u002f",
        "%c0%af",
        "%c0%ae%c0%ae",
        "%ef%bd%90remium",
        "%ef%bc%8f",
        "%fc",
        "%C3%BC",
        ":",
        "@",
        "~",
        "&",
    ]);
    let name = prop::sample::select(vec![
        "premium",
        "premium/secret.txt",
        "/premium/secret.txt",
        "open",
        "secret.txt",
        "Premium",
        "PREMIUM",
        "%70remium",
        "pre%6Dium",
        "%2570remium",
        "premium.",
        "premium%20",
        "premiu%6d",
        "x",
    ]);
    prop_oneof![special, name]
}

/// A path out of any pieces.
fn any_path() -> impl Strategy<Value = String> {
    prop::collection::vec(piece(), 0..9).prop_map(|pieces| format!("/{}", pieces.concat()))
}

/// A change of a path at one of its characters that means nothing to some server.
fn disguise(path: &str, kind: u8, at: usize) -> String {
    let mut characters: Vec<String> = path.chars().map(String::from).collect();
    let at = at.checked_rem(characters.len()).unwrap_or(0);
    let before = at.checked_sub(1).and_then(|before| characters.get(before)).cloned();
    let Some(character) = characters.get_mut(at) else { return path.to_owned() };
    let code = character.bytes().next().unwrap_or_default();
    let in_slash = character == "/";
    let disguised = match (kind, &before) {
        (0, Some(_)) => format!("%{code:02x}"),
        (1, Some(_)) => format!("%25{code:02X}"),
        (2, _) if in_slash => "/./".to_owned(),
        (3, _) if in_slash => "//".to_owned(),
        (4, _) if in_slash => "/x/../".to_owned(),
        (5, Some(_)) if in_slash => ";a=b/".to_owned(),
        (6, Some(_)) if in_slash => "\\".to_owned(),
        (7, _) if in_slash => "/%2e/".to_owned(),
        (8, _) if in_slash => "/open/%2E./".to_owned(),
        (9, _) if in_slash => "/x/..;p/".to_owned(),
        // Behind a slash, this would be a dot segment rather than the end of a name.
        (10, Some(name)) if in_slash && name != "/" => "./".to_owned(),
        (11, None) => "//host/".to_owned(),
        (12, _) => character.to_uppercase(),
        _ => return path.to_owned(),
    };
    *character = disguised;
    characters.concat()
}

fn disguised_secret() -> impl Strategy<Value = String> {
    prop::collection::vec((0_u8..13, 0_usize..200), 0..7).prop_map(|changes| {
        let secret = "/premium/secret.txt".to_owned();
        changes.into_iter().fold(secret, |path, (kind, at)| disguise(&path, kind, at))
    })
}

fn assert_guarded(path: &str) -> Result<(), TestCaseError> {
    for (number, site) in sites().iter().enumerate() {
        if site.outcome(path) != Outcome::Open {
            continue;
        }
        for model in &MODELS {
            let served = site.is_served_by(model, path);
            prop_assert!(!served, "site {number}: {} serves {path:?}, which is open", model.name);
        }
    }
    Ok(())
}

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

/// A way back leads to this site, and to none of the gate's own endpoints: those would
/// be under `/premium/` here.
fn leads_back_here(path: &str) -> Result<(), TestCaseError> {
    let Ok(back) = ReturnPath::new(path, "/premium/") else { return Ok(()) };
    for model in &MODELS {
        let names = (model.serve)(back.path()).unwrap_or_default();
        let is_own = names.first().is_some_and(|name| name.eq_ignore_ascii_case(b"premium"));
        prop_assert!(!is_own, "{} serves {path}", model.name);
    }
    let base = url::Url::parse("https://site.test/_tollgate/status")
        .map_err(|error| TestCaseError::fail(error.to_string()))?;
    let led = base.join(back.as_str()).map_err(|error| TestCaseError::fail(error.to_string()))?;
    prop_assert_eq!(led.origin(), base.origin(), "{}", path);
    prop_assert!(!led.path().to_ascii_lowercase().starts_with("/premium/"), "{}", path);
    Ok(())
}

proptest! {
    #![proptest_config(config(3_000))]

    #[test]
    fn what_any_server_would_serve_as_protected_is_never_open(path in any_path()) {
        assert_guarded(&path)?;
    }

    #[test]
    fn a_disguised_secret_is_never_open(path in disguised_secret()) {
        assert_guarded(&path)?;
        if let Some(site) = sites().first() {
            prop_assert_ne!(site.outcome(&path), Outcome::Open, "{}", path);
        }
    }

    #[test]
    fn nobody_comes_back_to_the_gates_own_endpoints(path in prop_oneof![any_path(), disguised_secret()], again in any::<bool>()) {
        // Perhaps encoded once more than the parameter itself asks for.
        let path = if again { path.replace('%', "%25") } else { path };
        leads_back_here(&path)?;
    }

    #[test]
    fn readings_are_bounded_absolute_distinct_and_free_of_control_characters(path in "/\\PC{0,40}|.{0,40}") {
        if let Ok(found) = readings(&path) {
            let all: Vec<_> = found.iter().collect();
            let distinct: std::collections::HashSet<_> = all.iter().collect();
            prop_assert!(all.len() <= MAX_READINGS && distinct.len() == all.len());
            prop_assert!(all.iter().all(|reading| reading.first() == Some(&b'/')));
            prop_assert!(!all.concat().iter().any(|byte| *byte < 32 || *byte == 127));
        }
    }

    #[test]
    fn an_ordinary_path_is_never_refused(
        path in "(/[A-Za-z0-9_~@!$&'()*+,=:-][A-Za-z0-9_~@!$&'()*,=.-]{0,8}[a-z0-9]){0,6}/?"
    ) {
        let path = if path.is_empty() { "/".to_owned() } else { path };
        prop_assert!(readings(&path).is_ok_and(|found| found.is_single()), "{}", path);
        for site in sites() {
            prop_assert_ne!(site.outcome(&path), Outcome::Refused, "{}", path);
        }
    }

    #[test]
    fn names_in_any_script_are_never_refused(name in "[a-zäöüéñçøłжяшあ漢한]{1,9}") {
        let encoded = name.bytes().fold(String::new(), |text, byte| format!("{text}%{byte:02X}"));
        let non_ascii = name.chars().all(|character| !character.is_ascii());
        let path = format!("/open/{}/x", if non_ascii { encoded } else { name });
        prop_assert!(readings(&path).is_ok_and(|found| found.is_single()), "{}", path);
    }
}

#[test]
fn every_model_serves_the_secret_under_its_telling_spelling() {
    let site = Site::new(&[("/premium/**", false), ("/**", true)], |names| {
        names == ["premium", "secret.txt"]
    });
    for model in &MODELS {
        let path = model.telling;
        assert!(site.is_served_by(model, path), "{}: {path}", model.name);
        assert_ne!(site.outcome(path), Outcome::Open, "{}: {path}", model.name);
    }
    assert!(sites().iter().all(|site| site.routes.len() > 1), "a pattern did not parse");
}

const DOCUMENT: &str = include_str!("../docs/routes.md");

/// The rows of the table in the documentation whose heading starts with `first`, cell by cell.
fn documented(first: &str) -> Vec<Vec<&'static str>> {
    let lines = DOCUMENT.lines().skip_while(|line| !line.starts_with(&format!("| {first} |")));
    let rows = lines.skip(2).take_while(|line| line.starts_with('|'));
    rows.map(|row| row.trim_matches('|').split(" | ").map(str::trim).collect()).collect()
}

/// The texts in backticks.
fn quoted(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}

#[test]
fn the_documented_paths_get_what_is_documented() {
    let site = Site::new(&[("/premium/**", false), ("/**", true)], |_| false);
    let rows = documented("path | gate");
    assert!(rows.len() > 30);
    for row in rows {
        let path = quoted(row[0])[0];
        let outcome = format!("{:?}", site.outcome(path)).to_lowercase();
        assert_eq!(outcome, row[1], "{path}");
    }
}

#[test]
fn the_documented_patterns_match_what_is_documented() {
    let rows = documented("pattern | matches");
    assert!(rows.len() > 7);
    for row in rows {
        let pattern = RoutePattern::parse(quoted(row[0])[0]).unwrap();
        let matches = |request: &str| {
            let (method, target) = request.split_once(' ').unwrap();
            let (host, path) = target.split_at(target.find('/').unwrap());
            let routes = std::iter::once((&pattern, false));
            match_route(&routes, method, host, &readings(path).unwrap()) == RouteMatch::One(0)
        };
        for request in quoted(row[1]) {
            assert!(matches(request), "{} does not match {request}", pattern.text);
        }
        for request in quoted(row[2]) {
            assert!(!matches(request), "{} matches {request}", pattern.text);
        }
    }
}
