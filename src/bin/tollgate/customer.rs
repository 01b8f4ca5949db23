//! `tollgate customer`: which account a provider's customer is.

use clap::{Args, Subcommand};
use serde_json::json;

use super::events::providers;
use super::remote::{AccountArgument, Remote, encoded_segment, told};
use super::table::plain;
use super::{Failure, Outcome};

/// Say which account a payment provider's customer is.
#[derive(Args)]
#[command(after_help = "\
For customers whose metadata names no account. Events that waited for this are delivered then.

Examples:
  tollgate customer show stripe cus_Nx1
  tollgate customer link stripe cus_Nx1 acme/alice")]
pub(crate) struct Customer {
    #[command(flatten)]
    remote: Remote,
    #[command(subcommand)]
    command: CustomerCommand,
}

#[derive(Subcommand)]
enum CustomerCommand {
    /// The account that a customer is.
    Show(One),
    /// Make a customer that of an account.
    Link {
        #[command(flatten)]
        one: One,
        /// The account: alice, or acme/alice with its tenant.
        account: AccountArgument,
    },
}

#[derive(Args)]
struct One {
    /// The provider.
    #[arg(value_parser = providers())]
    provider: String,
    /// The provider's id of the customer.
    customer: String,
}

impl Customer {
    pub(crate) fn run(&self) -> Result<Outcome, Failure> {
        let gate = self.remote.open()?;
        let told_by = match &self.command {
            CustomerCommand::Show(one) => gate.get(&one.path())?,
            CustomerCommand::Link { one, account } => {
                let body = json!({ "account": account.to_string() });
                gate.change("PUT", &one.path(), Some(&body))?
            }
        };
        told(plain(&told_by), told_by)
    }
}

impl One {
    fn path(&self) -> String {
        format!("customers/{}/{}", self.provider, encoded_segment(&self.customer))
    }
}
