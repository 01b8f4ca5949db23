//! Keys at a URL: fetched, refreshed, rotated, and what happens while they can't be had.

use tollgate::cause::Cause;
use tollgate::gate::{Need, Outcome, Process, Step};
use tollgate::token::TokenError;

use crate::tokens::mint;
use crate::world::{World, claims, token, unreachable};
use crate::{denied, key_set, passed, performed, world_with_url};

const FIVE_MINUTES_MS: i64 = 300_000;

/// A token signed by a key of this name.
fn token_by(kid: &str) -> String {
    mint(&claims("{}"), kid)
}

fn error(world: &mut World, token: &str) -> Option<TokenError> {
    denied(&world.serve("GET /premium", Some(token))).facts.token_error
}

#[test]
fn keys_are_fetched_once_and_refreshed_off_the_path() {
    let mut world = world_with_url("ed");
    passed(&world.serve("GET /premium", Some(&token("{}"))));
    assert_eq!(performed(&mut world), ["keys", "verify", "ledger"]);
    passed(&world.serve("GET /premium", Some(&token(r#"{"jti":"2"}"#))));
    assert_eq!(performed(&mut world), ["verify"]);
    world.pass_ms(FIVE_MINUTES_MS);
    passed(&world.serve("GET /premium", Some(&token("{}"))));
    assert_eq!(performed(&mut world), ["ledger", "refresh"]);
    passed(&world.serve("GET /premium", Some(&token("{}"))));
    assert!(
        performed(&mut world).is_empty(),
        "the same keys: the token need not be verified again"
    );
}

#[test]
fn a_refresh_is_one_errand_however_many_requests_there_are() {
    let mut world = world_with_url("ed");
    let token = token("{}");
    passed(&world.serve("GET /premium", Some(&token)));
    world.pass_ms(FIVE_MINUTES_MS);
    let mut errands = 0;
    for _ in 0..5 {
        let (mut gate, _) =
            world.arrival("GET /premium", Some(&token)).start(&mut world.memory, world.now);
        errands += gate.take_errands().len();
        assert!(gate.take_errands().is_empty());
    }
    assert_eq!(errands, 1);
    // Its fetch got lost; after the deadline somebody else may try.
    world.pass_ms(3_000);
    passed(&world.serve("GET /premium", Some(&token)));
    assert!(performed(&mut world).contains(&"refresh"));
}

#[test]
fn a_new_key_is_found_and_the_old_one_falls() {
    let mut world = world_with_url("ed");
    passed(&world.serve("GET /premium", Some(&token_by("ed"))));
    world.key_set = key_set("new");
    world.pass_ms(1);
    performed(&mut world);
    passed(&world.serve("GET /premium", Some(&token_by("new"))));
    assert_eq!(performed(&mut world), ["keys", "verify"]);
    assert_eq!(
        error(&mut world, &token_by("ed")),
        Some(TokenError::UnknownKey),
        "a token that was verified by a key that is gone is looked at again"
    );
}

#[test]
fn the_last_good_set_is_kept_through_failures() {
    let mut world = world_with_url("ed");
    passed(&world.serve("GET /premium", Some(&token("{}"))));
    for body in [Err(unreachable("timeout")), Ok("<html>".to_owned()), Ok(r#"{"keys":[]}"#.into())]
    {
        world.key_set = body;
        world.pass_ms(FIVE_MINUTES_MS);
        let exp = world.now.plus_seconds(60).as_seconds();
        let lasting = claims(&format!(r#"{{"exp":{exp}}}"#));
        passed(&world.serve("GET /premium", Some(&mint(&lasting, "ed"))));
        assert_eq!(performed(&mut world).last(), Some(&"refresh"));
        let decision = world.serve("GET /premium", Some(&mint(&lasting, "other")));
        let cause = denied(&decision).cause;
        assert_eq!(cause, Cause::CheckerUnavailable, "it may be a new key that can't be had");
    }
}

#[test]
fn made_up_key_ids_cause_at_most_three_fetches_a_minute() {
    let mut world = world_with_url("ed");
    passed(&world.serve("GET /premium", Some(&token("{}"))));
    performed(&mut world);
    for number in 0..20 {
        world.pass_ms(1);
        let made_up = token_by(&format!("made-up-{number}"));
        assert_eq!(error(&mut world, &made_up), Some(TokenError::UnknownKey));
    }
    assert_eq!(performed(&mut world), ["keys", "keys", "keys"]);
    passed(&world.serve("GET /premium", Some(&token("{}"))));
    world.pass_ms(60_000);
    error(&mut world, &token_by("made-up"));
    assert!(performed(&mut world).contains(&"keys"), "a minute later it may ask again");
}

#[test]
fn one_token_with_an_unknown_key_causes_one_fetch() {
    let mut world = world_with_url("ed");
    assert_eq!(error(&mut world, &token_by("made-up")), Some(TokenError::UnknownKey));
    assert_eq!(performed(&mut world), ["keys"], "the first set of all is new enough");
    world.pass_ms(1);
    assert_eq!(error(&mut world, &token_by("made-up")), Some(TokenError::UnknownKey));
    assert_eq!(performed(&mut world), ["keys"]);
}

#[test]
fn an_algorithm_that_does_not_fit_causes_no_fetch() {
    let mut world = world_with_url("ed");
    passed(&world.serve("GET /premium", Some(&token("{}"))));
    performed(&mut world);
    world.pass_ms(1);
    // {"alg":"none","kid":"x"}
    let good = token("{}");
    let (_, rest) = good.split_once('.').unwrap();
    let bent = format!("eyJhbGciOiJub25lIiwia2lkIjoieCJ9.{rest}");
    assert_eq!(error(&mut world, &bent), Some(TokenError::UnsupportedAlgorithm));
    assert!(performed(&mut world).is_empty());
}

#[test]
fn without_any_keys_the_checker_is_unavailable_and_not_asked_at_once_again() {
    let mut world = world_with_url("ed");
    world.key_set = Err(unreachable("timeout"));
    let token = token("{}");
    let decision = world.serve("GET /premium", Some(&token));
    let denial = denied(&decision);
    assert_eq!(denial.cause, Cause::CheckerUnavailable);
    let detail = denial.facts.operator_detail.as_deref().unwrap();
    assert!(detail.contains("https://id.example") && detail.contains("timeout"), "{detail}");
    world.pass_ms(4_999);
    let decision = world.serve("GET /premium", Some(&token));
    assert_eq!(denied(&decision).cause, Cause::CheckerUnavailable);
    assert_eq!(performed(&mut world), ["keys"], "a failed fetch isn't repeated for five seconds");
    world.pass_ms(1);
    world.key_set = key_set("ed");
    passed(&world.serve("GET /premium", Some(&token)));
}

#[test]
fn others_wait_for_the_request_that_fetches() {
    let mut world = world_with_url("ed");
    let token = token("{}");
    let (mut first, step) =
        world.arrival("GET /premium", Some(&token)).start(&mut world.memory, world.now);
    let Step::Need(Need::FetchKeys { issuer }) = step else { panic!("{step:?}") };
    assert_eq!(issuer.get(), 0);
    let (mut second, step) =
        world.arrival("GET /premium", Some(&token)).start(&mut world.memory, world.now);
    assert!(matches!(step, Step::Need(Need::Wait { for_ms: 1..=100 })), "{step:?}");
    let fetched = Outcome::KeysFetched(world.key_set.clone());
    let step = first.resume(fetched, &mut world.memory, world.now);
    assert!(matches!(step, Step::Need(Need::VerifySignature(_))));
    let step = second.resume(Outcome::Waited, &mut world.memory, world.now);
    assert!(matches!(step, Step::Need(Need::VerifySignature(_))), "{step:?}");
}

#[test]
fn a_fetch_that_never_ends_is_taken_over_after_its_deadline() {
    let mut world = world_with_url("ed");
    let token = token("{}");
    let (lost, _) = world.arrival("GET /premium", Some(&token)).start(&mut world.memory, world.now);
    drop(lost);
    let started = world.now;
    passed(&world.serve("GET /premium", Some(&token)));
    assert_eq!(world.now.ms_since(started), 3_000, "as long as the lost one could have taken");
    let done = performed(&mut world);
    assert_eq!(done.iter().filter(|word| **word == "keys").count(), 1, "{done:?}");
}

#[test]
fn waiting_ends_where_the_fetch_of_another_fails() {
    let mut world = world_with_url("ed");
    let token = token("{}");
    let (mut first, _) =
        world.arrival("GET /premium", Some(&token)).start(&mut world.memory, world.now);
    let (mut second, _) =
        world.arrival("GET /premium", Some(&token)).start(&mut world.memory, world.now);
    let failed = Outcome::KeysFetched(Err(unreachable("timeout")));
    first.resume(failed, &mut world.memory, world.now);
    let step = second.resume(Outcome::Waited, &mut world.memory, world.now);
    let Step::End(decision) = step else { panic!("it goes on with {step:?}") };
    assert_eq!(denied(&decision).cause, Cause::CheckerUnavailable);
}
