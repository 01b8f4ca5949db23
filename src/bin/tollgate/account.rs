//! `tollgate account`: the gate's facts about an account, and an operator's changes to it.

mod credits;
mod keys;
mod set;

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use tollgate::identity::AccountNameError;

use super::remote::{
    AccountArgument, Gate, Listing, Remote, encoded_segment, list, progress, told, unguarded,
};
use super::table::{plain, table_or};
use super::{Failure, Outcome, clock};

/// Look after accounts over the admin API of a running gate.
#[derive(Args)]
#[command(after_help = "\
The operator's token is read from the environment, never from an argument. Writes carry an
Idempotency-Key: sent again under the same key, they are done once.

Examples:
  tollgate account show alice --gate https://api.example.com
  tollgate account list --status past_due
  tollgate account set acme/alice --plan pro --status active
  tollgate account credits add alice invoice-17 500
  tollgate account keys create alice --name ci --scope read
  tollgate account revoke-tokens alice --issued-before 2026-12-01T00:00:00Z")]
pub(crate) struct Account {
    #[command(flatten)]
    remote: Remote,
    #[command(subcommand)]
    command: AccountCommand,
}

#[derive(Subcommand)]
enum AccountCommand {
    /// The account's record.
    Show(One),
    /// Accounts, all or those of a kind.
    List {
        /// Only those of this status.
        #[arg(long, value_name = "STATUS")]
        status: Option<String>,
        /// Only those of this plan.
        #[arg(long, value_name = "ID")]
        plan: Option<String>,
        /// Only those whose name begins so, such as acme/.
        #[arg(long, value_name = "TEXT")]
        prefix: Option<String>,
        #[command(flatten)]
        listing: Listing,
    },
    /// Its subscriptions, and what each opens.
    Subscriptions(One),
    /// Its quotas and credits, as its callers see them.
    Usage(One),
    Set(Box<set::Set>),
    /// Its packs of credits.
    Credits {
        #[command(subcommand)]
        command: credits::Credits,
    },
    /// Its API keys.
    Keys {
        #[command(subcommand)]
        command: keys::Keys,
    },
    /// Refuse tokens that are out already.
    RevokeTokens {
        /// The account: alice, or acme/alice with its tenant.
        account: AccountArgument,
        /// The one token with this id (jti).
        #[arg(long, value_name = "ID", conflicts_with = "issued_before")]
        id: Option<String>,
        /// All that were issued before this time, as RFC 3339; or now.
        #[arg(long, value_name = "TIME", value_parser = read_cut, required_unless_present = "id")]
        issued_before: Option<String>,
    },
    /// Read the account's subscriptions again from its payment provider.
    Reread {
        /// The accounts.
        #[arg(required_unless_present = "all")]
        accounts: Vec<AccountArgument>,
        /// Every account of the gate.
        #[arg(long, conflicts_with = "accounts")]
        all: bool,
    },
    /// Audit trail, newest first.
    Audit {
        /// The account: alice, or acme/alice with its tenant.
        account: AccountArgument,
        #[command(flatten)]
        listing: Listing,
    },
}

#[derive(Args)]
struct One {
    /// The account: alice, or acme/alice with its tenant.
    account: AccountArgument,
}

impl Account {
    pub(crate) fn run(&self) -> Result<Outcome, Failure> {
        let gate = self.remote.open()?;
        match &self.command {
            AccountCommand::Show(One { account }) => {
                let record = gate.get(&account.path())?;
                told(format!("{account}\n{}", plain(&record)), record)
            }
            AccountCommand::List { status, plan, prefix, listing } => {
                let prefix = prefix.as_deref().map(unguarded);
                let query = [
                    ("status", status.as_deref()),
                    ("plan", plan.as_deref()),
                    ("prefix", prefix.as_deref()),
                ];
                let items = list(&gate, "accounts", &query, listing)?;
                let columns = ["account", "plan", "status", "cause", "updated_at"];
                told(table_or(&items, &columns, "No such account."), json!({ "items": items }))
            }
            AccountCommand::Subscriptions(One { account }) => subscriptions(&gate, account),
            AccountCommand::Usage(One { account }) => {
                let usage = gate.get(&format!("{}/usage", account.path()))?;
                told(format!("{account}\n{}", plain(&usage)), usage)
            }
            AccountCommand::Set(set) => set.run(&gate),
            AccountCommand::Credits { command } => command.run(&gate),
            AccountCommand::Keys { command } => command.run(&gate),
            AccountCommand::RevokeTokens { account, id, issued_before } => {
                let body = match id {
                    Some(id) => json!({ "token_id": id }),
                    None => json!({ "issued_before": issued_before }),
                };
                let path = format!("{}/revocations", account.path());
                let record = gate.change("POST", &path, Some(&body))?;
                told(format!("Revoked, for {account}."), record)
            }
            AccountCommand::Reread { accounts, all } => reread(&gate, accounts, *all),
            AccountCommand::Audit { account, listing } => {
                let items = list(&gate, &format!("{}/audit", account.path()), &[], listing)?;
                let columns = ["at", "actor", "action", "detail"];
                told(table_or(&items, &columns, "Nothing yet."), json!({ "items": items }))
            }
        }
    }
}

fn subscriptions(gate: &Gate, account: &AccountArgument) -> Result<Outcome, Failure> {
    let path = format!("{}/subscriptions", account.path());
    let items = list(gate, &path, &[], &Listing::default())?;
    let rows: Vec<Value> = items.iter().map(with_standing).collect();
    let columns = [
        "provider",
        "id",
        "plan",
        "status",
        "access",
        "cause",
        "current_period_ends_at",
        "payment_failed_at",
        "payment_failure",
    ];
    told(table_or(&rows, &columns, "It has no subscription."), json!({ "items": items }))
}

/// A subscription with what it opens beside the rest, where a table finds it.
fn with_standing(item: &Value) -> Value {
    let mut row = item.clone();
    if let (Value::Object(row), Some(Value::Object(standing))) = (&mut row, item.get("standing")) {
        row.extend(standing.clone());
    }
    row
}

/// One account after the other; one that fails does not stop the rest.
fn reread(gate: &Gate, accounts: &[AccountArgument], all: bool) -> Result<Outcome, Failure> {
    let names = if all {
        let items = list(gate, "accounts", &[], &Listing::default())?;
        let names = items.iter().filter_map(|item| item.get("account")?.as_str());
        let read = |name: &str| name.parse().map_err(|error: AccountNameError| error.to_string());
        names.map(read).collect::<Result<Vec<_>, _>>().map_err(Failure::usage)?
    } else {
        accounts.to_vec()
    };
    let (mut items, mut failures) = (Vec::new(), 0_usize);
    for (number, account) in names.iter().enumerate() {
        progress(&format!("{account} ({number} of {})", names.len()));
        let name = account.to_string();
        match gate.change("POST", &format!("{}/reread", account.path()), None) {
            Ok(told) => {
                items.push(json!({ "account": name, "read": told.get("read"), "error": null }));
            }
            Err(failure) if names.len() == 1 => return Err(failure),
            Err(failure) => {
                failures = failures.saturating_add(1);
                let reason = failure.to_string();
                items.push(json!({ "account": name, "read": null, "error": reason }));
            }
        }
    }
    let text = table_or(&items, &["account", "read", "error"], "No account.");
    Ok(Outcome::of(failures == 0, text, json!({ "items": items })))
}

/// A time, or `now`.
fn read_cut(text: &str) -> Result<String, String> {
    let time = if text == "now" { clock::now() } else { clock::read_time(text)? };
    Ok(time.rfc3339_exact())
}

/// A part of the account's address.
fn below(account: &AccountArgument, part: &str, id: &str) -> String {
    format!("{}/{part}/{}", account.path(), encoded_segment(id))
}
