//! The list of everything that can be configured. A test holds the README and `wrangler.toml`
//! against it, so that the documentation can't drift.

use crate::account::Provider;
use crate::billing::spec_of;

/// One variable, secret or binding.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Variable {
    /// Its name in the Worker's environment.
    pub name: &'static str,
    /// Its kind on the platform.
    pub kind: VariableKind,
    /// Whether the gate needs it.
    pub required: bool,
    /// Its meaning.
    pub meaning: &'static str,
}

/// The kind of a variable on the platform.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum VariableKind {
    /// A binding to a resource.
    Binding,
    /// Set by `wrangler secret put`.
    Secret,
    /// Under `[vars]`.
    Var,
}

/// Everything that can be configured, in the order of the documentation: the secrets of payment
/// providers come last.
pub const VARIABLES: [Variable; COUNT] = all();

const GENERAL: [Variable; 21] = [
    var("ORIGIN", true, "where passed requests go: a URL or `service:BINDING`"),
    var("ROUTES", true, "which requests ask for what; first match wins, the last matches all"),
    var("ISSUERS", false, "who signs tokens, their keys, and where facts stand in the claims"),
    var("PLANS", false, "what is sold: entitlements, quotas, price, where to buy"),
    var("METERS", false, "how meters are counted and watched, where the defaults don't fit"),
    var("BILLING", false, "who takes the money, and how the gate hears of it"),
    var("BRAND", false, "name, colour, logo and links of the pages"),
    var("CREDENTIALS", false, "where a token may stand in a request"),
    var("PREFIX", false, "the path of the gate's own endpoints"),
    var("ON_MISCONFIGURED", false, "`deny` (503) or `pass` while the configuration is invalid"),
    var("PROVIDER_OUTAGE", false, "`true` while the payment provider is down: grace for everyone"),
    var("DEADLINES", false, "how long to wait for the ledger, key sets and the origin"),
    var("JURISDICTION", false, "where Durable Objects are: `eu`, `us` or `none`; set it once"),
    var("LOG", false, "which decisions are logged: `denials`, `faults` or `off`"),
    var("NOTIFY_URL", false, "where reached thresholds of quotas are announced"),
    secret("ADMIN_TOKEN", "opens the admin endpoints; without it they are closed"),
    secret("ADMIN_TOKENS", "more operators, each with a name and a role"),
    secret("ASSERTION_KEY", "private JWK that signs the assertion sent to the origin"),
    secret("GATE_SECRET", "signs references to accounts and API keys; `npm run keygen` makes one"),
    secret("ALLOWANCE_KEY", "signs the cookie of a free allowance; needed where a route has one"),
    secret("NOTIFY_SECRET", "signs what is sent to NOTIFY_URL (Standard Webhooks)"),
];

const COUNT: usize = GENERAL.len() + 2 * Provider::ALL.len();

#[expect(
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "runs in the compiler, which refuses what is out of range"
)]
const fn all() -> [Variable; COUNT] {
    let mut all = [GENERAL[0]; COUNT];
    let mut at = 0;
    while at < GENERAL.len() {
        all[at] = GENERAL[at];
        at += 1;
    }
    let mut index = 0;
    while index < Provider::ALL.len() {
        let spec = spec_of(Provider::ALL[index]);
        let (signs, opens) = (spec.webhook_secret, spec.api_key);
        all[at] = secret(signs.name, signs.meaning);
        all[at + 1] = secret(opens.name, opens.meaning);
        at += 2;
        index += 1;
    }
    all
}

const fn secret(name: &'static str, meaning: &'static str) -> Variable {
    Variable { name, kind: VariableKind::Secret, required: false, meaning }
}

const fn var(name: &'static str, required: bool, meaning: &'static str) -> Variable {
    Variable { name, kind: VariableKind::Var, required, meaning }
}
