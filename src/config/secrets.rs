//! Secrets: several values each, and none that gives itself away as something else.

use super::Binding;
use super::fields::{ConfigReader, Expect};
use crate::billing::{ProviderSpec, Scheme, standard_key};

impl ConfigReader<'_> {
    /// A secret of several values, apart by white space, each of at least `min_bytes`: the first
    /// signs, all of them verify. Empty where it isn't set, or left empty in `.dev.vars` or at a
    /// deploy button. No value ever appears in a mistake.
    pub(super) fn secrets(&self, variable: &str, min_bytes: usize) -> Vec<String> {
        let text = match self.bindings().value(variable) {
            None => return Vec::new(),
            Some(Binding::Text(text)) => text,
            Some(Binding::Json(_)) => {
                self.no_secret(variable, "something that isn't a string", min_bytes);
                return Vec::new();
            }
        };
        let values: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
        let least = values.iter().map(String::len).min().unwrap_or(min_bytes);
        if let Some(what) = is_something_else(&text, variable) {
            self.no_secret(variable, what, min_bytes);
        } else if least < min_bytes {
            self.no_secret(variable, &format!("a value of {least} bytes"), min_bytes);
        } else if values.len() > MAX_VALUES {
            let expected = format!("at most {MAX_VALUES}: the new one, and those before it");
            let found = format!("{} values", values.len());
            self.mistake(variable, "", &found, Expect::new(&expected, EXAMPLE));
        } else {
            return values;
        }
        Vec::new()
    }

    /// The secrets of a provider's webhooks.
    pub(super) fn webhook_secrets(&self, spec: &ProviderSpec) -> Vec<String> {
        let variable = spec.webhook_secret.name;
        let values = self.secrets(variable, MIN_CHOSEN_BYTES);
        let is_standard = matches!(spec.scheme, Scheme::Standard);
        for (index, value) in values.iter().enumerate() {
            let found = if is_standard && standard_key(value).is_none() {
                "a whsec_ secret or whpk_ key that can't be read"
            } else if chosen(value).len() < MIN_CHOSEN_BYTES {
                "a prefix with next to nothing behind it"
            } else {
                continue;
            };
            let expect = if is_standard {
                Expect::new(
                    "whsec_ and base64 of 24 to 64 bytes, whpk_ and base64 of the 32 bytes of an \
                     Ed25519 public key, or the text that Polar shows",
                    "whsec_…",
                )
            } else {
                Expect::new("the secret as the provider shows it", "whsec_…")
            };
            let found = format!("{found} (value {} of {})", index.saturating_add(1), values.len());
            self.mistake(variable, "", &found, expect);
        }
        values
    }

    /// Whether nothing is set under this name. A wrong value has been reported already.
    pub(super) fn is_unset(&self, variable: &str) -> bool {
        match self.bindings().value(variable) {
            Some(Binding::Text(text)) => text.trim().is_empty(),
            Some(Binding::Json(_)) => false,
            None => true,
        }
    }

    fn no_secret(&self, variable: &str, found: &str, min_bytes: usize) {
        let what = match variable {
            _ if variable.ends_with("_WEBHOOK_SECRET") => {
                "the secret that webhooks are signed with, "
            }
            _ if variable.ends_with("_API_KEY") => "the key that opens the provider's API, ",
            _ => "",
        };
        let expected = format!(
            "{what}at least {min_bytes} bytes that nobody can guess; several values are apart by \
             spaces"
        );
        self.mistake(variable, "", found, Expect::new(&expected, EXAMPLE));
    }
}

/// The kind of a value that is not this variable's secret, where its form shows that: something
/// public, or a value for another variable.
pub(super) fn is_something_else(text: &str, variable: &str) -> Option<&'static str> {
    // Those two have spaces within.
    if text.contains("-----BEGIN") {
        return Some("a key in PEM, which is not a shared secret");
    }
    if text.trim_start().starts_with(['{', '[']) {
        return Some("a JWK or other JSON, which is not a shared secret");
    }
    text.split_whitespace().find_map(|value| {
        let mut forms = FORMS.iter().filter(|form| value.starts_with(form.prefix));
        let form = forms.find(|form| form.is_meant(value, variable));
        let misplaced = form.filter(|form| !form.belongs.contains(&variable));
        let behind = value.split_once('_').map_or(value, |(_, rest)| rest);
        let is_der = [value, behind].iter().any(|text| DER.iter().any(|der| text.starts_with(der)));
        let der = is_der.then_some("a key in DER, which is not a shared secret");
        misplaced.map(|form| form.what).or(der)
    })
}

/// A kind of value, known by its prefix.
struct Form {
    prefix: &'static str,
    what: &'static str,
    /// The variables that take it.
    belongs: &'static [&'static str],
}

impl Form {
    /// Whether the value is of this kind, where the prefix alone does not decide.
    fn is_meant(&self, value: &str, variable: &str) -> bool {
        match self.prefix {
            "eyJ" => value.matches('.').count() == 2,
            "live_" | "test_" => variable.starts_with("PADDLE_"),
            _ => true,
        }
    }
}

const fn form(prefix: &'static str, what: &'static str, belongs: &'static [&'static str]) -> Form {
    Form { prefix, what, belongs }
}

/// As the providers document them. The prefix is the format of such a value: nothing else tells a
/// secret from a public key. A value of another form may be right: nobody promises that theirs stay
/// as they are.
const FORMS: [Form; 20] = [
    form("whpk_", "a public key (whpk_), which everybody may know", &["STANDARD_WEBHOOK_SECRET"]),
    form("whsk_", "a private key of Standard Webhooks (whsk_), which the gate must not have", &[]),
    form("whsec_", "a webhook secret", WHSEC),
    form("pk_live_", "Stripe's publishable key, which everybody may know", &[]),
    form("pk_test_", "Stripe's publishable key, which everybody may know", &[]),
    form("sk_live_", "an API key of Stripe", &["STRIPE_API_KEY"]),
    form("sk_test_", "an API key of Stripe", &["STRIPE_API_KEY"]),
    form("rk_live_", "an API key of Stripe", &["STRIPE_API_KEY"]),
    form("rk_test_", "an API key of Stripe", &["STRIPE_API_KEY"]),
    form("pdl_ntfset_", "a webhook secret of Paddle", &["PADDLE_WEBHOOK_SECRET"]),
    form("pdl_live_apikey_", "an API key of Paddle", &["PADDLE_API_KEY"]),
    form("pdl_sdbx_apikey_", "an API key of Paddle", &["PADDLE_API_KEY"]),
    form("live_", "Paddle's client-side token, which everybody may know", &[]),
    form("test_", "Paddle's client-side token, which everybody may know", &[]),
    form("polar_whs_", "a webhook secret of Polar", &["STANDARD_WEBHOOK_SECRET"]),
    form("polar_oat_", "an access token of Polar", &["STANDARD_API_KEY"]),
    form("polar_pat_", "an access token of Polar", &["STANDARD_API_KEY"]),
    form("eyJ", "a signed token", &["LEMONSQUEEZY_API_KEY"]),
    form("ssh-", "a public key of SSH, which everybody may know", &[]),
    form("ecdsa-sha2-", "a public key of SSH, which everybody may know", &[]),
];

const WHSEC: &[&str] = &["STRIPE_WEBHOOK_SECRET", "STANDARD_WEBHOOK_SECRET", "NOTIFY_SECRET"];

/// The start of a public key in DER and base64 (SPKI, RFC 5280 §4.1): Ed25519, P-256, P-384, P-521,
/// RSA of 2048, 3072 and 4096 bits.
const DER: [&str; 7] = [
    "MCowBQYDK2V",
    "MFkwEwYHKoZIzj0",
    "MHYwEAYHKoZIzj0",
    "MIGbMBAGByqGSM49",
    "MIIBIjANBgkqhkiG",
    "MIIBojANBgkqhkiG",
    "MIICIjANBgkqhkiG",
];

/// A webhook secret without the prefix that all of a provider's have.
fn chosen(value: &str) -> &str {
    let words = ["whsec_", "pdl_ntfset_", "polar_whs_"];
    words.iter().find_map(|word| value.strip_prefix(word)).unwrap_or(value)
}

/// Shorter ones can be guessed; the shortest that a provider lets its users choose is longer.
const MIN_CHOSEN_BYTES: usize = 6;
/// As many keys as one signature is tried with.
const MAX_VALUES: usize = crate::token::MAX_CANDIDATES;
const EXAMPLE: &str = "openssl rand -base64 32";
