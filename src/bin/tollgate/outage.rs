//! `tollgate outage`: whether a payment provider is down.

use clap::Args;
use serde_json::Value;

use super::remote::{Remote, told};
use super::table::plain;
use super::{Failure, Outcome};

/// Say whether the payment provider is taken to be down, by declaration or by what is seen.
#[derive(Args)]
#[command(after_help = "\
Exit code 1: there is an outage.

Examples:
  tollgate outage --gate https://api.example.com
  tollgate outage --json")]
pub(crate) struct Outage {
    #[command(flatten)]
    remote: Remote,
}

impl Outage {
    pub(crate) fn run(&self) -> Result<Outcome, Failure> {
        let outage = self.remote.open()?.get("outage")?;
        let is = |name: &str| outage.get(name).and_then(Value::as_bool).unwrap_or_default();
        if is("declared") || is("detected") {
            return Ok(Outcome::of(false, plain(&outage), outage));
        }
        told(plain(&outage), outage)
    }
}
