//! `tollgate mint`: a signed token.

use std::fs;
use std::io::Read as _;
use std::path::Path;

use clap::Args;
use serde_json::{Map, Value, json};
use tollgate::config::{Config, Issuer};
use tollgate::strict_json;
use tollgate::token::ClaimPath;

use super::crypto::{PrivateKey, encoded, random_text};
use super::wrangler::ConfigChoice;
use super::{Failure, Outcome, clock};

/// Sign a token with claims of your choice.
#[derive(Args)]
#[command(after_help = "\
With --config, issuer and audience come from its ISSUERS, and account, tenant, plan and
entitlements go where that issuer has them. Without, they go into sub, tenant, plan, entitlements.

Examples:
  tollgate mint --key key.json --config wrangler.toml --account alice --plan pro
  tollgate mint --key key.json --iss https://id.example --aud https://api.example --account alice \\
    --entitlement premium --entitlement export --ttl 15m --claim 'roles=[\"editor\"]'
  pass show signing-key | tollgate mint --key - --config wrangler.toml --account alice")]
pub(crate) struct Mint {
    /// The private key, a JWK as `tollgate keygen` makes it; - reads stdin.
    #[arg(long, value_name = "FILE")]
    key: String,
    #[command(flatten)]
    choice: ConfigChoice,
    /// Issuer (iss).
    #[arg(long, value_name = "URL")]
    iss: Option<String>,
    /// Audience (aud); may be repeated.
    #[arg(long, value_name = "URL")]
    aud: Vec<String>,
    /// Subject (sub), where that is not the account.
    #[arg(long, value_name = "NAME")]
    sub: Option<String>,
    /// The paying customer.
    #[arg(long, value_name = "NAME")]
    account: Option<String>,
    /// The tenant of the account.
    #[arg(long, value_name = "NAME")]
    tenant: Option<String>,
    /// The plan's id.
    #[arg(long, value_name = "ID")]
    plan: Option<String>,
    /// An entitlement; may be repeated.
    #[arg(long, value_name = "NAME")]
    entitlement: Vec<String>,
    /// For how long it is valid: 90s, 15m, 12h, 30d.
    #[arg(long, value_name = "TIME", default_value = "1h", value_parser = clock::read_duration_s)]
    ttl: i64,
    /// From when, as RFC 3339; the machine's clock where it is not said.
    #[arg(long, value_name = "TIME", value_parser = clock::read_time)]
    at: Option<tollgate::time::Timestamp>,
    /// The header's typ.
    #[arg(long, value_name = "TYPE", default_value = "JWT")]
    typ: String,
    /// Any other claim, its value in JSON (or else a string); may be repeated.
    #[arg(long, value_name = "NAME=JSON", value_parser = read_claim)]
    claim: Vec<(String, Value)>,
}

impl Mint {
    pub(crate) fn run(&self) -> Result<Outcome, Failure> {
        let key = self.read_key()?;
        let config = if self.choice.is_made() { self.choice.read()? } else { None };
        let issuer = config.as_ref().map(|config| self.issuer(config)).transpose()?;
        let claims = self.claims(issuer)?;
        let mut header = Map::new();
        header.insert("alg".to_owned(), key.alg().into());
        if let Some(kid) = key.kid() {
            header.insert("kid".to_owned(), kid.into());
        }
        header.insert("typ".to_owned(), self.typ.clone().into());
        let part = |part: &Map<String, Value>| encoded(json!(part).to_string().as_bytes());
        let signed = format!("{}.{}", part(&header), part(&claims));
        let signature = key.sign(signed.as_bytes()).map_err(Failure::usage)?;
        let token = format!("{signed}.{}", encoded(&signature));
        let json = json!({ "token": token, "header": header, "claims": claims });
        Ok(Outcome::fine(token, json))
    }

    fn read_key(&self) -> Result<PrivateKey, Failure> {
        let mut text = String::new();
        if self.key == "-" {
            std::io::stdin()
                .read_to_string(&mut text)
                .map_err(|error| Failure::usage(format!("stdin: {error}")))?;
        } else {
            let file = Path::new(&self.key);
            text = fs::read_to_string(file).map_err(|error| Failure::file(file, error))?;
        }
        let name = if self.key == "-" { "stdin" } else { &self.key };
        PrivateKey::parse(&text).map_err(|reason| Failure::usage(format!("{name}: {reason}")))
    }

    /// The issuer of the configuration that this is a token of.
    fn issuer<'a>(&self, config: &'a Config) -> Result<&'a Issuer, Failure> {
        let known: Vec<_> = config.issuers.iter().map(|one| one.rules.issuer.as_str()).collect();
        match (&self.iss, config.issuers.as_slice()) {
            (Some(iss), _) => config.issuer(iss).map(|(_, issuer)| issuer).ok_or_else(|| {
                Failure::usage(format!("no issuer {iss:?}; there is {}", known.join(", ")))
            }),
            (None, [one]) => Ok(one),
            (None, []) => Err(Failure::usage("the configuration has no ISSUERS")),
            (None, _) => {
                let known = known.join(", ");
                Err(Failure::usage(format!("several issuers; choose one with --iss: {known}")))
            }
        }
    }

    fn claims(&self, issuer: Option<&Issuer>) -> Result<Map<String, Value>, Failure> {
        let mut claims = Map::new();
        let iss = self.iss.as_deref().or(issuer.map(|issuer| issuer.rules.issuer.as_str()));
        put(&mut claims, "iss", iss);
        let of_issuer = issuer.map(|issuer| issuer.rules.audiences.as_slice());
        let audiences = if self.aud.is_empty() { of_issuer.unwrap_or_default() } else { &self.aud };
        match audiences {
            [] => {}
            [one] => put(&mut claims, "aud", Some(one)),
            many => {
                claims.insert("aud".to_owned(), json!(many));
            }
        }
        put(&mut claims, "sub", self.sub.as_deref());
        let now = self.at.unwrap_or_else(clock::now);
        claims.insert("iat".to_owned(), now.as_seconds().into());
        claims.insert("exp".to_owned(), now.plus_seconds(self.ttl).as_seconds().into());
        claims.insert("jti".to_owned(), random_text(9).map_err(Failure::usage)?.into());
        self.put_facts(&mut claims, issuer)?;
        for (name, value) in &self.claim {
            claims.insert(name.clone(), value.clone());
        }
        Ok(claims)
    }

    /// Account, tenant, plan and entitlements, where the issuer has them.
    fn put_facts(
        &self,
        claims: &mut Map<String, Value>,
        issuer: Option<&Issuer>,
    ) -> Result<(), Failure> {
        let mapping = issuer.map(|issuer| &issuer.mapping);
        let text = |value: &Option<String>| value.clone().map(Value::String);
        let listed = (!self.entitlement.is_empty()).then(|| json!(self.entitlement));
        let facts = [
            ("account", "sub", text(&self.account), mapping.map(|all| Some(&all.account))),
            ("tenant", "tenant", text(&self.tenant), mapping.map(|all| all.tenant.as_ref())),
            ("plan", "plan", text(&self.plan), mapping.map(|all| all.plan.as_ref())),
            ("entitlement", "entitlements", listed, mapping.map(|all| all.entitlements.as_ref())),
        ];
        for (option, default, value, path) in facts {
            let Some(value) = value else { continue };
            let path = match path {
                None => ClaimPath(vec![default.to_owned()]),
                Some(Some(path)) => path.clone(),
                Some(None) => {
                    let reason = "the gate reads no such claim of this issuer";
                    return Err(Failure::usage(format!("--{option}: {reason} (ISSUERS, claims)")));
                }
            };
            put_at(claims, &path.0, value).map_err(|taken| {
                let way = path.0.join(".");
                Failure::usage(format!("--{option} goes into {way}, where {taken} stands already"))
            })?;
        }
        Ok(())
    }
}

fn put(claims: &mut Map<String, Value>, name: &str, value: Option<&str>) {
    if let Some(value) = value {
        claims.insert(name.to_owned(), value.into());
    }
}

/// Puts a value at a path, objects on the way made as needed; `Err` is what stands there.
pub(crate) fn put_at(
    claims: &mut Map<String, Value>,
    path: &[String],
    value: Value,
) -> Result<(), Value> {
    let Some((first, rest)) = path.split_first() else { return Ok(()) };
    if rest.is_empty() {
        return match claims.get(first) {
            Some(taken) if *taken != value => Err(taken.clone()),
            _ => {
                claims.insert(first.clone(), value);
                Ok(())
            }
        };
    }
    let inner = claims.entry(first.clone()).or_insert_with(|| json!({}));
    match inner {
        Value::Object(inner) => put_at(inner, rest, value),
        taken => Err(taken.clone()),
    }
}

fn read_claim(text: &str) -> Result<(String, Value), String> {
    let expected = "expected a name and a JSON value, such as seats=5 or roles='[\"a\"]'";
    let (name, value) = text.split_once('=').ok_or(expected)?;
    if name.is_empty() {
        return Err(expected.to_owned());
    }
    let value = strict_json::parse(value).unwrap_or_else(|_| Value::String(value.to_owned()));
    Ok((name.to_owned(), value))
}
