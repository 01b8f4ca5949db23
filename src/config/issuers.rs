//! The issuers of tokens.

use super::Binding;
use super::fields::{ConfigReader, Expect, Fields};
use super::shown::shown;
use crate::token::{
    ClaimMapping, ClaimPath, KeyMistake, KeyRing, KeyRingError, KeyRingKind, Rules,
};
use crate::words::words;

/// Somebody who signs tokens.
#[derive(Debug)]
pub struct Issuer {
    /// The claims every token must satisfy.
    pub rules: Rules,
    /// The places of plan, entitlements, tenant and account.
    pub mapping: ClaimMapping,
    /// The source of the keys.
    pub keys: KeySource,
    /// The source of an account's rights: the token or the ledger's record.
    pub subscription: SubscriptionSource,
}

/// The source of an issuer's keys.
#[derive(Debug)]
pub enum KeySource {
    /// In the configuration.
    Inline(KeyRing),
    /// At a JWKS URL (RFC 7517 §5).
    Url(String),
}

words! {
    /// The source of an account's rights.
    #[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
    pub enum SubscriptionSource {
        /// The ledger's record.
        Account = "account",
        /// Both: entitlements of either, and the record's standing.
        Both = "both",
        /// The token alone; unmetered routes then need no call to the ledger.
        #[default]
        Token = "token",
    }
}

pub(super) fn read(reader: &ConfigReader<'_>) -> Vec<Issuer> {
    let mut issuers: Vec<Issuer> = Vec::new();
    for (index, fields) in reader.tables("ISSUERS", EXAMPLE).into_iter().enumerate() {
        let Some(issuer) = read_issuer(fields) else { continue };
        if issuers.iter().any(|other| other.rules.issuer == issuer.rules.issuer) {
            let found = format!("{:?} a second time", issuer.rules.issuer);
            let expect = Expect::new("one entry per issuer; put both keys into its JWKS", "");
            reader.mistake("ISSUERS", &format!("[{index}].iss"), &found, expect);
        }
        issuers.push(issuer);
    }
    issuers
}

const EXAMPLE: &str = "[[vars.ISSUERS]] iss = \"https://login.example.com\"  \
     audience = [\"https://api.example.com\"]  \
     jwks_url = \"https://login.example.com/.well-known/jwks.json\"";

fn read_issuer(mut fields: Fields<'_>) -> Option<Issuer> {
    let iss =
        fields.needed_text("iss", Expect::new("the tokens' iss", "\"https://login.example.com\""));
    let audiences = fields.words("audience", "[\"https://api.example.com\"]");
    if audiences.is_empty() {
        let expect = Expect::new("who the tokens are for", "[\"https://api.example.com\"]");
        fields.mistake("audience", "nothing", expect);
    }
    let typ = fields.text("typ", "\"at+jwt\"");
    let leeway_s = fields.whole("leeway_s", 0..=300, "60").unwrap_or(DEFAULT_LEEWAY_S);
    let max_lifetime_s = fields.whole("max_lifetime_s", 1..=MAX_LIFETIME_S, "3600");
    let keys = read_keys(&mut fields);
    let mapping = read_mapping(&mut fields);
    let subscription =
        fields.choice("subscription", &SubscriptionSource::WORDS, "\"token\"").unwrap_or_default();
    fields.finish();
    let rules = Rules {
        issuer: iss?,
        audiences,
        typ,
        leeway_s: u32::try_from(leeway_s).unwrap_or_default(),
        max_lifetime_s: max_lifetime_s.and_then(|seconds| u32::try_from(seconds).ok()),
    };
    Some(Issuer { rules, mapping, keys: keys?, subscription })
}

/// RFC 8725bis advises at most a minute.
const DEFAULT_LEEWAY_S: u64 = 60;
const MAX_LIFETIME_S: u64 = 366 * 86_400;
const MAX_SECRET_NAME_BYTES: usize = 40;

fn read_keys(fields: &mut Fields<'_>) -> Option<KeySource> {
    let is_said = ["keys", "keys_secret", "jwks_url"].iter().any(|name| fields.has(name));
    let inline = fields.take("keys");
    let secret = fields.text("keys_secret", "\"TOKEN_KEYS\"");
    let url = fields.url("jwks_url", "\"https://login.example.com/.well-known/jwks.json\"");
    match (inline, secret, url) {
        (Some(jwks), None, None) => {
            read_ring(fields, "keys", &jwks.to_string(), KeyRingKind::Inline)
        }
        (None, Some(name), None) => read_secret_ring(fields, &name),
        (None, None, Some(url)) => Some(KeySource::Url(url)),
        // A source that is not usable was reported where it was read.
        (None, None, None) if is_said => None,
        (None, None, None) => {
            fields.mistake("keys", "an issuer without keys", keys_expect());
            None
        }
        _ => {
            fields.mistake("keys", "more than one of keys, keys_secret, jwks_url", keys_expect());
            None
        }
    }
}

fn keys_expect() -> Expect<'static> {
    Expect::new(
        "one of keys (a JWKS), keys_secret (a secret's name) or jwks_url",
        "jwks_url = \"https://login.example.com/.well-known/jwks.json\"",
    )
}

fn read_secret_ring(fields: &Fields<'_>, name: &str) -> Option<KeySource> {
    if let Some(Binding::Text(text)) = fields.reader().bindings().value(name) {
        return read_ring(fields, "keys_secret", &text, KeyRingKind::Secret);
    }
    // Somebody may have put the keys themselves here, and they must not be repeated.
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let found = if name.len() <= MAX_SECRET_NAME_BYTES && name.bytes().all(is_name) {
        format!("{name:?}, which is not there")
    } else {
        "something that can't be a secret's name".to_owned()
    };
    let expect = Expect::new(
        "the name of a secret that holds a JWKS, set by wrangler secret put",
        "\"TOKEN_KEYS\"",
    );
    fields.mistake("keys_secret", &found, expect);
    None
}

fn read_ring(fields: &Fields<'_>, field: &str, jwks: &str, kind: KeyRingKind) -> Option<KeySource> {
    match KeyRing::parse(jwks, kind) {
        Ok(ring) => Some(KeySource::Inline(ring)),
        Err(KeyRingError(mistakes)) => {
            for mistake in mistakes {
                report_key(fields, field, &mistake);
            }
            None
        }
    }
}

fn report_key(fields: &Fields<'_>, field: &str, mistake: &KeyMistake) {
    let KeyMistake { place, problem } = mistake;
    let dot = if place.is_empty() { "" } else { "." };
    let found = problem.found().unwrap_or("something else".into());
    let expected = problem.expected();
    fields.mistake(&format!("{field}{dot}{place}"), &found, Expect::new(&expected, ""));
}

fn read_mapping(fields: &mut Fields<'_>) -> ClaimMapping {
    let sub = || ClaimPath(vec!["sub".to_owned()]);
    let mut mapping = ClaimMapping { account: sub(), tenant: None, plan: None, entitlements: None };
    if let Some(mut claims) = fields.table("claims", "{ account = \"sub\", plan = \"plan\" }") {
        if let Some(path) = read_path(&mut claims, "account") {
            mapping.account = path;
        }
        mapping.tenant = read_path(&mut claims, "tenant");
        mapping.plan = read_path(&mut claims, "plan");
        mapping.entitlements = read_path(&mut claims, "entitlements");
        claims.finish();
    }
    mapping
}

fn read_path(claims: &mut Fields<'_>, name: &'static str) -> Option<ClaimPath> {
    let value = claims.take(name)?;
    let path = ClaimPath::from_config(&value);
    if path.is_none() {
        let expect = Expect::new(ClaimPath::EXPECTED, "\"plan\" or [\"org\", \"id\"]");
        claims.mistake(name, &shown(&value), expect);
    }
    path
}
