//! The layers of the crate: a module imports only from layers below its own, and no two modules
//! import each other, at the top or inside of a module. `npm run modules` prints the graph.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::arithmetic_side_effects,
    reason = "a test stops where the sources are not as expected"
)]

#[path = "layers/graph.rs"]
mod graph;
#[path = "layers/imports.rs"]
mod imports;

use std::collections::{BTreeMap, BTreeSet};

use graph::{Import, circles, inner_imports, outer_imports, sources};

/// The layers from the top to the bottom. Modules of one layer don't import each other.
const LAYERS: &[&[&str]] = &[
    &["edge"],
    &["message"],
    &["admin"],
    &["answer"],
    &["hosted_page"],
    &["gate", "report"],
    &["usage"],
    &["decision"],
    &["config"],
    &["billing"],
    &["allowance", "endpoint", "quota"],
    &["account", "request"],
    &["token", "cause"],
    &["plan"],
    &["words", "identity"],
    &["wire", "gate_secret", "json_object", "step"],
    &["bounded_map", "jitter", "mac", "store", "strict_json", "text", "time"],
];

#[test]
fn a_module_imports_from_layers_below_its_own() {
    let depth: BTreeMap<_, _> = LAYERS
        .iter()
        .zip(0..)
        .flat_map(|(layer, at)| layer.iter().map(move |name| (*name, at)))
        .collect();
    let sources = sources();
    for source in &sources {
        assert!(
            depth.contains_key(source.top()),
            "{} stands in no layer of tests/layers.rs",
            source.top()
        );
    }
    let imports = outer_imports(&sources);
    assert!(imports.len() > 50, "imports are found");
    for Import { from, to, file, path } in &imports {
        let is_below = depth.get(to.as_str()).is_some_and(|below| depth[from.as_str()] < *below);
        assert!(
            is_below,
            "{file} imports {path}: `{from}` may import only from layers below its own, and `{to}` \
             is not below it (LAYERS in tests/layers.rs)"
        );
    }
}

#[test]
fn no_files_of_a_module_import_each_other() {
    let edges = inner_imports(&sources());
    assert!(edges.len() > 50, "imports are found");
    let found = circles(&edges);
    assert!(
        found.is_empty(),
        "files that import each other, where each may import only files that don't import it: {found:#?}"
    );
}

#[test]
fn the_documentation_shows_the_layers() {
    let text = include_str!("../docs/architecture.md");
    let rows: Vec<_> = text.lines().filter(|line| is_row(line)).collect();
    let layer = |(number, names): (usize, &&[&str])| {
        let names: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
        format!("| {number} | {} |", names.join(", "))
    };
    assert_eq!(rows, (1..).zip(LAYERS).map(layer).collect::<Vec<_>>());
}

/// Whether a line of the documentation is a row of the table of layers.
fn is_row(line: &str) -> bool {
    line.strip_prefix("| ").is_some_and(|rest| rest.starts_with(|one: char| one.is_ascii_digit()))
}

#[test]
fn a_circle_is_found() {
    let edge = |from: &str, to: &str| (from.to_owned(), to.to_owned());
    let edges = [edge("a", "b"), edge("b", "c"), edge("c", "b"), edge("c", "d")];
    assert_eq!(circles(&edges.into_iter().collect()), [["b", "c"]]);
}

/// Prints the modules, each with its imports, from the top to the bottom.
#[test]
fn the_graph_of_modules() {
    let mut below: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for Import { from, to, .. } in outer_imports(&sources()) {
        below.entry(from).or_default().insert(to);
    }
    for name in LAYERS.iter().copied().flatten() {
        let names: Vec<_> = below.get(*name).into_iter().flatten().map(String::as_str).collect();
        println!("{name:<12} {}", names.join(", "));
    }
}
