//! The commands, and the form of their answers: text for a person, or JSON.

#![allow(clippy::doc_markdown, reason = "what stands over an option is the text of --help")]

mod account;
mod check;
mod clock;
mod completions;
mod crypto;
mod customer;
mod events;
mod explain;
mod http;
mod inspect;
mod keygen;
mod mint;
mod outage;
mod outcome;
mod reference;
mod remote;
mod table;
mod wrangler;

use std::process::ExitCode;

use clap::{CommandFactory as _, Parser, Subcommand};

use outcome::{Failure, Outcome};
use remote::guarded;

/// Looks after a Tollgate: keys, tokens, configuration, decisions and accounts.
#[derive(Parser)]
#[command(name = "tollgate", version, after_help = AFTER_HELP, arg_required_else_help = true)]
struct Cli {
    /// Answer in JSON on stdout, with the same fields in every release.
    #[arg(long, global = true, display_order = 900)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Account(Box<account::Account>),
    Check(check::Check),
    Customer(customer::Customer),
    Events(events::Events),
    Explain(Box<explain::Explain>),
    Inspect(inspect::Inspect),
    Keygen(keygen::Keygen),
    Mint(Box<mint::Mint>),
    Outage(outage::Outage),
    Reference(reference::Reference),
    Completions(completions::Completions),
}

const AFTER_HELP: &str = "\
Exit codes:
  0  fine
  1  the answer is no, or there are mistakes
  2  wrong usage, or something can't be read
  3  the gate or a provider can't be reached

Examples:
  tollgate keygen --env >> .dev.vars
  tollgate check wrangler.toml
  tollgate mint --key key.json --iss https://id.example --aud https://api.example --account alice
  tollgate inspect < token
  tollgate explain 'GET https://api.example.com/articles/1' --as alice --plan pro
  tollgate account show alice --gate https://api.example.com";

/// Runs what the arguments say.
pub(crate) fn main() -> ExitCode {
    let cli = match Cli::try_parse_from(std::env::args_os().map(guarded)) {
        Ok(cli) => cli,
        Err(error) if error.use_stderr() => return misused(&error),
        Err(help) => help.exit(),
    };
    let outcome = match cli.command {
        Command::Account(command) => command.run(),
        Command::Check(command) => command.run(),
        Command::Completions(command) => command.run(&mut Cli::command()),
        Command::Customer(command) => command.run(),
        Command::Events(command) => command.run(),
        Command::Explain(command) => command.run(),
        Command::Inspect(command) => command.run(),
        Command::Keygen(command) => command.run(),
        Command::Mint(command) => command.run(),
        Command::Outage(command) => command.run(),
        Command::Reference(command) => command.run(),
    };
    outcome.unwrap_or_else(Outcome::from).print(cli.json)
}

/// Wrong usage: in the parser's words, and in JSON for a program that asked for JSON.
fn misused(error: &clap::Error) -> ExitCode {
    // The reader may be gone.
    let _ = error.print();
    let asks_for_json = std::env::args_os().any(|argument| argument == "--json");
    let said = error.to_string();
    let reason = said.lines().next().unwrap_or_default().trim_start_matches("error: ");
    let failure = Failure::usage(reason);
    if asks_for_json { Outcome::from(failure).silent().print(true) } else { ExitCode::from(2) }
}
