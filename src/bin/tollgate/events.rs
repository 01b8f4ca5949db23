//! `tollgate events`: the events of payment providers, and their fate.

use clap::{Args, Subcommand};
use serde_json::json;
use tollgate::account::Provider;

use super::remote::{Listing, Remote, encoded_segment, list, told};
use super::table::{plain, table_or};
use super::{Failure, Outcome};

/// See the events of payment providers, and deliver them again.
#[derive(Args)]
#[command(after_help = "\
Examples:
  tollgate events list --state failed
  tollgate events show stripe evt_1Q2w3e
  tollgate events retry stripe evt_1Q2w3e")]
pub(crate) struct Events {
    #[command(flatten)]
    remote: Remote,
    #[command(subcommand)]
    command: EventsCommand,
}

#[derive(Subcommand)]
enum EventsCommand {
    /// Events, newest first.
    List {
        /// Only those of this state.
        #[arg(long, value_name = "STATE", value_parser = ["waiting", "ignored", "failed", "applied"])]
        state: Option<String>,
        /// Only those of this provider.
        #[arg(long, value_name = "NAME", value_parser = providers())]
        provider: Option<String>,
        #[command(flatten)]
        listing: Listing,
    },
    /// One event, with what the provider sent.
    Show(One),
    /// Deliver an event again.
    Retry(One),
}

#[derive(Args)]
struct One {
    /// The provider.
    #[arg(value_parser = providers())]
    provider: String,
    /// The event's id.
    id: String,
}

impl Events {
    pub(crate) fn run(&self) -> Result<Outcome, Failure> {
        let gate = self.remote.open()?;
        match &self.command {
            EventsCommand::List { state, provider, listing } => {
                let query = [("state", state.as_deref()), ("provider", provider.as_deref())];
                let items = list(&gate, "events", &query, listing)?;
                let columns = [
                    "received_at",
                    "provider",
                    "id",
                    "type",
                    "account",
                    "customer",
                    "state",
                    "reason",
                ];
                told(table_or(&items, &columns, "No such event."), json!({ "items": items }))
            }
            EventsCommand::Show(one) => {
                let event = gate.get(&one.path())?;
                told(plain(&event), event)
            }
            EventsCommand::Retry(one) => {
                let event = gate.change("POST", &format!("{}/retry", one.path()), None)?;
                told(plain(&event), event)
            }
        }
    }
}

impl One {
    fn path(&self) -> String {
        format!("events/{}/{}", self.provider, encoded_segment(&self.id))
    }
}

/// The words of every provider.
pub(crate) fn providers() -> [&'static str; Provider::ALL.len()] {
    Provider::ALL.map(Provider::word)
}
