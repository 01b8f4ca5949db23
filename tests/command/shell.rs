//! The first contact: usage, help, completions, errors.

use std::process::Command;

use crate::tool::{folder, run, tollgate, write};

#[test]
fn what_is_not_understood_is_named() {
    for (arguments, parts) in [
        (&["check", "no-such-file.toml"][..], ["no-such-file.toml", ""]),
        (&["chekc"], ["unrecognized subcommand 'chekc'", "'check'"]),
        (&["check", "--envv", "x"], ["unexpected argument '--envv'", "'--env'"]),
        (&["check", "--env"], ["a value is required for '--env <NAME>'", ""]),
        (&["keygen", "--alg", "rs256"], ["invalid value 'rs256'", "ed25519"]),
        (&["mint", "--key", "k", "--ttl", "1y"], ["'1y'", "such as 90s, 15m, 12h or 30d"]),
        (&["mint", "--key", "k", "--claim", "x"], ["'x'", "seats=5"]),
        (&["mint", "--key", "k", "--at", "noon"], ["'noon'", "2026-12-01T09:30:00Z"]),
        (&[], ["Usage: tollgate", "Exit codes"]),
    ] {
        let said = tollgate(arguments).with_code(2).said();
        for part in parts {
            assert!(said.contains(part), "{part}: {said}");
        }
    }
}

#[test]
fn a_failure_is_json_too_where_that_was_asked_for() {
    let run = tollgate(&["--json", "check", "no-such-file.toml"]).with_code(2);
    assert_eq!(run.json()["exit"], 2);
    assert!(run.json()["error"].as_str().unwrap().contains("no-such-file.toml"));
    let run = tollgate(&["--json", "chekc"]).with_code(2);
    assert_eq!(run.json()["error"], "unrecognized subcommand 'chekc'");
    assert_eq!(run.stderr.matches("chekc").count(), 1, "{}", run.stderr);
}

#[test]
fn every_command_has_help_with_examples() {
    let names = commands(&[]);
    assert!(names.len() > 8, "{names:?}");
    for name in names {
        let help = tollgate(&[&name, "--help"]).with_code(0).stdout;
        assert!(help.contains(&format!("Examples:\n  tollgate {name}")), "{name}: {help}");
        check_help(&[&name]);
    }
}

/// Each argument has its line, and each line fits; of the commands below it too.
fn check_help(command: &[&str]) {
    let help = tollgate(&[command, &["--help"]].concat()).with_code(0).stdout;
    for line in help.lines() {
        assert!(line.chars().count() <= 110, "{command:?}: {line}");
        let is_bare = line.starts_with("  <") && line.trim_end().ends_with('>');
        assert!(!is_bare, "{command:?}: {line}");
    }
    for name in commands(command) {
        check_help(&[command, &[name.as_str()]].concat());
    }
}

/// The commands below a command.
pub(crate) fn commands(command: &[&str]) -> Vec<String> {
    let help = tollgate(&[command, &["--help"]].concat()).with_code(0).stdout;
    let Some((_, rest)) = help.split_once("Commands:\n") else { return Vec::new() };
    let (list, _) = rest.split_once("\n\n").unwrap();
    let names = list.lines().filter_map(|line| line.split_whitespace().next());
    names.filter(|name| *name != "help").map(str::to_owned).collect()
}

#[test]
fn completions_are_scripts_that_shells_can_read() {
    let bash = tollgate(&["completions", "bash"]).with_code(0).stdout;
    assert!(bash.contains("keygen") && bash.contains("--entitlement"));
    let file = write(&folder("completions"), "tollgate.bash", &bash);
    let parsed = Command::new("bash").args(["-n", &file]).output().unwrap();
    assert!(parsed.status.success(), "{}", String::from_utf8_lossy(&parsed.stderr));
    // It registers itself for the command.
    let tell = format!("source {file} && complete -p tollgate");
    let told = Command::new("bash").args(["-c", &tell]).output().unwrap();
    assert!(String::from_utf8_lossy(&told.stdout).contains("_tollgate"));
    for (shell, mark) in [
        ("zsh", "#compdef tollgate"),
        ("fish", "complete -c tollgate"),
        ("powershell", "Register-ArgumentCompleter"),
    ] {
        let script = tollgate(&["completions", shell]).with_code(0).stdout;
        assert!(script.contains(mark), "{shell}");
    }
}

#[test]
fn a_reader_that_has_heard_enough_is_no_fault() {
    let folder = folder("pipe");
    let command = env!("CARGO_BIN_EXE_tollgate");
    let line = format!("{command} completions zsh | head -n 1; echo ${{PIPESTATUS[0]}}");
    let told = Command::new("bash").args(["-c", &line]).current_dir(&folder).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&told.stderr), "");
    assert!(String::from_utf8_lossy(&told.stdout).ends_with("\n0\n"));
    let _ = run(&["--version"], "", &[], &folder).with_code(0);
}
