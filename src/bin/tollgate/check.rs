//! `tollgate check`: everything that is wrong with a configuration, and with a gate that runs it.

mod findings;
mod gate;
mod ping;
mod prices;
mod providers;

use std::path::PathBuf;

use clap::Args;
use serde_json::json;
use tollgate::config::Config;

use super::remote::base_of;
use super::wrangler::{DEFAULT_FILE, Wrangler};
use super::{Failure, Outcome};
use findings::{Findings, Kind};

/// Say everything that is wrong with a configuration, and with a gate that runs it.
#[derive(Args)]
#[command(after_help = "\
Secrets are read from the .dev.vars beside the file, or else from the environment, and never
printed.

With --gate, the running gate is looked at too: its health, whether clocks agree, whether each
issuer's keys can be had, whether it accepts webhooks signed with your secrets (a `tollgate.ping`,
which changes nothing), and with a provider's API key whether prices and plans fit together.

Examples:
  tollgate check
  tollgate check gate/wrangler.toml --env staging --json
  tollgate check --gate https://api.example.com
  tollgate check --gate https://api.example.com --admin-token-env TOLLGATE_ADMIN_TOKEN")]
pub(crate) struct Check {
    /// The configuration.
    #[arg(value_name = "FILE", default_value = DEFAULT_FILE)]
    file: PathBuf,
    /// The named environment of it, [env.NAME].
    #[arg(long, value_name = "NAME")]
    env: Option<String>,
    /// The address of a running gate to look at too.
    #[arg(long, value_name = "URL")]
    gate: Option<String>,
    /// The variable that holds an operator's token, to see failed events.
    #[arg(long, value_name = "NAME", requires = "gate")]
    admin_token_env: Option<String>,
}

impl Check {
    pub(crate) fn run(&self) -> Result<Outcome, Failure> {
        let bindings = Wrangler::read(&self.file, self.env.as_deref())?;
        let file = self.file.display().to_string();
        let mut findings = Findings::default();
        let config = match Config::parse(&bindings) {
            Ok(config) => config,
            Err(invalid) => {
                for mistake in &invalid.mistakes {
                    findings.add(Kind::Mistake, "configuration", mistake.to_string());
                }
                let count = invalid.mistakes.len();
                let summary = format!("{file} can't be used: {count} mistakes.");
                let json = json!({
                    "file": file, "usable": false, "mistakes": invalid.mistakes, "warnings": [],
                });
                return Ok(findings.outcome(&summary, json));
            }
        };
        for warning in &config.warnings {
            findings.add(Kind::Warning, "configuration", warning.to_string());
        }
        let (routes, plans) = (config.routes.len(), config.plans.len());
        let issuers = config.issuers.len();
        let mut json = json!({
            "file": file, "usable": true, "mistakes": [], "warnings": config.warnings,
            "routes": routes, "plans": plans, "issuers": issuers,
        });
        let mut summary =
            format!("{file} is usable: {routes} routes, {plans} plans, {issuers} issuers.");
        if let Some(url) = &self.gate {
            let base = base_of(url, &config.prefix)?;
            gate::check(&base, &config, self.admin_token_env.as_deref(), &mut findings)?;
            prices::check(&config, &mut findings);
            summary = format!("{summary}\n{}", findings.summary(url));
            if let Some(json) = json.as_object_mut() {
                json.insert("gate".to_owned(), base.into());
                json.insert("findings".to_owned(), findings.json());
            }
        }
        Ok(findings.outcome(&summary, json))
    }
}
