//! Rules beyond the compiler: the border of the core, the size of files, and that code,
//! configuration and documentation speak of the same things.

#![expect(clippy::unwrap_used, reason = "a test stops where a file is missing")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use tollgate::config::{VARIABLES, VariableKind};
use tollgate::gate::captured::BOT_CATEGORY;
use tollgate::identity::ObjectClass;

#[test]
fn the_platform_is_named_by_the_edge_alone() {
    let is_edge = |name: &str| name == "src/edge.rs" || name.starts_with("src/edge/");
    let mut edge_names_it = false;
    for (name, text) in files(&["src"], &["rs"]) {
        let found = text.lines().filter(|line| names_the_platform(line)).collect::<Vec<_>>();
        if is_edge(&name) {
            edge_names_it |= !found.is_empty();
        } else {
            assert!(found.is_empty(), "{name} is part of the core: {found:?}");
        }
    }
    assert!(edge_names_it, "this test sees what it looks for");
}

#[test]
fn what_names_the_platform_is_recognised() {
    for line in ["use worker::Env;", "let x = js_sys::Array::new();", "fn f(v: web_sys::Url) {}"] {
        assert!(names_the_platform(line), "{line}");
    }
    for line in ["// worker::Env", "//! [`worker`]", "let coworker = 1;", "call(\"Worker\")"] {
        assert!(!names_the_platform(line), "{line}");
    }
}

/// Whether a line of code (not of a comment) has one of the platform's crates in it, as a word.
fn names_the_platform(line: &str) -> bool {
    let code = line.split("//").next().unwrap_or_default();
    let mut words = code.split(|c: char| !c.is_alphanumeric() && c != '_');
    words.any(|word| PLATFORM.contains(&word))
}

const PLATFORM: [&str; 5] = ["js_sys", "wasm_bindgen", "wasm_bindgen_futures", "web_sys", "worker"];

#[test]
fn source_files_fit_on_a_few_screens() {
    let sources = files(&["src"], &["rs", "js", "mjs"]);
    assert!(sources.len() > 40, "the sources are found");
    for (name, text) in sources {
        assert!(text.lines().count() <= 400, "{name} has {} lines", text.lines().count());
        assert!(!name.ends_with("/mod.rs"), "{name}: the file beside the folder is the module");
        for (index, line) in text.lines().enumerate() {
            let columns = line.chars().count();
            // A sentence in a string literal may stay in one piece.
            let is_text = !line.trim_start().starts_with("//") && line.contains(['"', '`']);
            assert!(
                columns <= 100 || is_text,
                "{name}:{}: {columns} columns",
                index.saturating_add(1)
            );
        }
    }
}

#[test]
fn nothing_is_left_for_later() {
    // Written apart, so that this file may be looked at too.
    let words = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X")];
    let kinds = ["rs", "js", "mjs", "html", "css", "md", "toml", "json"];
    for (name, text) in files(&["src", "tests", "www", "docs", "scripts"], &kinds) {
        for word in words {
            let found = text.split(|c: char| !c.is_alphanumeric()).any(|other| other == word);
            assert!(!found, "{name} has a {word}");
        }
    }
}

#[test]
fn the_readme_lists_exactly_the_variables_there_are() {
    let readme = read("README.md");
    let (_, rest) = readme.split_once("<!-- variables:start -->").unwrap();
    let (table, _) = rest.split_once("<!-- variables:end -->").unwrap();
    let rows = table.lines().filter_map(|line| line.strip_prefix("| `"));
    let listed: Vec<_> = rows.filter_map(|row| row.split('`').next()).collect();
    assert_eq!(listed, VARIABLES.map(|variable| variable.name), "in this order");
    for variable in VARIABLES {
        let row = table.lines().find(|line| line.contains(&format!("| `{}`", variable.name)));
        let required = row.and_then(|row| row.split('|').nth(2)).unwrap().trim();
        assert_eq!(required == "yes", variable.required, "{}: {required}", variable.name);
        let is_secret = variable.kind == VariableKind::Secret;
        assert_eq!(required.contains("secret"), is_secret, "{}: {required}", variable.name);
    }
}

#[test]
fn the_openapi_document_lists_every_provider() {
    let words = tollgate::account::Provider::ALL.map(|provider| format!("{:?}", provider.word()));
    let list = format!("const PROVIDERS = [{}];", words.join(", "));
    assert!(read("src/edge/openapi.js").contains(&list), "expected {list}");
}

#[test]
fn both_sides_of_the_border_call_the_bot_category_the_same() {
    let line = format!("const BOT_CATEGORY = {BOT_CATEGORY:?};");
    assert!(read("src/edge/glue/request.js").contains(&line), "expected {line}");
}

#[test]
fn the_configuration_guide_describes_each_variable() {
    let guide = read("docs/configuration.md");
    for variable in VARIABLES {
        let heading = format!("## {}", variable.name);
        let row = format!("| `{}` |", variable.name);
        let starts = |line: &str| line == heading || line.starts_with(&row);
        assert!(guide.lines().any(starts), "{} is not described", variable.name);
    }
}

#[test]
fn the_shipped_configuration_names_every_variable_and_no_other() {
    let shipped = read("wrangler.toml");
    let set: BTreeSet<_> = shipped.lines().filter_map(variable_set).collect();
    let of_kind = |kind| VARIABLES.iter().filter(move |variable| variable.kind == kind);
    let vars: BTreeSet<_> = of_kind(VariableKind::Var).map(|variable| variable.name).collect();
    assert_eq!(set, vars, "set, or set in a comment");
    for secret in of_kind(VariableKind::Secret) {
        assert!(shipped.contains(secret.name), "{}", secret.name);
    }
}

/// The variable that a line of `wrangler.toml` sets, commented or not.
fn variable_set(line: &str) -> Option<&str> {
    let line = line.trim_start_matches(['#', ' ']);
    let table = line.strip_prefix("[[vars.").or_else(|| line.strip_prefix("[vars."));
    let name = match table {
        Some(table) => table.split([']', '.']).next()?,
        None => line.split_once(" = ")?.0,
    };
    let is_name = |byte: u8| byte.is_ascii_uppercase() || byte == b'_';
    (!name.is_empty() && name.bytes().all(is_name)).then_some(name)
}

#[test]
fn the_classes_of_objects_are_called_the_same_everywhere() {
    let (entry, package) = (read("src/edge/entry.mjs"), read("package.json"));
    for config in ["wrangler.toml", "www/demo/gate.toml"] {
        let bindings: String = ObjectClass::ALL.iter().map(|class| binding(*class)).collect();
        let shipped = read(config);
        let found = shipped.split("[[durable_objects.bindings]]").skip(1);
        let found = found.map(|rest| rest.split(['#', '[']).next().unwrap().trim());
        assert_eq!(found.collect::<Vec<_>>().join(";"), bindings.trim_end_matches(';'), "{config}");
        // One migration with all of them: the platform refuses to go back across another.
        let names: Vec<_> = ObjectClass::ALL.iter().map(|class| class.name()).collect();
        let (_, migration) = shipped.split_once("\n[[migrations]]\ntag = \"v1\"\n").unwrap();
        let list = format!("new_sqlite_classes = {names:?}");
        assert_eq!(migration.lines().next(), Some(list.as_str()), "{config}");
        assert_eq!(shipped.matches("[[migrations]]").count(), 1);
    }
    let objects = files(&["src/edge"], &["rs"]);
    for class in ObjectClass::ALL {
        let name = class.name();
        let declaration = format!("#[wasm_bindgen]\npub struct {name}");
        let file = objects.iter().filter(|(_, text)| text.contains(&declaration));
        let file = file.map(|(file, _)| file.replace("_object.rs", "").replace('_', ""));
        assert_eq!(file.collect::<Vec<_>>(), [format!("src/edge/{}", name.to_lowercase())]);
        let export = format!("export class {name} extends ");
        let begin = entry.split_once(&export).unwrap_or_else(|| panic_for(&export)).1;
        assert!(begin.split_once(" {}").unwrap().0.ends_with(&format!("nBackstage(\"{name}\")")));
        assert!(package.contains(&format!("\"{}\": {{", class.binding())), "{name}");
    }
}

fn binding(class: ObjectClass) -> String {
    format!("name = \"{}\"\nclass_name = \"{}\";", class.binding(), class.name())
}

#[test]
fn the_life_of_a_request_is_told_as_the_gate_lives_it() {
    let told = read("docs/life-of-a-request.md");
    let gate = read("src/gate.rs");
    let step = read("src/gate/step.rs");
    for name in ["Need", "Outcome", "Errand"] {
        let variants = variants(&step, name);
        assert!(variants.len() > 1, "{name}: {variants:?}");
        for variant in variants {
            let path = format!("{name}::{variant}");
            assert!(told.contains(&path), "{path} is not in the story");
        }
    }
    let mut rest = told.as_str();
    for (index, stage) in STAGES.iter().enumerate() {
        let heading = format!("\n## {}. {stage}\n", index.saturating_add(1));
        let (_, after) = rest.split_once(&heading).unwrap_or_else(|| panic_for(&heading));
        rest = after;
    }
    let order = STAGES.iter().take(6).map(|stage| stage.to_lowercase()).collect::<Vec<_>>();
    assert!(gate.contains(&format!("//! {} (`docs/life-of-a-request.md`)", order.join(" → "))));
}

#[test]
fn needs_and_outcomes_are_listed_in_the_same_order() {
    let step = read("src/gate/step.rs");
    let (_, outcomes) = step.split_once("pub enum Outcome {\n").unwrap();
    let mut rest = outcomes;
    for need in variants(&step, "Need") {
        let of_need = format!("    /// Of [`Need::{need}`]");
        let (_, after) = rest.split_once(&of_need).unwrap_or_else(|| panic_for(&of_need));
        rest = after;
    }
}

const STAGES: [&str; 9] = [
    "Facts",
    "Route",
    "Credential",
    "Token",
    "Account",
    "Decision",
    "Answer",
    "Origin",
    "Afterwards",
];

#[expect(clippy::panic, reason = "a test fails by panicking")]
fn panic_for<T>(heading: &str) -> T {
    panic!("no {heading:?}, or not in its place")
}

/// The names of the variants of a public enum in `source`.
fn variants(source: &str, name: &str) -> Vec<String> {
    let (_, body) = source.split_once(&format!("pub enum {name} {{\n")).unwrap();
    let (body, _) = body.split_once("\n}").unwrap();
    let lines = body.lines().filter_map(|line| line.strip_prefix("    "));
    let lines = lines.filter(|line| line.starts_with(|c: char| c.is_ascii_uppercase()));
    lines.filter_map(|line| line.split([' ', '(', ',']).next()).map(str::to_owned).collect()
}

#[test]
fn what_generates_javascript_has_the_version_of_what_it_reads() {
    let written = locked_version("Cargo.lock", "wasm-bindgen");
    let read = locked_version("scripts/bindgen/Cargo.lock", "wasm-bindgen-cli-support");
    assert_eq!(written, read, "scripts/bindgen/Cargo.toml names the version");
}

#[test]
fn versions_of_rust_tools_stand_in_locks_alone() {
    let packages = read("package.json");
    for name in ["wasm-bindgen", "worker-build", "wasm-pack", "cargo"] {
        assert!(!packages.contains(&format!("\"{name}")), "package.json has a version of {name}");
    }
}

/// The version of a crate in one of cargo's locks.
fn locked_version(lock: &str, name: &str) -> String {
    let lock = read(lock);
    let (_, rest) = lock.split_once(&format!("name = \"{name}\"\nversion = \"")).unwrap();
    rest.split('"').next().unwrap().to_owned()
}

/// Every file of these kinds in these folders, by its path from the root.
fn files(folders: &[&str], kinds: &[&str]) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut left: Vec<PathBuf> = folders.iter().map(|folder| root().join(folder)).collect();
    while let Some(path) = left.pop() {
        if path.is_dir() {
            left.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        } else if path.extension().is_some_and(|kind| kinds.iter().any(|one| kind == *one)) {
            let name = path.strip_prefix(root()).unwrap().to_string_lossy().into_owned();
            found.push((name, fs::read_to_string(&path).unwrap()));
        }
    }
    found.sort();
    found
}

fn read(name: &str) -> String {
    fs::read_to_string(root().join(name)).unwrap()
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
