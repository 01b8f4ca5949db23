//! The bindings that a `wrangler.toml` and the `.dev.vars` beside it describe.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::Value;
use tollgate::config::{Binding, Bindings, Config, VARIABLES, VariableKind};

use super::Failure;

/// The choice of a configuration.
#[derive(Args, Clone)]
pub(crate) struct ConfigChoice {
    /// The configuration; secrets come from the .dev.vars beside it.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The named environment of it, [env.NAME].
    #[arg(long, value_name = "NAME")]
    env: Option<String>,
}

impl ConfigChoice {
    /// Whether one was named.
    pub(crate) const fn is_made(&self) -> bool {
        self.config.is_some() || self.env.is_some()
    }

    /// The configuration; `None` where none was named and there is no `wrangler.toml` here.
    pub(crate) fn read(&self) -> Result<Option<Config>, Failure> {
        let default = Path::new(DEFAULT_FILE);
        match &self.config {
            None if self.env.is_none() && !default.exists() => Ok(None),
            chosen => {
                let file = chosen.as_deref().unwrap_or(default);
                Wrangler::read(file, self.env.as_deref())?.usable(file).map(Some)
            }
        }
    }

    /// The configuration, which has to be there.
    pub(crate) fn need(&self) -> Result<Config, Failure> {
        let missing = format!("no {DEFAULT_FILE} here; name the configuration with --config FILE");
        self.read()?.ok_or_else(|| Failure::usage(missing))
    }
}

/// The bindings of a Worker, as its files describe them.
pub(crate) struct Wrangler {
    values: BTreeMap<String, Binding>,
    resources: Vec<String>,
}

impl Wrangler {
    pub(crate) fn read(path: &Path, environment: Option<&str>) -> Result<Self, Failure> {
        let text = fs::read_to_string(path).map_err(|error| Failure::file(path, error))?;
        let whole: Value = toml::from_str(&text).map_err(|error| Failure::file(path, error))?;
        // Bindings are not inherited into an environment, so only its own table counts.
        let table = match environment {
            None => &whole,
            Some(name) => whole
                .get("env")
                .and_then(|environments| environments.get(name))
                .ok_or_else(|| Failure::file(path, no_environment(&whole, name)))?,
        };
        let mut values = BTreeMap::new();
        for (name, value) in table.get("vars").and_then(Value::as_object).into_iter().flatten() {
            values.insert(name.clone(), binding(value));
        }
        let file = secrets(path, environment);
        let in_file: BTreeMap<_, _> =
            file.iter().flat_map(|text| text.lines().filter_map(secret)).collect();
        let of_kind = VARIABLES.iter().filter(|one| one.kind == VariableKind::Secret);
        let missing = of_kind.filter(|one| !in_file.contains_key(one.name));
        values.extend(missing.filter_map(|one| {
            let value = std::env::var(one.name).ok().filter(|value| !value.is_empty())?;
            Some((one.name.to_owned(), Binding::Text(value)))
        }));
        values.extend(in_file);
        let objects = table.get("durable_objects").and_then(|objects| objects.get("bindings"));
        let mut resources = names(objects, "name");
        resources.extend(names(table.get("services"), "binding"));
        resources.extend(names(table.get("ratelimits"), "name"));
        Ok(Self { values, resources })
    }

    /// The configuration that a command goes by, which must not have mistakes.
    fn usable(&self, file: &Path) -> Result<Config, Failure> {
        Config::parse(self).map_err(|invalid| {
            let first = invalid.mistakes.first().map(ToString::to_string).unwrap_or_default();
            let path = file.display();
            let reason = format!("it can't be used: {first}\n(`tollgate check {path}` says all)");
            Failure::file(file, reason)
        })
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

/// The `.dev.vars` of the environment, or else the common one: as wrangler chooses.
fn secrets(path: &Path, environment: Option<&str>) -> Option<String> {
    let own = environment.map(|name| path.with_file_name(format!(".dev.vars.{name}")));
    let own = own.and_then(|file| fs::read_to_string(file).ok());
    own.or_else(|| fs::read_to_string(path.with_file_name(".dev.vars")).ok())
}

fn no_environment(whole: &Value, name: &str) -> String {
    let known = whole.get("env").and_then(Value::as_object);
    let known: Vec<_> = known.into_iter().flatten().map(|(name, _)| name.as_str()).collect();
    match known.as_slice() {
        [] => format!("it has no [env.{name}], nor any other environment"),
        known => format!("it has no [env.{name}]; there is {}", known.join(", ")),
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

/// The configuration where none is named.
pub(crate) const DEFAULT_FILE: &str = "wrangler.toml";
