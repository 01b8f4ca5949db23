//! `tollgate account keys`.

use clap::Subcommand;
use serde_json::{Value, json};
use tollgate::time::Timestamp;

use super::below;
use crate::commands::remote::{AccountArgument, Gate, Listing, list, told};
use crate::commands::table::{plain, table_or};
use crate::commands::{Failure, Outcome, clock};

#[derive(Subcommand)]
pub(super) enum Keys {
    /// Its keys, without their secrets.
    List {
        /// The account: alice, or acme/alice with its tenant.
        account: AccountArgument,
    },
    /// Make a key. Its secret is shown this once.
    Create {
        /// The account: alice, or acme/alice with its tenant.
        account: AccountArgument,
        /// Purpose of the key, for people.
        #[arg(long, value_name = "TEXT")]
        name: Option<String>,
        /// Member in whose own quotas it counts.
        #[arg(long, value_name = "NAME")]
        member: Option<String>,
        /// Entitlement that it may be used for; may be repeated.
        #[arg(long, value_name = "NAME")]
        scope: Vec<String>,
        /// Until when, as RFC 3339.
        #[arg(long, value_name = "TIME", value_parser = clock::read_time)]
        expires_at: Option<Timestamp>,
    },
    /// Make a key in the place of another, which works on for a while.
    Rotate {
        /// The account: alice, or acme/alice with its tenant.
        account: AccountArgument,
        /// The key's id.
        id: String,
        /// For how long the old one works on: 0, 90s, 15m, 12h, up to 30d.
        #[arg(long, value_name = "TIME", default_value = "1d", value_parser = clock::read_duration_s)]
        overlap: i64,
    },
    /// End a key.
    Revoke {
        /// The account: alice, or acme/alice with its tenant.
        account: AccountArgument,
        /// The key's id.
        id: String,
    },
}

impl Keys {
    pub(super) fn run(&self, gate: &Gate) -> Result<Outcome, Failure> {
        match self {
            Self::List { account } => {
                let path = format!("{}/keys", account.path());
                let items = list(gate, &path, &[], &Listing::default())?;
                let columns = [
                    "id",
                    "prefix",
                    "name",
                    "member",
                    "scopes",
                    "created_at",
                    "expires_at",
                    "revoked_at",
                ];
                told(table_or(&items, &columns, "It has no key."), json!({ "items": items }))
            }
            Self::Create { account, name, member, scope, expires_at } => {
                let mut body = json!({
                    "name": name, "member": member,
                    "scopes": (!scope.is_empty()).then_some(scope),
                    "expires_at": expires_at.map(Timestamp::rfc3339_exact),
                });
                if let Some(fields) = body.as_object_mut() {
                    fields.retain(|_, value| !value.is_null());
                }
                let path = format!("{}/keys", account.path());
                made(gate.change("POST", &path, Some(&body))?)
            }
            Self::Rotate { account, id, overlap } => {
                let path = format!("{}/rotate", below(account, "keys", id));
                let body = json!({ "overlap_s": overlap });
                made(gate.change("POST", &path, Some(&body))?)
            }
            Self::Revoke { account, id } => {
                gate.change("DELETE", &below(account, "keys", id), None)?;
                let json = json!({ "revoked": id });
                told(format!("The key {id} of {account} is revoked."), json)
            }
        }
    }
}

/// A new key: the one place where a secret is printed, since it was asked for.
fn made(key: Value) -> Result<Outcome, Failure> {
    told(format!("{}The secret is shown this once.\n", plain(&key)), key)
}
