//! `tollgate reference`: a signed reference to an account, for a checkout that the gate doesn't
//! make.

use clap::Args;
use serde_json::json;
use tollgate::billing::reference::{LIFETIME_S, References};
use tollgate::gate_secret::{GateSecret, MIN_SECRET_BYTES};
use tollgate::identity::AccountName;
use tollgate::time::Timestamp;

use super::wrangler::ConfigChoice;
use super::{Failure, Outcome, clock};

/// Sign a reference to an account, so that a payment finds it.
#[derive(Args)]
#[command(after_help = "\
It goes where a payer may write: Stripe's client_reference_id, custom data of Paddle and Lemon
Squeezy, metadata of Polar. GATE_SECRET comes from the environment, or from the .dev.vars beside
the configuration; its first value signs.

Examples:
  tollgate reference --account alice
  tollgate reference --account alice --tenant acme --ttl 1d --config wrangler.toml
  GATE_SECRET=$(pass show gate-secret) tollgate reference --account alice")]
pub(crate) struct Reference {
    /// The paying customer.
    #[arg(long, value_name = "NAME")]
    account: String,
    /// The tenant of the account.
    #[arg(long, value_name = "NAME")]
    tenant: Option<String>,
    /// Time in which a sale may begin by it: 15m, 12h, 30d.
    #[arg(long, value_name = "TIME", default_value = "7d", value_parser = clock::read_duration_s)]
    ttl: i64,
    /// From when, as RFC 3339; the machine's clock where it is not said.
    #[arg(long, value_name = "TIME", value_parser = clock::read_time)]
    at: Option<Timestamp>,
    #[command(flatten)]
    choice: ConfigChoice,
}

impl Reference {
    pub(crate) fn run(&self) -> Result<Outcome, Failure> {
        debug_assert_eq!(LIFETIME_S, 7 * 86_400, "the default of --ttl is the gate's own");
        let references = References::new(&self.secrets()?);
        let account = AccountName::new(self.tenant.as_deref(), &self.account)
            .map_err(|error| Failure::usage(error.to_string()))?;
        let expires_at = self.at.unwrap_or_else(clock::now).plus_seconds(self.ttl);
        let text = references.sign(&account, expires_at).ok_or_else(|| {
            Failure::usage("the account's name is too long: expected at most 125 bytes with tenant")
        })?;
        let json = json!({
            "reference": text,
            "account": account,
            "expires_at": expires_at.rfc3339(),
        });
        Ok(Outcome::fine(text, json))
    }

    /// Those of the environment, else of the configuration.
    fn secrets(&self) -> Result<Vec<GateSecret>, Failure> {
        let missing = "no GATE_SECRET: set it in the environment, or beside the configuration";
        let found = std::env::var("GATE_SECRET").unwrap_or_default();
        let secrets: Vec<GateSecret> = if found.trim().is_empty() {
            self.choice.need()?.gate_secrets
        } else if found.split_whitespace().any(|value| value.len() < MIN_SECRET_BYTES) {
            let reason = format!("GATE_SECRET: expected at least {MIN_SECRET_BYTES} bytes");
            return Err(Failure::usage(reason));
        } else {
            found.split_whitespace().map(GateSecret::new).collect()
        };
        if secrets.is_empty() { Err(Failure::usage(missing)) } else { Ok(secrets) }
    }
}
