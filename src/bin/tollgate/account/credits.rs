//! `tollgate account credits`.

use clap::Subcommand;
use serde_json::json;
use tollgate::time::Timestamp;

use crate::commands::remote::{AccountArgument, Gate, Listing, list, told};
use crate::commands::table::{plain, table_or};
use crate::commands::{Failure, Outcome, clock};

#[derive(Subcommand)]
pub(super) enum Credits {
    /// Packs of credits, and what is left of each.
    List {
        /// The account: alice, or acme/alice with its tenant.
        account: AccountArgument,
    },
    /// Add a pack; one of the same id is added once.
    Add {
        /// The account: alice, or acme/alice with its tenant.
        account: AccountArgument,
        /// Your name for the purchase, such as an invoice's number.
        id: String,
        /// Units.
        units: u64,
        /// End of their validity, as RFC 3339.
        #[arg(long, value_name = "TIME", value_parser = clock::read_time)]
        expires_at: Option<Timestamp>,
    },
}

impl Credits {
    pub(super) fn run(&self, gate: &Gate) -> Result<Outcome, Failure> {
        match self {
            Self::List { account } => {
                let path = format!("{}/credits", account.path());
                let items = list(gate, &path, &[], &Listing::default())?;
                let columns = ["id", "units", "left", "added_at", "expires_at"];
                told(table_or(&items, &columns, "It never had any."), json!({ "items": items }))
            }
            Self::Add { account, id, units, expires_at } => {
                let expires_at = expires_at.map(Timestamp::rfc3339_exact);
                let mut body = json!({ "id": id, "units": units });
                if let (Some(at), Some(body)) = (expires_at, body.as_object_mut()) {
                    body.insert("expires_at".to_owned(), at.into());
                }
                let path = format!("{}/credits", account.path());
                let pack = gate.change("POST", &path, Some(&body))?;
                told(plain(&pack), pack)
            }
        }
    }
}
