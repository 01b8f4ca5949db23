//! Keys, tokens made with them, and what is said about a token.

use std::fs;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use serde_json::{Value, json};

use crate::tool::{folder, root, run, tollgate, tollgate_with, write};

/// Another library verifies what was signed, with the keys as they were printed.
#[test]
fn tokens_of_every_kind_of_key_are_verified_elsewhere() {
    for (kind, algorithm) in
        [("ed25519", Algorithm::EdDSA), ("es256", Algorithm::ES256), ("hs256", Algorithm::HS256)]
    {
        let made = tollgate(&["keygen", "--alg", kind, "--json"]).with_code(0).json();
        let key = made["private"].to_string();
        let arguments = [
            "mint",
            "--key",
            "-",
            "--iss",
            "https://id.example",
            "--aud",
            "https://api.example",
            "--account",
            "alice",
            "--plan",
            "pro",
            "--entitlement",
            "premium",
            "--entitlement",
            "export",
            "--ttl",
            "15m",
            "--claim",
            "seats=5",
            "--claim",
            "note=hello",
        ];
        let token = tollgate_with(&arguments, &key).with_code(0).stdout;
        let jwk: Jwk = serde_json::from_value(made["jwks"]["keys"][0].clone()).unwrap();
        let mut validation = Validation::new(algorithm);
        validation.set_audience(&["https://api.example"]);
        validation.set_issuer(&["https://id.example"]);
        let key = DecodingKey::from_jwk(&jwk).unwrap();
        let verified = decode::<Value>(token.trim(), &key, &validation).unwrap();
        assert_eq!(verified.header.kid, jwk.common.key_id);
        let claims = verified.claims;
        assert_eq!((&claims["sub"], &claims["plan"]), (&json!("alice"), &json!("pro")));
        assert_eq!(claims["entitlements"], json!(["premium", "export"]));
        assert_eq!((&claims["seats"], &claims["note"]), (&json!(5), &json!("hello")));
        assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 900);
    }
}

#[test]
fn a_private_key_is_written_once_for_its_owner() {
    let folder = folder("keygen");
    let file = folder.join("key.json");
    let path = file.to_str().unwrap();
    let jwks = tollgate(&["keygen", "--out", path]).with_code(0).stdout;
    assert!(!jwks.contains("\"d\""), "{jwks}");
    let private: Value = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
    assert!(private["d"].is_string());
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let said = tollgate(&["keygen", "--out", path]).with_code(2).said();
    assert!(said.contains("key.json"), "{said}");
    let kept: Value = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
    assert_eq!(kept, private);
}

/// The output of `npm run keygen` from here on: a gate takes all of it.
#[test]
fn fresh_secrets_are_usable_as_they_are_printed() {
    let folder = folder("secrets");
    let lines = tollgate(&["keygen", "--env"]).with_code(0).stdout;
    for name in ["ADMIN_TOKEN", "GATE_SECRET", "ALLOWANCE_KEY", "NOTIFY_SECRET", "ASSERTION_KEY"] {
        assert!(lines.contains(&format!("{name}=")), "{name}");
    }
    let key = tollgate(&["keygen", "--json"]).json()["jwks"].to_string();
    write(&folder, ".dev.vars", &format!("{lines}\nTOKEN_KEYS='{key}'\n"));
    let file = write(&folder, "wrangler.toml", CONFIG);
    let _ = tollgate(&["check", &file]).with_code(0);
    let json = tollgate(&["keygen", "--env", "--json"]).with_code(0).json();
    let secret = json["env"]["NOTIFY_SECRET"].as_str().unwrap();
    assert_eq!(STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap().len(), 32);
    assert!(json["assertion_public"].get("d").is_none());
}

const CONFIG: &str = r#"
[[durable_objects.bindings]]
name = "READER_REGISTRY"
class_name = "ReaderRegistry"

[vars]
ORIGIN = "https://origin.example"
NOTIFY_URL = "https://hooks.example"

[[vars.ROUTES]]
match = "/**"
free = "5 per month"
requires = ["premium"]

[[vars.PLANS]]
id = "pro"
name = "Pro"
entitlements = ["premium"]
buy_url = "https://shop.example/pro"

[[vars.ISSUERS]]
iss = "https://id.example"
audience = ["https://api.example"]
max_lifetime_s = 3600
keys_secret = "TOKEN_KEYS"
claims = { account = ["org", "id"], plan = "https://id.example/plan" }
"#;

/// A folder with [`CONFIG`] and this key set, and the file's path.
fn configured(name: &str, jwks: &Value) -> String {
    let folder = folder(name);
    let (allowance, notify) = ("a".repeat(40), STANDARD.encode([7; 32]));
    let secrets = [
        format!("TOKEN_KEYS='{jwks}'"),
        format!("ALLOWANCE_KEY={allowance}"),
        format!("NOTIFY_SECRET=whsec_{notify}"),
    ];
    write(&folder, ".dev.vars", &secrets.join("\n"));
    write(&folder, "wrangler.toml", CONFIG)
}

#[test]
fn a_token_goes_by_the_configuration_and_is_accepted_by_it() {
    let made = tollgate(&["keygen", "--json"]).json();
    let file = configured("accepted", &made["jwks"]);
    let key = made["private"].to_string();
    let mint = ["mint", "--key", "-", "--config", &file, "--account", "acme", "--plan", "pro"];
    let minted = tollgate_with(&[&mint[..], &["--sub", "anna", "--json"]].concat(), &key);
    let minted = minted.with_code(0).json();
    assert_eq!(minted["claims"]["org"]["id"], "acme");
    assert_eq!(minted["claims"]["https://id.example/plan"], "pro");
    assert_eq!(minted["claims"]["aud"], "https://api.example");

    let token = minted["token"].as_str().unwrap();
    let told = tollgate_with(&["inspect", "--config", &file], token).with_code(0).stdout;
    for part in ["alg: \"EdDSA\"", "expires in", "ok signature", "-/acme", "anna", "Accepted."] {
        assert!(told.contains(part), "{part}: {told}");
    }
    let json = tollgate(&["inspect", "--config", &file, "--json", token]).with_code(0).json();
    let verdict = &json["verdict"];
    assert_eq!((&verdict["accepted"], &verdict["account"]), (&json!(true), &json!("-/acme")));
    assert_eq!(
        (&verdict["plan_name"], &verdict["entitlements"]),
        (&json!("Pro"), &json!(["premium"]))
    );

    // Without such a claim in the configuration, there is no place for it.
    let said = tollgate_with(&[&mint[..], &["--tenant", "t"]].concat(), &key).with_code(2).said();
    assert!(said.contains("--tenant: the gate reads no such claim"), "{said}");
}

#[test]
fn what_is_wrong_with_a_token_is_said() {
    let made = tollgate(&["keygen", "--json"]).json();
    let other = tollgate(&["keygen", "--json"]).json();
    let file = configured("refused", &made["jwks"]);
    let same_name = {
        let mut key = other["private"].clone();
        key["kid"] = made["private"]["kid"].clone();
        key
    };
    let good = ["--account", "acme"];
    for (key, more, code, part) in [
        (&made["private"], &["--ttl", "2h"][..], "lifetime-too-long", "at most 1 hour"),
        (&made["private"], &["--aud", "b"], "wrong-audience", "accepted: https://api.example"),
        (&made["private"], &["--typ", "id"], "wrong-type", "typ is id; expected JWT"),
        (&made["private"], &["--at", "2020-01-01T00:00:00Z"], "expired", "expired"),
        (&made["private"], &["--claim", "exp=\"soon\""], "bad-claims", "exp is missing or not"),
        (&made["private"], &["--claim", "org=1"], "bad-claims", "names the account"),
        (&made["private"], &["--claim", "iss=x"], "unknown-issuer", "known: https://id.example"),
        (&same_name, &[], "bad-signature", "does not fit the key"),
        (&other["private"], &[], "unknown-key", "the issuer's keys"),
    ] {
        let mint = ["mint", "--key", "-", "--config", &file];
        let arguments = [&mint[..], &good, more].concat();
        let token = tollgate_with(&arguments, &key.to_string()).with_code(0).stdout;
        let run = tollgate_with(&["inspect", "--config", &file], &token).with_code(1);
        assert!(run.stdout.contains(&format!("Refused: {code}.")), "{code}: {}", run.stdout);
        assert!(run.stdout.contains(part), "{part}: {}", run.stdout);
        let json = tollgate_with(&["inspect", "--config", &file, "--json"], &token).with_code(1);
        assert_eq!(json.json()["verdict"]["refused"], code);
    }
    let said = tollgate(&["inspect", "not.a.token"]).with_code(2).said();
    assert!(said.contains("this is no token"), "{said}");
}

/// The tokens of RFC 7515, and one with the padding that only RSA has.
#[test]
fn published_signatures_are_verified() {
    let vectors = root().join("tests/vectors");
    let read = |name: &str| fs::read_to_string(vectors.join(name)).unwrap();
    let mut keys: Value = serde_json::from_str(&read("token-keys.json")).unwrap();
    let a2: Value = serde_json::from_str(&read("rfc7515-a2-key.json")).unwrap();
    let all = keys["keys"].as_array_mut().unwrap();
    all.push(a2);
    // Secrets don't stand among public keys: they are a set of their own.
    let is_secret = |key: &Value| key["kty"] == "oct";
    let secrets: Vec<Value> = all.iter().filter(|key| is_secret(key)).cloned().collect();
    all.retain(|key| !is_secret(key));
    let by_joe = |name: &str, keys: &Value| {
        let file = configured(name, keys);
        let config = fs::read_to_string(&file).unwrap();
        fs::write(&file, config.replace("iss = \"https://id.example\"", "iss = \"joe\"")).unwrap();
        file
    };
    let public = by_joe("published", &keys);
    let shared = by_joe("published-shared", &json!({ "keys": secrets }));
    let mut tokens = ["rfc7515-a1.jws", "rfc7515-a2.jws", "rfc7515-a3.jws"].map(read).to_vec();
    let pem = fs::read(vectors.join("rsa-test-key.pem")).unwrap();
    let key = EncodingKey::from_rsa_pem(&pem).unwrap();
    for algorithm in [Algorithm::PS256, Algorithm::RS256] {
        let header = Header { kid: Some("rsa".to_owned()), ..Header::new(algorithm) };
        tokens.push(encode(&header, &json!({"iss": "joe"}), &key).unwrap());
    }
    let files = std::iter::once(&shared).chain(std::iter::repeat(&public));
    for (token, file) in tokens.into_iter().zip(files) {
        let inspect = |token: &str| {
            let json = tollgate(&["inspect", "--config", file, "--json", token]).json();
            let checks = json["verdict"]["checks"].as_array().unwrap().clone();
            checks.into_iter().find(|check| check["check"] == "signature").unwrap()
        };
        let check = inspect(&token);
        assert_eq!(check["ok"], true, "{check}");
        // One bit of it, and it is none.
        let (signed, signature) = token.trim().rsplit_once('.').unwrap();
        let first = if signature.starts_with('A') { "B" } else { "A" };
        let bent = format!("{signed}.{first}{}", signature.get(1..).unwrap());
        assert_eq!(inspect(&bent)["ok"], false);
    }
}

#[test]
fn a_token_alone_is_shown_without_a_verdict() {
    let key = tollgate(&["keygen", "--json"]).json()["private"].to_string();
    let mint = ["mint", "--key", "-", "--account", "alice", "--at", "2026-12-01T00:00:00Z"];
    let token = tollgate_with(&mint, &key).stdout;
    let folder = folder("alone");
    let shown = run(&["inspect", "--at", "2026-12-01T00:30:00Z"], &token, &[], &folder);
    let shown = shown.with_code(0).stdout;
    assert!(shown.contains("issued 30 minutes ago"), "{shown}");
    assert!(shown.contains("expires in 30 minutes"), "{shown}");
    assert!(!shown.contains("A gate with"), "{shown}");
    // A configuration that nobody named and that is wrong keeps no token from being shown.
    let broken = crate::tool::folder("alone-broken");
    write(&broken, "wrangler.toml", "[vars]\nORIGIN = 5\n");
    let json = run(&["inspect", "--json"], &token, &[], &broken).with_code(0);
    assert!(json.stderr.contains("no verdict"), "{}", json.stderr);
    assert_eq!(json.json()["claims"]["sub"], "alice");
    let named = ["inspect", "--config", "wrangler.toml"];
    let _ = run(&named, &token, &[], &broken).with_code(2);
    let as_header = format!("Bearer {token}");
    let json = run(&["inspect", "--json"], &as_header, &[], &folder).with_code(0).json();
    assert_eq!((&json["claims"]["sub"], &json["verdict"]), (&json!("alice"), &Value::Null));
}

#[test]
fn keys_that_cannot_sign_are_named_without_showing_them() {
    let made = tollgate(&["keygen", "--json"]).json();
    let public = made["jwks"]["keys"][0].to_string();
    for (key, part) in [
        (public.as_str(), "this is a public key"),
        ("-----BEGIN PRIVATE KEY-----", "this is PEM"),
        (r#"{"kty":"RSA","n":"hush"}"#, "a key of kind \"RSA\""),
        (r#"{"kty":"oct","k":"aHVzaA"}"#, "its k has 4 bytes"),
        ("[]", "expected a JWK"),
    ] {
        let said = tollgate_with(&["mint", "--key", "-"], key).with_code(2).said();
        assert!(said.contains("stdin") && said.contains(part), "{part}: {said}");
        assert!(!said.contains("hush") && !said.contains("aHVzaA"), "{said}");
    }
}
