//! `docs/command.md` against the program: the output shown there is the output printed.

use std::path::Path;
use std::process::Command;
use std::{env, fs};

use crate::shell::commands;
use crate::tool::root;

/// The commands beside every `--help`: they need this repository alone, and print the same at any
/// time.
const HELD: [&str; 3] = [
    "tollgate chekc; echo $?",
    "tollgate check wrangler.toml",
    "tollgate explain 'GET https://api.example.com/articles/1' --at 2026-12-01T09:30:00Z",
];

#[test]
fn the_guide_shows_what_is_printed() {
    let guide = fs::read_to_string(root().join("docs/command.md")).unwrap();
    let blocks = blocks(&guide);
    let is_held = |command: &str| command.ends_with(" --help") || HELD.contains(&command);
    let held: Vec<_> = blocks.iter().filter(|(command, _)| is_held(command)).collect();
    for (command, shown) in &held {
        assert_eq!(printed(command).trim_end(), shown.trim_end(), "{command}");
    }
    let has = |wanted: &str| held.iter().any(|(command, _)| command == wanted);
    for wanted in HELD {
        assert!(has(wanted), "{wanted} is not shown");
    }
    assert!(has("tollgate --help"));
    for name in commands(&[]) {
        assert!(has(&format!("tollgate {name} --help")), "{name} is not described");
    }
}

/// Each command of the console blocks, and what is shown of its output.
fn blocks(guide: &str) -> Vec<(String, String)> {
    let mut blocks = Vec::new();
    for block in guide.split("```console\n$ ").skip(1) {
        let (block, _) = block.split_once("\n```").unwrap();
        let (command, shown) = block.split_once('\n').unwrap_or((block, ""));
        blocks.push((command.to_owned(), shown.to_owned()));
    }
    blocks
}

/// The output of a command in a shell, in the repository.
fn printed(command: &str) -> String {
    let folder = Path::new(env!("CARGO_BIN_EXE_tollgate")).parent().unwrap();
    let path = format!("{}:{}", folder.display(), env::var("PATH").unwrap());
    let both = format!("({command}) 2>&1");
    let mut shell = Command::new("bash");
    let output = shell.args(["-c", &both]).env("PATH", path).current_dir(root()).output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}
