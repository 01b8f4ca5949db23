//! Routes, and where a credential may stand.

use serde_json::Value;

use super::allowances::GivenAway;
use super::fields::{ConfigReader, Expect, Fields};
use super::shown::shown;
use super::{OriginTarget, origin};
use crate::allowance::Allowance;
use crate::plan::{Cost, FailurePolicy};
use crate::request::{CredentialSource, RoutePattern};
use crate::words::words;

/// A method + host + path pattern and what it asks for.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a field of the configuration")]
pub struct Route {
    /// The requests that it is about.
    pub pattern: RoutePattern,
    /// Passes at once, without any check.
    pub open: bool,
    /// Entitlements that are all needed.
    pub requires: Vec<String>,
    /// The meter, and the units that one request costs.
    pub metering: Option<Metering>,
    /// The answer to a request without a credential.
    pub anonymous: Anonymous,
    /// The free pages of readers without a credential, before that.
    pub free: Option<Allowance>,
    /// The name of a rate-limit binding that bounds how often an address starts a free count.
    pub free_burst: Option<String>,
    /// Categories of verified bots that pass.
    pub crawlers: Vec<String>,
    /// The policy for a ledger that can't be reached; the plan decides where there is none.
    pub on_outage: Option<FailurePolicy>,
    /// The name of a rate-limit binding that bounds bursts per account.
    pub burst: Option<String>,
    /// Another origin than the default one.
    pub origin: Option<OriginTarget>,
    /// Whether the credential is forwarded to the origin.
    pub forward_credential: bool,
    /// Whether units are given back when the origin can't be reached or answers 5xx.
    pub refund: bool,
    /// Whether headers that replace method or address go on to the origin.
    pub forward_overrides: bool,
    /// Whether the platform may keep the origin's answers, and reuse them for others.
    pub cache: bool,
}

/// The cost of one request on a route.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Metering {
    /// Units per request and meter, at least 1 each; the most it can be where `is_settled`.
    pub costs: Vec<Cost>,
    /// Whether the origin reports the real cost in `Tollgate-Cost`.
    pub is_settled: bool,
    /// Requests that cost nothing all the same.
    pub uncounted: Vec<Uncounted>,
}

/// A kind of request that costs nothing.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Uncounted {
    /// The origin's cache, or one before it, had the answer (`CF-Cache-Status: HIT`).
    CacheHit,
    /// `HEAD` requests; they pass also where nothing is left.
    Head,
    /// The caller had the answer already: 304.
    NotModified,
}

words! {
    /// The answer to a request without a credential.
    #[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
    pub enum Anonymous {
        /// 401: sign in.
        #[default]
        Deny = "deny",
        /// 402: here is what to buy.
        Offer = "offer",
    }
}

pub(super) fn read(reader: &ConfigReader<'_>) -> Vec<Route> {
    let tables = reader.tables("ROUTES", EXAMPLE);
    if tables.is_empty() && reader.bindings().value("ROUTES").is_none() {
        reader.mistake("ROUTES", "", "nothing", Expect::new("at least one route", EXAMPLE));
    }
    tables.into_iter().filter_map(read_route).collect()
}

pub(super) fn read_credentials(reader: &ConfigReader<'_>) -> Vec<CredentialSource> {
    let Some(value) = reader.json("CREDENTIALS", CREDENTIALS_EXAMPLE) else {
        return vec![CredentialSource::Bearer, CredentialSource::Cookie("tollgate".to_owned())];
    };
    let expect = Expect::new(
        "an array of \"bearer\", \"cookie:NAME\", \"header:NAME\" or \"query:NAME\"",
        CREDENTIALS_EXAMPLE,
    );
    let Value::Array(items) = &value else {
        reader.mistake("CREDENTIALS", "", &shown(&value), expect);
        return Vec::new();
    };
    if items.is_empty() {
        reader.mistake("CREDENTIALS", "", "an empty array", expect);
    }
    let mut sources = Vec::new();
    for (index, item) in items.iter().enumerate() {
        match item.as_str().and_then(CredentialSource::parse) {
            Some(source) => sources.push(source),
            None => reader.mistake("CREDENTIALS", &format!("[{index}]"), &shown(item), expect),
        }
    }
    sources
}

impl CredentialSource {
    fn parse(text: &str) -> Option<Self> {
        if text == "bearer" {
            return Some(Self::Bearer);
        }
        let (kind, name) = text.split_once(':')?;
        let is_token =
            |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        if name.is_empty() || !name.bytes().all(is_token) {
            return None;
        }
        match kind {
            "cookie" => Some(Self::Cookie(name.to_owned())),
            "header" => Some(Self::Header(name.to_ascii_lowercase())),
            "query" => Some(Self::Query(name.to_owned())),
            _ => None,
        }
    }
}

const EXAMPLE: &str = "[[vars.ROUTES]] match = \"/articles/**\"  requires = [\"premium\"]";
const CREDENTIALS_EXAMPLE: &str = "[\"bearer\", \"cookie:tollgate\"]";

/// Beyond it a cost can only be a slip of the finger.
const MAX_COST: u64 = 1_000_000_000;

fn read_route(mut fields: Fields<'_>) -> Option<Route> {
    let pattern = read_pattern(&mut fields);
    let open = fields.flag("open").unwrap_or(false);
    let requires = fields.words("requires", "[\"premium\"]");
    let metering = read_metering(&mut fields);
    let anonymous = fields.choice("anonymous", &Anonymous::WORDS, "\"offer\"");
    let given_away = GivenAway::read(&mut fields);
    let on_outage = fields.choice("on_outage", &FailurePolicy::WORDS, "\"pass\"");
    let burst = fields.text("burst", "\"BURST\"");
    let origin = fields.text("origin", "\"https://api.example.com\"").and_then(|text| {
        let field = fields.path_of("origin");
        origin::check(fields.reader(), "ROUTES", &field, &text)
    });
    let forward_credential = fields.flag("forward_credential").unwrap_or(true);
    let refund = fields.flag("refund").unwrap_or(true);
    let forward_overrides = fields.flag("forward_overrides").unwrap_or(false);
    let cache = fields.flag("cache").unwrap_or(open);
    let asks = !requires.is_empty() || metering.is_some() || anonymous.is_some() || burst.is_some();
    if open && (asks || !given_away.is_nothing()) {
        let found = "open = true beside requires, meter, burst, anonymous, free or crawlers";
        let expect = Expect::new("either an open route or one that asks for something", EXAMPLE);
        fields.mistake("open", found, expect);
    }
    fields.finish();
    Some(Route {
        pattern: pattern?,
        open,
        requires,
        metering,
        anonymous: anonymous.unwrap_or_default(),
        free: given_away.free,
        free_burst: given_away.free_burst,
        crawlers: given_away.crawlers,
        on_outage,
        burst,
        origin,
        forward_credential,
        refund,
        forward_overrides,
        cache,
    })
}

fn read_pattern(fields: &mut Fields<'_>) -> Option<RoutePattern> {
    let example = "\"GET /articles/**\"";
    let text =
        fields.needed_text("match", Expect::new("method, host and path pattern", example))?;
    match RoutePattern::parse(&text) {
        Ok(pattern) => Some(pattern),
        Err(error) => {
            let expected = error.to_string();
            fields.mistake("match", &format!("{text:?}"), Expect::new(&expected, example));
            None
        }
    }
}

fn read_metering(fields: &mut Fields<'_>) -> Option<Metering> {
    let has_meter = fields.has("meter");
    let has_costs = fields.has("costs");
    let meter = fields.words("meter", "\"api\"");
    let cost = fields.whole("cost", 1..=MAX_COST, "1");
    let costs = fields.numbers("costs", 1..=MAX_COST, "{ api = 1, tokens = 4000 }");
    let is_settled = fields.flag("settle").unwrap_or(false);
    let uncounted = read_uncounted(fields);
    let mut costs: Vec<_> = costs.into_iter().map(|(meter, units)| Cost { meter, units }).collect();
    match (meter.as_slice(), cost) {
        (_, _) if has_costs && (has_meter || cost.is_some()) => {
            let expect = Expect::new("costs alone, which names its meters", "costs = { api = 1 }");
            fields.mistake("costs", "costs beside meter or cost", expect);
        }
        ([], _) if has_meter => {
            fields.mistake("meter", "no usable word", Expect::new("one meter", "\"api\""));
        }
        ([], None) if !has_costs && (is_settled || !uncounted.is_empty()) => {
            let expect = Expect::new("a meter beside it", "meter = \"api\"");
            fields.mistake("meter", "nothing, beside settle or uncounted", expect);
        }
        ([], None) => {}
        ([], Some(cost)) => {
            let expect = Expect::new("the meter that the cost is counted on", "meter = \"api\"");
            fields.mistake("meter", &format!("nothing, beside cost = {cost}"), expect);
        }
        ([meter], cost) => costs.push(Cost { meter: meter.clone(), units: cost.unwrap_or(1) }),
        (more, _) => {
            let expect = Expect::new("one meter, or costs for several", "costs = { api = 1 }");
            fields.mistake("meter", &format!("{more:?}"), expect);
        }
    }
    (!costs.is_empty()).then_some(Metering { costs, is_settled, uncounted })
}

fn read_uncounted(fields: &mut Fields<'_>) -> Vec<Uncounted> {
    let mut kinds = Vec::new();
    for word in fields.words("uncounted", "[\"HEAD\", \"304\"]") {
        if let Some((_, kind)) = UNCOUNTED.iter().find(|(known, _)| *known == word) {
            kinds.push(*kind);
        } else {
            let expect = Expect::new("any of \"HEAD\", \"304\" and \"cache-hit\"", "[\"HEAD\"]");
            fields.mistake("uncounted", &format!("{word:?}"), expect);
        }
    }
    kinds
}

const UNCOUNTED: &[(&str, Uncounted)] = &[
    ("HEAD", Uncounted::Head),
    ("304", Uncounted::NotModified),
    ("cache-hit", Uncounted::CacheHit),
];
