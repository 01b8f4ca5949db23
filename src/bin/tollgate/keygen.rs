//! `tollgate keygen`: fresh keys and secrets.

use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::Args;
use serde_json::{Value, json};

use super::crypto::{KeyKind, PrivateKey, random_bytes, random_text};
use super::{Failure, Outcome};

/// Make a key that signs tokens, or fresh values for all secrets of a gate.
#[derive(Args)]
#[command(after_help = "\
Ed25519 is small and fast, ES256 for what can't do it, HS256 for one who signs and checks.

The private key signs tokens (`tollgate mint --key`). The JWKS goes into the gate's ISSUERS as
`keys`, or for HS256, where it is the secret itself, into a secret that `keys_secret` names.

Examples:
  tollgate keygen --out key.json
  tollgate keygen --alg es256
  tollgate keygen --env >> .dev.vars")]
pub(crate) struct Keygen {
    /// Algorithm to sign with.
    #[arg(long, value_name = "ALG", default_value = "ed25519")]
    alg: KeyKind,
    /// Write the private key into this new file, and print the JWKS alone.
    #[arg(long, value_name = "FILE", conflicts_with = "env")]
    out: Option<PathBuf>,
    /// Print lines for .dev.vars: a value for each secret that nobody else gives you.
    #[arg(long)]
    env: bool,
}

impl Keygen {
    pub(crate) fn run(&self) -> Result<Outcome, Failure> {
        let key = PrivateKey::generate(self.alg).map_err(Failure::usage)?;
        if self.env {
            return secrets(&key).map_err(Failure::usage);
        }
        let jwks = json!({ "keys": [key.verifying_jwk()] });
        if let Some(file) = &self.out {
            write_new(file, &format!("{}\n", key.private_jwk()))?;
            let text = jwks.to_string();
            return Ok(Outcome::fine(text, json!({ "file": file, "jwks": jwks })));
        }
        let meaning = if key.is_shared() {
            "# The same as a JWKS, for the gate: a secret that `keys_secret` of an issuer names."
        } else {
            "# Its public half, for the gate: `keys` of an issuer."
        };
        let private = key.private_jwk();
        let text =
            format!("# The private key. Whoever has it can sign.\n{private}\n\n{meaning}\n{jwks}");
        Ok(Outcome::fine(text, json!({ "private": private, "jwks": jwks })))
    }
}

/// Values for the secrets of a gate that need nobody else.
fn secrets(key: &PrivateKey) -> Result<Outcome, String> {
    let values = [
        ("ADMIN_TOKEN", random_text(24)?),
        ("GATE_SECRET", random_text(32)?),
        ("ALLOWANCE_KEY", random_text(32)?),
        ("NOTIFY_SECRET", format!("whsec_{}", STANDARD.encode(random_bytes(32)?))),
        ("ASSERTION_KEY", key.private_jwk().to_string()),
    ];
    let mut text = String::new();
    for (name, value) in &values {
        let quote = if value.contains('"') { '\'' } else { '"' };
        let _ = writeln!(text, "{name}={quote}{value}{quote}");
    }
    let jwk = key.verifying_jwk();
    if !key.is_shared() {
        let _ = writeln!(text, "\n# What the origin checks Tollgate-Assertion with:\n# {jwk}");
    }
    let env: serde_json::Map<_, _> =
        values.into_iter().map(|(name, value)| (name.to_owned(), Value::String(value))).collect();
    let public = if key.is_shared() { Value::Null } else { jwk };
    Ok(Outcome::fine(text, json!({ "env": env, "assertion_public": public })))
}

/// Writes a file that only its owner can read, and never over another.
fn write_new(file: &Path, text: &str) -> Result<(), Failure> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut opened = options.open(file).map_err(|error| Failure::file(file, error))?;
    opened.write_all(text.as_bytes()).map_err(|error| Failure::file(file, error))
}
