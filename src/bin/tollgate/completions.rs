//! `tollgate completions`: what the shell completes.

use clap::{Args, Command};
use clap_complete::Shell;
use serde_json::json;

use super::{Failure, Outcome};

/// Print the completions for a shell.
#[derive(Args)]
#[command(after_help = "\
Examples:
  tollgate completions bash > ~/.local/share/bash-completion/completions/tollgate
  tollgate completions zsh > \"${fpath[1]}/_tollgate\"
  tollgate completions fish > ~/.config/fish/completions/tollgate.fish
  tollgate completions powershell >> $PROFILE")]
pub(crate) struct Completions {
    /// The shell.
    shell: Shell,
}

impl Completions {
    pub(crate) fn run(&self, command: &mut Command) -> Result<Outcome, Failure> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, command, "tollgate", &mut script);
        let script =
            String::from_utf8(script).map_err(|error| Failure::usage(error.to_string()))?;
        let json = json!({ "shell": self.shell.to_string(), "script": script });
        Ok(Outcome::fine(script, json))
    }
}
