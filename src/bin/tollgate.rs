//! The operator's command line.
//!
//! `tollgate check [wrangler.toml] [--env NAME]` reads a configuration as the Worker would, secrets
//! from the `.dev.vars` beside it, and says everything that is wrong with it. Exit code 0: usable
//! (perhaps with warnings), 1: mistakes, 2: it could not be read.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::ExitCode;

use serde_json::Value;
use tollgate::config::{Binding, Bindings, Config};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match Command::parse(&arguments) {
        Ok(command) => command.run().unwrap_or_else(|reason| {
            eprintln!("tollgate: {reason}");
            ExitCode::from(2)
        }),
        Err(reason) => {
            eprintln!("tollgate: {reason}\n{USAGE}");
            ExitCode::from(2)
        }
    }
}

const USAGE: &str = "usage: tollgate check [FILE, default wrangler.toml] [--env NAME]";

/// What was asked for.
enum Command {
    Check { file: String, environment: Option<String> },
    Help,
}

impl Command {
    fn parse(arguments: &[String]) -> Result<Self, String> {
        let mut rest = arguments.iter();
        match rest.next().map(String::as_str) {
            Some("check") => {}
            Some("help" | "--help" | "-h") => return Ok(Self::Help),
            Some(other) => return Err(format!("no such command: {other}")),
            None => return Err("a command is missing".to_owned()),
        }
        let (mut file, mut environment) = ("wrangler.toml".to_owned(), None);
        while let Some(argument) = rest.next() {
            if argument == "--env" {
                environment = Some(rest.next().ok_or("--env needs a name")?.clone());
            } else if argument.starts_with('-') {
                return Err(format!("no such option: {argument}"));
            } else {
                file.clone_from(argument);
            }
        }
        Ok(Self::Check { file, environment })
    }

    fn run(self) -> Result<ExitCode, String> {
        let Self::Check { file, environment } = self else {
            println!("{USAGE}");
            return Ok(ExitCode::SUCCESS);
        };
        let bindings = Wrangler::read(Path::new(&file), environment.as_deref())?;
        Ok(match Config::parse(&bindings) {
            Ok(config) => {
                for warning in &config.warnings {
                    println!("warning: {warning}");
                }
                let (routes, plans) = (config.routes.len(), config.plans.len());
                let issuers = config.issuers.len();
                println!("{file} is usable: {routes} routes, {plans} plans, {issuers} issuers.");
                ExitCode::SUCCESS
            }
            Err(invalid) => {
                for mistake in &invalid.mistakes {
                    println!("mistake: {mistake}");
                }
                println!("{file} can't be used: {} mistakes.", invalid.mistakes.len());
                ExitCode::from(1)
            }
        })
    }
}

/// The bindings that a `wrangler.toml` and the `.dev.vars` beside it describe.
struct Wrangler {
    values: BTreeMap<String, Binding>,
    resources: Vec<String>,
}

impl Wrangler {
    fn read(path: &Path, environment: Option<&str>) -> Result<Self, String> {
        let text = fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?;
        let whole: Value = toml::from_str(&text).map_err(|e| format!("{}: {e}", path.display()))?;
        // Bindings are not inherited into an environment, so only its own table counts.
        let table = match environment {
            None => &whole,
            Some(name) => whole
                .get("env")
                .and_then(|environments| environments.get(name))
                .ok_or_else(|| format!("{} has no [env.{name}]", path.display()))?,
        };
        let mut values = BTreeMap::new();
        for (name, value) in table.get("vars").and_then(Value::as_object).into_iter().flatten() {
            values.insert(name.clone(), binding(value));
        }
        let secrets = path.with_file_name(".dev.vars");
        if let Ok(text) = fs::read_to_string(secrets) {
            values.extend(text.lines().filter_map(secret));
        }
        let objects = table.get("durable_objects").and_then(|objects| objects.get("bindings"));
        let mut resources = names(objects, "name");
        resources.extend(names(table.get("services"), "binding"));
        resources.extend(names(table.get("ratelimits"), "name"));
        Ok(Self { values, resources })
    }
}

impl Bindings for Wrangler {
    fn value(&self, name: &str) -> Option<Binding> {
        self.values.get(name).cloned()
    }

    fn has_resource(&self, name: &str) -> bool {
        self.resources.iter().any(|other| other == name)
    }
}

fn binding(value: &Value) -> Binding {
    match value {
        Value::String(text) => Binding::Text(text.clone()),
        other => Binding::Json(other.clone()),
    }
}

/// A line of `.dev.vars`: `NAME=value`, the value perhaps in quotes.
fn secret(line: &str) -> Option<(String, Binding)> {
    let (name, value) = line.trim().split_once('=').filter(|(name, _)| !name.starts_with('#'))?;
    let value = value.trim();
    let unquoted = ['"', '\'', '`']
        .iter()
        .find_map(|quote| value.strip_prefix(*quote)?.strip_suffix(*quote))
        .unwrap_or(value);
    Some((name.trim().to_owned(), Binding::Text(unquoted.to_owned())))
}

/// The field `key` of every table in an array.
fn names(tables: Option<&Value>, key: &str) -> Vec<String> {
    let tables = tables.and_then(Value::as_array).into_iter().flatten();
    tables.filter_map(|table| Some(table.get(key)?.as_str()?.to_owned())).collect()
}
