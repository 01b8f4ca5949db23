//! The table of endpoints, held against the guide and, by way of `operations.json`, against the
//! `OpenAPI` document (`tests/e2e/openapi.test.mjs`).

use std::fmt::Write as _;
use std::fs;

use tollgate::admin::OPERATIONS;
use tollgate::admin::operation::{Access, Input, Output};

#[test]
fn the_guide_lists_exactly_the_operations_there_are() {
    let guide = read("docs/admin.md");
    let (_, table) =
        guide.split_once("| operation | role | does |\n| --- | --- | --- |\n").unwrap();
    let rows = table.lines().take_while(|line| line.starts_with("| "));
    let listed: Vec<_> = rows
        .map(|row| {
            let cells: Vec<_> = row.split(" | ").collect();
            let name = cells[0].trim_start_matches("| ").trim_matches('`');
            assert!(cells.len() == 3 && cells[2].len() > 3, "{row}");
            (name.to_owned(), cells[1].to_owned())
        })
        .collect();
    let operations = OPERATIONS.map(|one| {
        let role = match one.access {
            Access::Public => "everybody",
            Access::Role(role) => role.word(),
        };
        (format!("{} {}", one.method, one.path), role.to_owned())
    });
    assert_eq!(listed, operations, "in this order");
}

#[test]
fn the_table_is_written_down_for_the_test_of_the_document() {
    let mut expected = String::from("[\n");
    for (index, operation) in OPERATIONS.iter().enumerate() {
        let role = match operation.access {
            Access::Public => None,
            Access::Role(role) => Some(role.word()),
        };
        let input = match operation.input {
            Input::None | Input::Empty => None,
            Input::Object(schema) => Some(schema),
        };
        let (output, is_page) = match operation.output {
            Output::Empty => (None, false),
            Output::Object(schema) => (Some(schema), false),
            Output::Page(schema) => (Some(schema), true),
        };
        let name = format!("{:?}", operation.id);
        let (first, rest) = name.split_at(1);
        let id = first.to_lowercase() + rest;
        let row = serde_json::json!([
            id,
            format!("{} {}", operation.method, operation.path),
            role,
            operation.query,
            input,
            output,
            is_page
        ]);
        let comma = if index + 1 < OPERATIONS.len() { "," } else { "" };
        writeln!(expected, "  {row}{comma}").unwrap();
    }
    expected.push_str("]\n");
    let kept = fs::read_to_string(path("tests/admin/operations.json")).unwrap_or_default();
    assert_eq!(kept, expected, "tests/admin/operations.json is to be:\n{expected}");
}

#[test]
fn pages_take_a_limit_and_a_cursor_and_nothing_else_does() {
    for operation in OPERATIONS {
        let is_page = matches!(operation.output, Output::Page(_));
        assert_eq!(operation.query.ends_with(&["limit", "cursor"]), is_page, "{operation:?}");
        let is_read = operation.method == "GET";
        assert_eq!(operation.input == Input::None, is_read, "{operation:?}");
        assert!(is_read || operation.query.is_empty(), "{operation:?}");
    }
}

fn read(name: &str) -> String {
    fs::read_to_string(path(name)).unwrap()
}

fn path(name: &str) -> std::path::PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}
