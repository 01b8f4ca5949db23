//! The given facts about the caller and its account.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;
use std::path::Path;

use serde_json::Value;
use tollgate::account::{AccountRecord, ApiKey, judge};
use tollgate::admin::record::shown;
use tollgate::config::{Config, closest};
use tollgate::plan::Scope;
use tollgate::quota::CreditPack;
use tollgate::quota::store::{Counter, CounterKey};
use tollgate::strict_json;
use tollgate::time::Timestamp;
use tollgate::token::Unverified;

use super::store::Rows;
use super::{Explain, caller};
use crate::commands::Failure;

impl Explain {
    /// The token that the request carries, or one that stands in for it.
    pub(super) fn read_token(
        &self,
        config: &Config,
        now: Timestamp,
    ) -> Result<Option<String>, Failure> {
        if let Some(file) = &self.token {
            let text = read(file)?;
            let text = text.trim();
            let token = text.strip_prefix("Bearer ").unwrap_or(text).trim();
            if token.is_empty() {
                return Err(Failure::usage(format!("{file}: expected a token, found nothing")));
            }
            if self.caller.is_some() && !token.starts_with(ApiKey::MARK) {
                let reason = "--as is for a request without a token, or with an API key";
                return Err(Failure::usage(reason));
            }
            return Ok(Some(token.to_owned()));
        }
        let asks_for_one = self.caller.is_some()
            || self.account.is_some()
            || self.plan.is_some()
            || !self.entitlement.is_empty();
        asks_for_one.then(|| caller::stand_in(self, config, now)).transpose()
    }

    /// The account's rows as they were described.
    pub(super) fn rows(
        &self,
        config: &Config,
        token: Option<&str>,
        now: Timestamp,
    ) -> Result<Rows, Failure> {
        let account = self.account.as_deref().map(read_record).transpose()?;
        let counters = self.counters(config, account.as_ref(), token, now)?;
        let pack = |units| CreditPack {
            id: "given".to_owned(),
            units,
            left: units,
            added_at: now,
            expires_at: None,
        };
        let packs = self.credits.map(pack).into_iter().collect();
        Ok(Rows { account, counters, packs, ..Rows::default() })
    }

    /// The counts of `--used`, in the windows of every plan that has such a quota.
    fn counters(
        &self,
        config: &Config,
        record: Option<&AccountRecord>,
        token: Option<&str>,
        now: Timestamp,
    ) -> Result<BTreeMap<CounterKey, Counter>, Failure> {
        let judged =
            record.map(|record| judge(record, &config.plans, None, config.provider_outage, now));
        let leading = judged.and_then(|judgement| judgement.leading());
        let anchor = leading.and_then(|leading| leading.cycle_anchor);
        let member = token.and_then(|token| member_of(token, config));
        let quotas: Vec<_> = config.plans.iter().flat_map(|plan| &plan.quotas).collect();
        let mut counters = BTreeMap::new();
        for (name, used) in &self.used {
            let meant: Vec<_> =
                quotas.iter().filter(|quota| quota.name().to_string() == *name).collect();
            if meant.is_empty() {
                let names: Vec<_> = quotas.iter().map(|quota| quota.name().to_string()).collect();
                return Err(Failure::usage(no_quota(name, &names)));
            }
            for quota in meant {
                let member = member.clone().filter(|_| quota.scope == Scope::Member);
                let starts_at = quota.window(now, anchor).starts_at;
                let (meter, period) = (quota.meter.clone(), quota.period);
                let key = CounterKey { meter, member, period, starts_at };
                counters.insert(key, Counter { used: *used, ..Counter::default() });
            }
        }
        Ok(counters)
    }
}

/// Reads `api/month=990`.
pub(super) fn read_used(text: &str) -> Result<(String, u64), String> {
    let expected = "expected a quota and units, such as api/month=990";
    let (name, units) = text.split_once('=').ok_or(expected)?;
    Ok((name.to_owned(), units.parse().map_err(|_| expected)?))
}

/// Reads `Accept: text/html`.
pub(super) fn read_header(text: &str) -> Result<(String, String), String> {
    let expected = "expected a header field, such as 'Accept: text/html'";
    let (name, value) = text.split_once(':').ok_or(expected)?;
    let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_graphic());
    if !is_name || value.contains(['\n', '\r']) {
        return Err(expected.to_owned());
    }
    Ok((name.to_owned(), value.trim().to_owned()))
}

fn read(file: &str) -> Result<String, Failure> {
    if file == "-" {
        let mut text = String::new();
        let read = std::io::stdin().read_to_string(&mut text);
        return read.map(|_| text).map_err(|error| Failure::usage(format!("stdin: {error}")));
    }
    let path = Path::new(file);
    fs::read_to_string(path).map_err(|error| Failure::file(path, error))
}

/// A record as an operator writes it, or as the gate shows it.
fn read_record(file: &str) -> Result<AccountRecord, Failure> {
    let wrong = |reason: String| Failure::usage(format!("{file}: {reason}"));
    let text = read(file)?;
    let mut value = strict_json::parse(&text).map_err(|error| wrong(error.to_string()))?;
    let keys = value.get_mut("keys").and_then(Value::as_array_mut);
    for key in keys.into_iter().flatten().filter_map(Value::as_object_mut) {
        // As the list of keys shows it, for people.
        key.remove("prefix");
    }
    shown::read(value).map_err(|error| wrong(error.to_string()))
}

fn no_quota(name: &str, names: &[String]) -> String {
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    match closest(name, &names) {
        Some(meant) => format!("--used: no quota {name:?}; did you mean {meant:?}?"),
        None if names.is_empty() => format!("--used: no quota {name:?}: no plan has any"),
        None => format!("--used: no quota {name:?}; there is {}", names.join(", ")),
    }
}

/// The member whose own quotas count a token's units.
fn member_of(token: &str, config: &Config) -> Option<String> {
    let unverified = Unverified::parse(token).ok()?;
    let (_, issuer) = config.issuer(unverified.issuer()?)?;
    let identity = issuer.mapping.read(unverified.claims()).ok()?.identity;
    Some(identity.subject.unwrap_or(identity.account))
}
