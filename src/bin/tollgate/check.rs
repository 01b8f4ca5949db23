//! `tollgate check`: everything that is wrong with a configuration.

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::Args;
use serde_json::json;
use tollgate::config::Config;

use super::wrangler::{DEFAULT_FILE, Wrangler};
use super::{Failure, Outcome};

/// Say everything that is wrong with a configuration, as the Worker would read it.
#[derive(Args)]
#[command(after_help = "\
Secrets are read from the .dev.vars beside the file, and never printed.

Examples:
  tollgate check
  tollgate check gate/wrangler.toml --env staging --json")]
pub(crate) struct Check {
    /// The configuration.
    #[arg(value_name = "FILE", default_value = DEFAULT_FILE)]
    file: PathBuf,
    /// The named environment of it, [env.NAME].
    #[arg(long, value_name = "NAME")]
    env: Option<String>,
}

impl Check {
    pub(crate) fn run(&self) -> Result<Outcome, Failure> {
        let bindings = Wrangler::read(&self.file, self.env.as_deref())?;
        let file = self.file.display().to_string();
        Ok(match Config::parse(&bindings) {
            Ok(config) => usable(&file, &config),
            Err(invalid) => {
                let mut text = String::new();
                for mistake in &invalid.mistakes {
                    let _ = writeln!(text, "mistake: {mistake}");
                }
                let count = invalid.mistakes.len();
                let _ = writeln!(text, "{file} can't be used: {count} mistakes.");
                let json = json!({
                    "file": file, "usable": false, "mistakes": invalid.mistakes, "warnings": [],
                });
                Outcome::of(false, text, json)
            }
        })
    }
}

fn usable(file: &str, config: &Config) -> Outcome {
    let mut text = String::new();
    for warning in &config.warnings {
        let _ = writeln!(text, "warning: {warning}");
    }
    let (routes, plans) = (config.routes.len(), config.plans.len());
    let issuers = config.issuers.len();
    let _ = writeln!(text, "{file} is usable: {routes} routes, {plans} plans, {issuers} issuers.");
    let json = json!({
        "file": file, "usable": true, "mistakes": [], "warnings": config.warnings,
        "routes": routes, "plans": plans, "issuers": issuers,
    });
    Outcome::fine(text, json)
}
