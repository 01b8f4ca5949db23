//! The rows, and the configuration that they share.

use crate::world::{World, token};

/// A request and what comes of it.
pub(crate) struct Row {
    /// The situation.
    pub(crate) when: &'static str,
    /// Earlier requests, with the same token.
    pub(crate) after: &'static [&'static str],
    /// Method and path.
    pub(crate) asks: &'static str,
    /// The credential.
    pub(crate) token: Token,
    /// The record of `-/alice`; empty where the ledger has none.
    pub(crate) account: &'static str,
    /// Variables that differ, as JSON.
    pub(crate) vars: &'static [(&'static str, &'static str)],
    /// The broken part of the world.
    pub(crate) world: fn(&mut World),
    /// The expected result.
    pub(crate) gives: &'static str,
}

/// A credential.
pub(crate) enum Token {
    /// Signed, with these claims changed.
    Of(&'static str),
    /// Signed, and bent afterwards.
    Forged,
    /// None.
    None,
    /// This text.
    Raw(&'static str),
}

impl Token {
    pub(crate) fn text(&self) -> Option<String> {
        match self {
            Self::Of(changes) => Some(token(changes)),
            Self::Forged => {
                let [good, other] = [token("{}"), token(r#"{"sub":"bob"}"#)];
                let (_, signature) = good.rsplit_once('.').unwrap();
                let (signed, _) = other.rsplit_once('.').unwrap();
                Some(format!("{signed}.{signature}"))
            }
            Self::None => None,
            Self::Raw(text) => Some((*text).to_owned()),
        }
    }
}

pub(crate) const ROUTES: &str = r#"[
    {"match": "/open/**", "open": true},
    {"match": "/offer", "requires": ["read"], "anonymous": "offer"},
    {"match": "/news/**", "requires": ["read"], "meter": "api", "free": "2 per day", "free_burst": "BURST",
     "crawlers": ["Search Engine Crawler"]},
    {"match": "/premium", "requires": ["premium"]},
    {"match": "/vault", "requires": ["vault"]},
    {"match": "/relic", "requires": ["relic"]},
    {"match": "/api", "meter": "api"},
    {"match": "/bulk", "meter": "api", "cost": 10},
    {"match": "/soft", "meter": "soft"},
    {"match": "/tokens", "meter": "tokens"},
    {"match": "/heads", "meter": "api", "uncounted": ["HEAD"]},
    {"match": "/mixed", "costs": {"api": 1, "tokens": 4}},
    {"match": "/seat", "meter": "seat"},
    {"match": "/both", "requires": ["premium"], "meter": "api"},
    {"match": "/fast", "requires": ["premium"], "meter": "api", "burst": "BURST"},
    {"match": "/lenient", "meter": "api", "on_outage": "pass"},
    {"match": "/strict", "meter": "api", "on_outage": "deny"},
    {"match": "/**"}
]"#;

pub(crate) const PLANS: &str = r#"[
    {"id": "free", "entitlements": ["read"], "quotas": [
        {"meter": "api", "limit": 1, "per": "month"}]},
    {"id": "pro", "entitlements": ["read", "premium"], "grace_days": 3, "quotas": [
        {"meter": "api", "limit": 3, "per": "month"},
        {"meter": "soft", "limit": 2, "per": "month", "enforcement": "soft"},
        {"meter": "tokens", "limit": 0, "per": "month"}]},
    {"id": "max", "entitlements": ["read", "premium"], "on_outage": "pass", "quotas": [
        {"meter": "api", "limit": 20, "per": "month"},
        {"meter": "tokens", "limit": 10, "per": "month"},
        {"meter": "seat", "limit": 2, "per": "day", "each": "member", "trial_limit": 1}]},
    {"id": "old", "entitlements": ["relic"], "on_sale": false}
]"#;

pub(crate) const BRAND: &str = r#"{
    "name": "Example", "sign_in_url": "https://example.com/login",
    "plans_url": "https://example.com/plans", "account_url": "https://example.com/account",
    "support_url": "mailto:help@example.com"
}"#;

const FREE: &str = r#"{"plan":"free","status":"active"}"#;
const PRO: &str = r#"{"plan":"pro","status":"active"}"#;
const MAX: &str = r#"{"plan":"max","status":"active"}"#;
const LONG_FAILED: &str =
    r#"{"plan":"pro","status":"past_due","payment_failed_at":"2026-11-20T00:00:00Z"}"#;

/// An active customer of the plan `pro` asks for something that it includes.
const ROW: Row = Row {
    when: "an active customer asks for what the plan includes",
    after: &[],
    asks: "GET /premium",
    token: Token::Of("{}"),
    account: PRO,
    vars: &[],
    world: |_| {},
    gives: "pass, as -/alice",
};

/// The design's table.
#[rustfmt::skip]
pub(crate) const TABLE: &[Row] = &[
    ROW,
    Row { when: "an open route", asks: "GET /open/a", token: Token::None, account: "", gives: "pass", ..ROW },
    Row { when: "an open route, a bad token", asks: "GET /open/a", token: Token::Raw("x"), gives: "pass", ..ROW },
    Row { when: "a CORS preflight", asks: "PREFLIGHT /premium", token: Token::None, gives: "pass, preflight", ..ROW },
    Row { when: "a CORS preflight on an open route", asks: "PREFLIGHT /open/a", token: Token::None, gives: "pass", ..ROW },
    Row { when: "OPTIONS that is no preflight", asks: "OPTIONS /premium", token: Token::None,
          gives: "401 sign-in-required: sign-in, contact-support", ..ROW },
    Row { when: "a path that can't be read safely", asks: "GET /premium%00", gives: "400 bad-request: ", ..ROW },
    Row { when: "a path of two routes", asks: "GET /open/..%2fpremium", gives: "400 bad-request: ", ..ROW },

    Row { when: "no credential on a protected route", token: Token::None,
          gives: "401 sign-in-required: sign-in, contact-support", ..ROW },
    Row { when: "no credential where the route is offered", asks: "GET /offer", token: Token::None,
          gives: "402 payment-required: choose-plan free, choose-plan pro, choose-plan max, sign-in, contact-support", ..ROW },
    Row { when: "something is free without a credential", after: &["GET /news/1"], asks: "GET /news/2", token: Token::None,
          gives: "pass, pages/day 2/2, counted", ..ROW },
    Row { when: "what was seen is free to see again", after: &["GET /news/1", "GET /news/2"], asks: "GET /news/1", token: Token::None,
          gives: "pass, pages/day 2/2", ..ROW },
    Row { when: "the free allowance is used up", after: &["GET /news/1", "GET /news/2"], asks: "GET /news/3", token: Token::None,
          gives: "402 allowance-exhausted: choose-plan free, choose-plan pro, choose-plan max, sign-in, wait, contact-support; retry 2026-12-02T00:00:00Z", ..ROW },
    Row { when: "a method that reads nothing", asks: "POST /news/1", token: Token::None,
          gives: "401 sign-in-required: sign-in, contact-support", ..ROW },
    Row { when: "a malformed token where something is free", asks: "GET /news/1", token: Token::Raw("a.b"),
          gives: "401 invalid-token: sign-in, contact-support", ..ROW },
    Row { when: "too many readers start at one address", asks: "GET /news/1", token: Token::None,
          world: |world| { world.is_within_burst = false; "192.0.2.7".clone_into(&mut world.address); },
          gives: "429 rate-limited: wait, contact-support; retry 2026-12-01T00:01:00Z", ..ROW },
    Row { when: "a verified crawler", after: &["GET /news/1", "GET /news/2"], asks: "GET /news/3", token: Token::None,
          world: |world| "Search Engine Crawler".clone_into(&mut world.bot_category), gives: "pass", ..ROW },
    Row { when: "a verified bot of another kind", asks: "POST /news/1", token: Token::None,
          world: |world| "AI Crawler".clone_into(&mut world.bot_category),
          gives: "401 sign-in-required: sign-in, contact-support", ..ROW },
    Row { when: "who has signed in uses the plan", asks: "GET /news/1", gives: "pass, as -/alice, api/month 1/3", ..ROW },
    Row { when: "a malformed token", token: Token::Raw("a.b"),
          gives: "401 invalid-token: sign-in, contact-support", ..ROW },
    Row { when: "a badly signed token", token: Token::Forged,
          gives: "401 invalid-token: sign-in, contact-support", ..ROW },
    Row { when: "an expired token", token: Token::Of(r#"{"exp":1796083139}"#),
          gives: "401 invalid-token: sign-in, contact-support", ..ROW },
    Row { when: "a token that has expired within the leeway", token: Token::Of(r#"{"exp":1796083141}"#), ..ROW },
    Row { when: "a token for another audience", token: Token::Of(r#"{"aud":"https://other.example"}"#),
          gives: "401 invalid-token: sign-in, contact-support", ..ROW },
    Row { when: "a token of a stranger", token: Token::Of(r#"{"iss":"https://evil.example"}"#),
          gives: "401 invalid-token: sign-in, contact-support", ..ROW },
    Row { when: "a revoked token", token: Token::Of(r#"{"jti":"t1"}"#),
          account: r#"{"plan":"pro","status":"active","revoked_tokens":["t1"]}"#,
          gives: "401 credential-revoked: sign-in, contact-support", ..ROW },
    Row { when: "every token from before is revoked",
          account: r#"{"plan":"pro","status":"active","tokens_revoked_before":"2026-12-01T00:00:00Z"}"#,
          gives: "401 credential-revoked: sign-in, contact-support", ..ROW },

    Row { when: "suspended by the operator", account: r#"{"plan":"pro","status":"active","suspended":true}"#,
          gives: "403 account-suspended: contact-support", ..ROW },
    Row { when: "the plan lacks the entitlement", account: FREE,
          gives: "402 plan-lacks-entitlement: choose-plan pro, choose-plan max, contact-support", ..ROW },
    Row { when: "no plan has the entitlement", asks: "GET /vault",
          gives: "403 not-for-sale: contact-support", ..ROW },
    Row { when: "only a plan that isn't sold any more has it", asks: "GET /relic",
          gives: "403 not-for-sale: contact-support", ..ROW },
    Row { when: "who has that plan keeps it", asks: "GET /relic", account: r#"{"plan":"old","status":"active"}"#, ..ROW },
    Row { when: "the record adds an entitlement", asks: "GET /vault",
          account: r#"{"plan":"pro","status":"active","entitlements":["vault"]}"#, ..ROW },

    Row { when: "on trial", account: r#"{"plan":"pro","status":"trialing","trial_ends_at":"2026-12-01T00:00:01Z"}"#, ..ROW },
    Row { when: "the trial is over", account: r#"{"plan":"pro","status":"trialing","trial_ends_at":"2026-12-01T00:00:00Z"}"#,
          gives: "402 trial-ended: choose-plan pro, choose-plan max, contact-support", ..ROW },
    Row { when: "ended", account: r#"{"plan":"pro","status":"ended"}"#,
          gives: "402 subscription-expired: choose-plan pro, choose-plan max, contact-support", ..ROW },
    Row { when: "cancelled, and the end has come", account: r#"{"plan":"pro","status":"active","ends_at":"2026-11-30T00:00:00Z"}"#,
          gives: "402 subscription-expired: choose-plan pro, choose-plan max, contact-support", ..ROW },
    Row { when: "cancelled, and the end is to come", account: r#"{"plan":"pro","status":"active","ends_at":"2026-12-10T00:00:00Z"}"#,
          gives: "pass, as -/alice, notice ending 2026-12-10T00:00:00Z", ..ROW },
    Row { when: "never renewed", account: r#"{"plan":"pro","status":"active","current_period_ends_at":"2026-11-20T00:00:00Z"}"#,
          gives: "402 subscription-expired: choose-plan pro, choose-plan max, contact-support", ..ROW },
    Row { when: "paused", account: r#"{"plan":"pro","status":"paused"}"#,
          gives: "402 subscription-paused: resume-subscription, contact-support", ..ROW },
    Row { when: "the first payment was never finished", account: r#"{"plan":"pro","status":"incomplete"}"#,
          gives: "402 payment-incomplete: finish-payment, contact-support", ..ROW },
    Row { when: "no subscription at all", account: "",
          gives: "402 no-subscription: choose-plan pro, choose-plan max, contact-support", ..ROW },
    Row { when: "an account without a plan, on a metered route", asks: "GET /api", account: r#"{"status":"active"}"#,
          gives: "402 no-subscription: choose-plan free, choose-plan pro, choose-plan max, contact-support", ..ROW },

    Row { when: "charge failed, grace still running",
          account: r#"{"plan":"pro","status":"past_due","payment_failed_at":"2026-11-30T00:00:00Z"}"#,
          gives: "pass, as -/alice, notice grace until 2026-12-03T00:00:00Z", ..ROW },
    Row { when: "charge failed, grace over", account: LONG_FAILED,
          gives: "402 payment-failed: update-payment, contact-support", ..ROW },
    Row { when: "the provider gave up", account: r#"{"plan":"pro","status":"unpaid","payment_failed_at":"2026-11-30T00:00:00Z"}"#,
          gives: "402 payment-failed: update-payment, contact-support", ..ROW },
    Row { when: "the card itself expired, grace over",
          account: r#"{"plan":"pro","status":"past_due","payment_failed_at":"2026-11-20T00:00:00Z","payment_failure":"card_expired"}"#,
          gives: "402 card-expired: update-payment, contact-support", ..ROW },
    Row { when: "provider outage declared by the operator", account: LONG_FAILED, vars: &[("PROVIDER_OUTAGE", "true")],
          gives: "pass, as -/alice, notice provider-outage", ..ROW },
    Row { when: "provider outage detected",
          account: r#"{"plan":"pro","status":"past_due","payment_failed_at":"2026-11-20T00:00:00Z","payment_failure":"provider_outage"}"#,
          gives: "pass, as -/alice, notice provider-outage", ..ROW },

    Row { when: "within the quota", after: &["GET /api"], asks: "GET /api",
          gives: "pass, as -/alice, api/month 2/3", ..ROW },
    Row { when: "the last unit of the quota", after: &["GET /api"; 2], asks: "GET /api",
          gives: "pass, as -/alice, api/month 3/3, notice api/month at 95", ..ROW },
    Row { when: "a threshold of the operator's own", asks: "GET /api", vars: &[("METERS", r#"[{"id":"api","notify_at":[30,50]}]"#)],
          gives: "pass, as -/alice, api/month 1/3, notice api/month at 30", ..ROW },
    Row { when: "HEAD costs nothing where the route says so", after: &["GET /heads"; 3], asks: "HEAD /heads", ..ROW },
    Row { when: "several meters", after: &["GET /mixed"], asks: "GET /mixed", account: MAX,
          gives: "pass, as -/alice, api/month 2/20, tokens/month 8/10, notice tokens/month at 80", ..ROW },
    Row { when: "one of several meters used up", after: &["GET /mixed"; 2], asks: "GET /mixed", account: MAX,
          gives: "402 quota-exhausted: choose-plan free, wait, contact-support; retry 2027-01-01T00:00:00Z", ..ROW },
    Row { when: "a member's own quota used up", after: &["GET /seat"; 2], asks: "GET /seat", account: MAX,
          gives: "402 quota-exhausted: choose-plan free, choose-plan pro, wait, contact-support; retry 2026-12-02T00:00:00Z", ..ROW },
    Row { when: "a limit of the account's own", after: &["GET /api"; 3], asks: "GET /api",
          account: r#"{"plan":"pro","status":"active","limits":{"api/month":9}}"#, gives: "pass, as -/alice, api/month 4/9", ..ROW },
    Row { when: "less during the trial", after: &["GET /seat"], asks: "GET /seat",
          account: r#"{"plan":"max","status":"trialing","trial_ends_at":"2026-12-09T00:00:00Z"}"#,
          gives: "402 quota-exhausted: choose-plan free, choose-plan pro, wait, contact-support; retry 2026-12-02T00:00:00Z", ..ROW },
    Row { when: "hard quota used up", after: &["GET /api"; 3], asks: "GET /api",
          gives: "402 quota-exhausted: choose-plan max, wait, contact-support; retry 2027-01-01T00:00:00Z", ..ROW },
    Row { when: "hard quota of the largest plan used up", after: &["GET /bulk"; 2], asks: "GET /bulk", account: MAX,
          gives: "402 quota-exhausted: choose-plan, wait, contact-support; retry 2027-01-01T00:00:00Z", ..ROW },
    Row { when: "hard quota used up, credits left", after: &["GET /api"; 3], asks: "GET /api",
          world: |world| world.add_credits("-/alice", "gift", 1),
          gives: "pass, as -/alice, api/month 3/3, notice api/month at 95", ..ROW },
    Row { when: "quota and credits used up", after: &["GET /api"; 4], asks: "GET /api",
          world: |world| world.add_credits("-/alice", "gift", 1),
          gives: "402 credits-exhausted: buy-credits, wait, contact-support; retry 2027-01-01T00:00:00Z", ..ROW },
    Row { when: "credits used up, on a meter sold by credits alone", after: &["GET /tokens"], asks: "GET /tokens",
          world: |world| world.add_credits("-/alice", "gift", 1),
          gives: "402 credits-exhausted: buy-credits, contact-support", ..ROW },
    Row { when: "soft quota passed", after: &["GET /soft"; 2], asks: "GET /soft",
          gives: "pass, as -/alice, soft/month 3/2, notice soft/month passed", ..ROW },
    Row { when: "soft quota passed as far as it may be", after: &["GET /soft"; 5], asks: "GET /soft",
          vars: &[("PLANS", r#"[{"id":"pro","quotas":[{"meter":"soft","limit":2,"per":"month","enforcement":"soft","overage_max":3}]},
              {"id":"less","quotas":[{"meter":"soft","limit":4,"per":"month"}]},
              {"id":"more","quotas":[{"meter":"soft","limit":4,"per":"month","enforcement":"soft","overage_max":2}]}]"#)],
          gives: "402 quota-exhausted: choose-plan more, wait, contact-support; retry 2027-01-01T00:00:00Z", ..ROW },
    Row { when: "a meter that the plan doesn't limit", asks: "GET /soft", account: MAX, ..ROW },
    Row { when: "one request costs more than the limit", asks: "GET /bulk",
          gives: "402 cost-exceeds-quota: reduce-cost, choose-plan max, contact-support", ..ROW },
    Row { when: "burst rate exceeded", asks: "GET /fast", world: |world| world.is_within_burst = false,
          gives: "429 rate-limited: wait, contact-support; retry 2026-12-01T00:00:10Z", ..ROW },

    Row { when: "ledger unreachable", world: |world| world.ledger_is_down = true,
          gives: "503 checker-unavailable: wait, contact-support; retry 2026-12-01T00:00:02Z", ..ROW },
    Row { when: "ledger unreachable, the route says pass", asks: "GET /lenient", world: |world| world.ledger_is_down = true,
          gives: "pass, as -/alice, degraded checker-unavailable", ..ROW },
    Row { when: "ledger unreachable, the plan says pass", asks: "GET /api", token: Token::Of(r#"{"iss":"https://token.example","plan":"max"}"#),
          world: |world| world.ledger_is_down = true, gives: "pass, as -/alice, degraded checker-unavailable", ..ROW },
    Row { when: "ledger unreachable, the plan says pass and the route deny", asks: "GET /strict",
          token: Token::Of(r#"{"iss":"https://token.example","plan":"max"}"#), world: |world| world.ledger_is_down = true,
          gives: "503 checker-unavailable: wait, contact-support; retry 2026-12-01T00:00:02Z", ..ROW },
    Row { when: "an issuer's keys can't be had", asks: "GET /lenient",
          vars: &[("ISSUERS", r#"[{"iss":"https://id.example","audience":"https://api.example","jwks_url":"https://id.example/jwks"}]"#)],
          gives: "503 checker-unavailable: wait, contact-support; retry 2026-12-01T00:00:02Z", ..ROW },
    Row { when: "the token names a plan that nobody defined", token: Token::Of(r#"{"iss":"https://token.example","plan":"gold"}"#),
          gives: "503 misconfigured: contact-support", ..ROW },
    Row { when: "the record names a plan that nobody defined", account: r#"{"plan":"gold","status":"active"}"#,
          gives: "503 misconfigured: contact-support", ..ROW },
    Row { when: "the same, on a metered route", asks: "GET /api", account: r#"{"plan":"gold","status":"active"}"#,
          gives: "503 misconfigured: contact-support", ..ROW },

    Row { when: "the token alone decides, and the ledger isn't asked", token: Token::Of(r#"{"iss":"https://token.example","plan":"pro"}"#),
          account: "", world: |world| world.ledger_is_down = true, ..ROW },
    Row { when: "the token alone decides, its plan lacks the entitlement", token: Token::Of(r#"{"iss":"https://token.example","plan":"free"}"#),
          gives: "402 plan-lacks-entitlement: choose-plan pro, choose-plan max, contact-support", ..ROW },
    Row { when: "the token itself carries what no plan has", asks: "GET /vault",
          token: Token::Of(r#"{"iss":"https://token.example","scope":"vault"}"#), account: "", ..ROW },
    Row { when: "the token alone decides and names no plan, on a metered route", asks: "GET /api",
          token: Token::Of(r#"{"iss":"https://token.example"}"#), account: "",
          gives: "402 no-subscription: choose-plan free, choose-plan pro, choose-plan max, contact-support", ..ROW },
    Row { when: "token and account both give entitlements", asks: "GET /vault",
          token: Token::Of(r#"{"iss":"https://both.example","scope":"vault"}"#), ..ROW },
    Row { when: "both count, and there is no account", asks: "GET /vault", account: "",
          token: Token::Of(r#"{"iss":"https://both.example","scope":"vault"}"#),
          gives: "402 no-subscription: choose-plan, contact-support", ..ROW },
];

/// Rows with several causes at once.
#[rustfmt::skip]
pub(crate) const ORDER: &[Row] = &[
    Row { when: "path before credential", asks: "GET /premium%00", token: Token::None, gives: "400 bad-request: ", ..ROW },
    Row { when: "a bad token before the offer to who has none", asks: "GET /offer", token: Token::Raw("a.b"),
          gives: "401 invalid-token: sign-in, contact-support", ..ROW },
    Row { when: "token before burst", asks: "GET /fast", token: Token::Raw("a.b"), world: |world| world.is_within_burst = false,
          gives: "401 invalid-token: sign-in, contact-support", ..ROW },
    Row { when: "token before ledger", token: Token::Forged, world: |world| world.ledger_is_down = true,
          gives: "401 invalid-token: sign-in, contact-support", ..ROW },
    Row { when: "burst before account", asks: "GET /fast", account: "", world: |world| world.is_within_burst = false,
          gives: "429 rate-limited: wait, contact-support; retry 2026-12-01T00:00:10Z", ..ROW },
    Row { when: "revocation before suspension", token: Token::Of(r#"{"jti":"t1"}"#),
          account: r#"{"plan":"pro","status":"active","suspended":true,"revoked_tokens":["t1"]}"#,
          gives: "401 credential-revoked: sign-in, contact-support", ..ROW },
    Row { when: "suspension before payment",
          account: r#"{"plan":"pro","status":"past_due","suspended":true,"payment_failed_at":"2026-11-20T00:00:00Z"}"#,
          gives: "403 account-suspended: contact-support", ..ROW },
    Row { when: "payment before entitlement", account: r#"{"plan":"free","status":"past_due","payment_failed_at":"2026-11-20T00:00:00Z"}"#,
          gives: "402 payment-failed: update-payment, contact-support", ..ROW },
    Row { when: "an ended subscription before its undefined plan", account: r#"{"plan":"gold","status":"ended"}"#,
          gives: "402 subscription-expired: choose-plan pro, choose-plan max, contact-support", ..ROW },
    Row { when: "entitlement before quota", after: &["GET /api"], asks: "GET /both", account: FREE,
          gives: "402 plan-lacks-entitlement: choose-plan pro, choose-plan max, contact-support", ..ROW },
    Row { when: "entitlement of the token before the ledger's outage", asks: "GET /both",
          token: Token::Of(r#"{"iss":"https://token.example","plan":"free"}"#), world: |world| world.ledger_is_down = true,
          gives: "402 plan-lacks-entitlement: choose-plan pro, choose-plan max, contact-support", ..ROW },
    Row { when: "a cost that no period holds before a period that is used up", after: &["GET /api"; 4], asks: "GET /bulk",
          gives: "402 cost-exceeds-quota: reduce-cost, choose-plan max, contact-support", ..ROW },
    Row { when: "suspension counts for who brings all in the token, once the ledger is asked", asks: "GET /api",
          token: Token::Of(r#"{"iss":"https://token.example","plan":"pro"}"#),
          account: r#"{"plan":"pro","status":"active","suspended":true}"#,
          gives: "403 account-suspended: contact-support", ..ROW },
];
