//! The operator's command line: makes keys and tokens, checks a configuration and a running gate,
//! explains decisions, and looks after accounts (`docs/command.md`).
//!
//! Exit codes: 0 fine, 1 the answer is no or there are mistakes, 2 wrong usage or unreadable input,
//! 3 the gate or a provider can't be reached.

// Cargo would take files beside this one for programs of their own.
#[path = "tollgate/commands.rs"]
mod commands;

fn main() -> std::process::ExitCode {
    commands::main()
}
