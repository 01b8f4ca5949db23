//! `tollgate account set`: what the operator owns of a record.

use std::fs;
use std::io::Read as _;
use std::path::Path;

use clap::Args;
use serde_json::{Map, Value, json};
use tollgate::account::Status;
use tollgate::config::closest;
use tollgate::strict_json;
use tollgate::time::Timestamp;

use crate::commands::remote::{AccountArgument, Gate, told};
use crate::commands::table::plain;
use crate::commands::{Failure, Outcome, clock};

/// Change fields of the record; others stay as they are.
#[derive(Args)]
#[command(after_help = "\
The record is read, changed and written back. Payment providers' facts, keys and disputes are
not the operator's, and stay.

Examples:
  tollgate account set alice --plan pro --status active
  tollgate account set alice --suspended true
  tollgate account set acme/alice --limit api/month=5000 --dry-run
  tollgate account set alice --clear payment_failed_at --status active
  tollgate account set alice --from record.json")]
pub(super) struct Set {
    /// The account: alice, or acme/alice with its tenant.
    account: AccountArgument,
    /// The plan's id.
    #[arg(long, value_name = "ID")]
    plan: Option<String>,
    /// Stage of the subscription's life.
    #[arg(long, value_name = "STATUS", value_parser = read_status)]
    status: Option<String>,
    /// Entitlements beside the plan's, replacing all there were; may be repeated.
    #[arg(long, value_name = "NAME")]
    entitlement: Vec<String>,
    /// Whether the account is suspended.
    #[arg(long, value_name = "true|false")]
    suspended: Option<bool>,
    /// A limit of its own for a quota; may be repeated.
    #[arg(long, value_name = "QUOTA=UNITS", value_parser = read_limit)]
    limit: Vec<(String, u64)>,
    /// A time of the record, such as ends_at=2026-12-31T00:00:00Z; may be repeated.
    #[arg(long, value_name = "FIELD=TIME", value_parser = read_field_time)]
    time: Vec<(String, Timestamp)>,
    /// Unset a field; may be repeated.
    #[arg(long, value_name = "FIELD", value_parser = read_field)]
    clear: Vec<String>,
    /// Replace all of it by a record in a file; - reads stdin.
    #[arg(long, value_name = "FILE", conflicts_with_all =
        ["plan", "status", "entitlement", "suspended", "limit", "time", "clear"])]
    from: Option<String>,
    /// Say what would be written, and write nothing.
    #[arg(long)]
    dry_run: bool,
}

impl Set {
    pub(super) fn run(&self, gate: &Gate) -> Result<Outcome, Failure> {
        let path = self.account.path();
        let record = match &self.from {
            Some(file) => read_record(file)?,
            None => self.changed(gate)?,
        };
        if self.dry_run {
            let text = format!("{} would be\n{}", self.account, plain(&record));
            return told(text, json!({ "would_be": record }));
        }
        let kept = gate.change("PUT", &path, Some(&record))?;
        told(format!("{}\n{}", self.account, plain(&kept)), kept)
    }

    /// The record that is there, without what isn't the operator's, and with the changes.
    fn changed(&self, gate: &Gate) -> Result<Value, Failure> {
        let changes = self.changes();
        if changes.is_empty() && self.limit.is_empty() && self.clear.is_empty() {
            return Err(Failure::usage("nothing to change: say a field, or --from FILE"));
        }
        let mut record = match gate.get_if_there(&self.account.path())? {
            Some(Value::Object(record)) => record,
            _ => Map::new(),
        };
        record.retain(|name, _| FIELDS.contains(&name.as_str()));
        record.extend(changes);
        if !self.limit.is_empty() {
            let limits = record.entry("limits").or_insert_with(|| json!({}));
            if let Value::Object(limits) = limits {
                let given = self.limit.iter();
                limits.extend(given.map(|(name, units)| (name.clone(), json!(units))));
            }
        }
        record.retain(|name, _| !self.clear.contains(name));
        Ok(Value::Object(record))
    }

    fn changes(&self) -> Map<String, Value> {
        let entitlements = (!self.entitlement.is_empty()).then(|| json!(self.entitlement));
        let named = [
            ("plan", self.plan.as_ref().map(|plan| json!(plan))),
            ("status", self.status.as_ref().map(|status| json!(status))),
            ("suspended", self.suspended.map(|suspended| json!(suspended))),
            ("entitlements", entitlements),
        ];
        let named = named.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
        let times = self.time.iter().map(|(name, at)| (name.clone(), json!(at.rfc3339_exact())));
        named.chain(times).collect()
    }
}

/// The operator's fields of a record.
const FIELDS: [&str; 14] = [
    "plan",
    "add_ons",
    "status",
    "cycle_anchor",
    "current_period_ends_at",
    "trial_ends_at",
    "ends_at",
    "payment_failed_at",
    "payment_failure",
    "entitlements",
    "suspended",
    "limits",
    "tokens_revoked_before",
    "revoked_tokens",
];

fn read_record(file: &str) -> Result<Value, Failure> {
    let mut text = String::new();
    let read = if file == "-" {
        std::io::stdin().read_to_string(&mut text).map(|_| ())
    } else {
        fs::read_to_string(Path::new(file)).map(|read| text = read)
    };
    read.map_err(|error| Failure::usage(format!("{file}: {error}")))?;
    strict_json::parse(&text).map_err(|error| Failure::usage(format!("{file}: {error}")))
}

fn read_status(text: &str) -> Result<String, String> {
    let words = Status::ALL.map(Status::word);
    if words.contains(&text) {
        return Ok(text.to_owned());
    }
    let meant = closest(text, &words).map(|word| format!("did you mean {word}? "));
    Err(format!("{}expected one of {}", meant.unwrap_or_default(), words.join(", ")))
}

fn read_field(text: &str) -> Result<String, String> {
    if FIELDS.contains(&text) {
        return Ok(text.to_owned());
    }
    let meant = closest(text, &FIELDS).map(|word| format!("did you mean {word}? "));
    Err(format!("{}the operator's fields are {}", meant.unwrap_or_default(), FIELDS.join(", ")))
}

fn read_field_time(text: &str) -> Result<(String, Timestamp), String> {
    let (name, at) = text.split_once('=').ok_or("expected ends_at=2026-12-31T00:00:00Z")?;
    Ok((read_field(name)?, clock::read_time(at)?))
}

fn read_limit(text: &str) -> Result<(String, u64), String> {
    let expected = "expected a quota and units, such as api/month=5000";
    let (name, units) = text.split_once('=').ok_or(expected)?;
    Ok((name.to_owned(), units.parse().map_err(|_| expected)?))
}
