//! The operator's command line, run as a process.

#![expect(clippy::unwrap_used, reason = "a test stops where a file can't be written")]

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

#[test]
fn the_shipped_configuration_is_usable() {
    let output = tollgate(&["check", &shipped()]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert!(said(&output).contains("is usable"), "{}", said(&output));
}

#[test]
fn every_mistake_is_said_and_no_secret() {
    let folder = folder("mistakes");
    let file = folder.join("wrangler.toml");
    let text = "[vars]\nORIGIN = \"nowhere\"\nLOG = \"chatty\"\n\n[[vars.ROUTES]]\nmatch = \"/**\"\nrequire = [\"x\"]\n";
    fs::write(&file, text).unwrap();
    fs::write(folder.join(".dev.vars"), "ADMIN_TOKEN=\"hush-hush\"\n").unwrap();
    let output = tollgate(&["check", file.to_str().unwrap()]);
    let said = said(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    for part in
        ["ORIGIN: found \"nowhere\"", "LOG: found", "did you mean \"requires\"?", "ADMIN_TOKEN"]
    {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert!(!said.contains("hush-hush"), "{said}");
}

#[test]
fn an_environment_of_its_own_is_checked_alone() {
    let folder = folder("environment");
    let file = folder.join("wrangler.toml");
    let open = "[[env.staging.vars.ROUTES]]\nmatch = \"/**\"\nopen = true\n";
    let text = format!("[env.staging.vars]\nORIGIN = \"https://a.example\"\n{open}");
    fs::write(&file, text).unwrap();
    let path = file.to_str().unwrap();
    assert_eq!(tollgate(&["check", path]).status.code(), Some(1), "nothing outside of it");
    assert_eq!(tollgate(&["check", path, "--env", "staging"]).status.code(), Some(0));
    assert_eq!(tollgate(&["check", path, "--env", "other"]).status.code(), Some(2));
}

#[test]
fn what_is_not_understood_is_named() {
    for (arguments, part) in [
        (&["check", "no-such-file.toml"][..], "no-such-file.toml"),
        (&["chekc"], "no such command: chekc"),
        (&["check", "--environment"], "no such option: --environment"),
        (&["check", "--env"], "--env needs a name"),
        (&[], "a command is missing"),
    ] {
        let output = tollgate(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(said(&output).contains(part), "{}", said(&output));
    }
}

fn tollgate(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tollgate")).args(arguments).output().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&[&output.stdout[..], &output.stderr[..]].concat()).into_owned()
}

fn shipped() -> String {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("wrangler.toml").to_str().unwrap().to_owned()
}

/// An empty folder for one test, below the build's own.
fn folder(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("command").join(name);
    fs::create_dir_all(&folder).unwrap();
    folder
}
