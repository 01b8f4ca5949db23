//! Tokens that were verified before.

use tollgate::cause::Cause;
use tollgate::token::TokenError;

use crate::world::token;
use crate::{cause, denied, passed, performed, world};

#[test]
fn a_token_is_verified_once_and_the_account_read_once() {
    let mut world = world();
    let token = token("{}");
    passed(&world.serve("GET /premium", Some(&token)));
    assert_eq!(performed(&mut world), ["verify", "ledger"]);
    for _ in 0..3 {
        passed(&world.serve("GET /premium", Some(&token)));
    }
    assert!(performed(&mut world).is_empty(), "everything is known");
}

#[test]
fn a_remembered_token_still_expires() {
    let mut world = world();
    let token = token("{}");
    passed(&world.serve("GET /premium", Some(&token)));
    // `exp` is ten minutes away, and the leeway a minute.
    world.pass_ms(660_000 - 1);
    passed(&world.serve("GET /premium", Some(&token)));
    assert_eq!(performed(&mut world), ["verify", "ledger", "ledger"]);
    world.pass_ms(1);
    let decision = world.serve("GET /premium", Some(&token));
    assert_eq!(denied(&decision).facts.token_error, Some(TokenError::Expired));
    assert!(performed(&mut world).is_empty(), "no signature is checked for it");
}

#[test]
fn what_is_cheap_to_refuse_costs_no_verification() {
    let mut world = world();
    for (changes, error) in [
        (r#"{"exp":1}"#, TokenError::Expired),
        (r#"{"aud":"x"}"#, TokenError::WrongAudience),
        (r#"{"iss":"x"}"#, TokenError::UnknownIssuer),
        (r#"{"nbf":1896083200}"#, TokenError::NotYetValid),
    ] {
        let decision = world.serve("GET /premium", Some(&token(changes)));
        assert_eq!(denied(&decision).facts.token_error, Some(error));
    }
    assert!(performed(&mut world).is_empty());
}

#[test]
fn a_badly_signed_token_is_never_remembered() {
    let mut world = world();
    let good = token("{}");
    let (signed, _) = good.rsplit_once('.').unwrap();
    let other = token(r#"{"sub":"bob"}"#);
    let (_, signature) = other.rsplit_once('.').unwrap();
    let forged = format!("{signed}.{signature}");
    for _ in 0..2 {
        let decision = world.serve("GET /premium", Some(&forged));
        assert_eq!(denied(&decision).facts.token_error, Some(TokenError::BadSignature));
    }
    assert_eq!(performed(&mut world), ["verify", "verify"]);
    passed(&world.serve("GET /premium", Some(&good)));
}

#[test]
fn a_remembered_token_is_not_somebody_elses() {
    let mut world = world();
    world.put_account("-/bob", r#"{"plan":"pro","status":"paused"}"#);
    let (alice, bob) = (token("{}"), token(r#"{"sub":"bob"}"#));
    for _ in 0..2 {
        passed(&world.serve("GET /premium", Some(&alice)));
        assert_eq!(
            cause(&world.serve("GET /premium", Some(&bob))),
            Some(Cause::SubscriptionPaused)
        );
    }
}

#[test]
fn a_revocation_is_seen_as_soon_as_the_account_is_read_again() {
    let mut world = world();
    let token = token(r#"{"jti":"t1"}"#);
    passed(&world.serve("GET /premium", Some(&token)));
    world.put_account(crate::ALICE, r#"{"plan":"pro","status":"active","revoked_tokens":["t1"]}"#);
    world.pass_ms(9_999);
    passed(&world.serve("GET /premium", Some(&token)));
    world.pass_ms(1);
    let decision = world.serve("GET /premium", Some(&token));
    assert_eq!(cause(&decision), Some(Cause::CredentialRevoked));
}

#[test]
fn the_burst_limit_is_asked_every_time() {
    let mut world = world();
    let token = token("{}");
    passed(&world.serve("GET /fast", Some(&token)));
    passed(&world.serve("GET /fast", Some(&token)));
    world.is_within_burst = false;
    let decision = world.serve("GET /fast", Some(&token));
    assert_eq!(cause(&decision), Some(Cause::RateLimited));
    assert_eq!(performed(&mut world), ["verify", "burst", "ledger", "burst", "burst"]);
}
