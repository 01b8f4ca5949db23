//! API keys: their owners, their rights, and the time for which an answer about them holds.

use serde_json::{Value, json};
use tollgate::account::{ApiKey, KeyOwner};
use tollgate::cause::Cause;
use tollgate::decision::Degraded;
use tollgate::gate::{Need, Outcome, Process, Step};
use tollgate::gate_secret::GateSecret;
use tollgate::identity::AccountName;
use tollgate::token::TokenError;

use crate::world::{NOW, World, token, unreachable};
use crate::{ALICE, GATE_SECRET, PRO, cause, denied, passed, performed, tokens, vars, world};

const SECRET: &str = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFG";

fn text(id: &str) -> String {
    made_with(GATE_SECRET, id)
}

fn made_with(secret: &str, id: &str) -> String {
    ApiKey::text(id, SECRET, &[GateSecret::new(secret)]).unwrap()
}

/// A world whose gate has these values of its secret.
fn world_with(secret: Option<&str>) -> World {
    let vars = vars(&json!({"keys": tokens::ed_key()}));
    let vars = vars.with("GATE_SECRET", json!(secret.unwrap_or_default()));
    let mut world = World::new(&vars);
    world.put_account(ALICE, PRO);
    world
}

/// Files a key of alice's in the directory, and lists it in her record beside `more`.
fn with_key(world: &mut World, plan: &str, key: &Value) -> String {
    let id = key["id"].as_str().unwrap();
    let member = key["member"].as_str().map(str::to_owned);
    let owner =
        KeyOwner { account: AccountName::parse(ALICE).unwrap(), key: id.to_owned(), member };
    let known = world.directory.as_mut().unwrap();
    known.insert(ApiKey::hash(&text(id)), owner);
    put_keys(world, plan, &json!([key]));
    text(id)
}

fn put_keys(world: &mut World, plan: &str, keys: &Value) {
    let record = json!({"plan": plan, "status": "active", "keys": keys});
    world.set_account(ALICE, &record.to_string());
}

#[test]
fn a_key_opens_what_its_account_has_paid_for() {
    let mut world = world();
    let key = with_key(&mut world, "pro", &json!({"id": "aaaaaaaa"}));
    let decision = world.serve("GET /premium", Some(&key));
    let identity = passed(&decision).identity.as_ref().unwrap();
    assert_eq!((identity.account.as_str(), identity.tenant.as_deref()), ("alice", None));
    assert_eq!((identity.plan.as_deref(), identity.entitlements.len()), (Some("pro"), 1));
    assert_eq!(performed(&mut world), ["key", "ledger"], "the record is needed here too");
    passed(&world.serve("GET /premium", Some(&key)));
    assert!(performed(&mut world).is_empty(), "both are remembered");
    for _ in 0..2 {
        passed(&world.serve("GET /api", Some(&key)));
    }
    assert_eq!(cause(&world.serve("GET /api", Some(&key))), Some(Cause::QuotaExhausted));
    let decision = world.serve("GET /vault", Some(&key));
    assert_eq!(cause(&decision), Some(Cause::PlanLacksEntitlement));
}

#[test]
fn whose_a_key_is_is_asked_again_after_ten_minutes() {
    let mut world = world();
    let key = with_key(&mut world, "pro", &json!({"id": "aaaaaaaa"}));
    for (after_ms, asks) in [(0, true), (599_999, false), (1, true)] {
        world.pass_ms(after_ms);
        performed(&mut world);
        passed(&world.serve("GET /premium", Some(&key)));
        assert_eq!(performed(&mut world).contains(&"key"), asks, "{after_ms}");
    }
}

#[test]
fn made_up_keys_are_refused_without_a_call() {
    let mut world = world();
    for number in 0..2_000 {
        // Of a key's form; some with a checksum that is right for another key.
        let id = format!("made{number:04}");
        let checksum = match number % 3 {
            0 => text(&format!("made{:04}", number + 1)),
            1 => made_with("another-secret-of-another-gate-000", &id),
            _ => format!("{number:011}"),
        };
        let (_, checksum) = checksum.split_at(checksum.len() - 11);
        let key = format!("tg_{id}_{SECRET}{checksum}");
        let decision = world.serve("GET /premium", Some(&key));
        let denial = denied(&decision);
        assert_eq!(denial.cause, Cause::InvalidToken);
        assert_eq!(denial.facts.token_error, Some(TokenError::UnknownApiKey));
        let detail = denial.facts.operator_detail.as_deref().unwrap();
        assert_eq!(detail, "no value of GATE_SECRET made this API key");
    }
    assert!(performed(&mut world).is_empty());
}

#[test]
fn a_key_of_ours_that_is_nowhere_costs_the_directory_one_look_in_ten_seconds() {
    let mut world = world();
    for (after_ms, asks) in [(0, 1), (0, 0), (9_999, 0), (1, 1)] {
        world.pass_ms(after_ms);
        let decision = world.serve("GET /premium", Some(&text("nothere1")));
        let denial = denied(&decision);
        assert_eq!(denial.cause, Cause::InvalidToken);
        assert_eq!(denial.facts.token_error, Some(TokenError::UnknownApiKey));
        assert_eq!(performed(&mut world).len(), asks);
    }
    // So many that the first is forgotten: it is looked for again, and the memory stays small.
    for number in 0..1_024 {
        world.serve("GET /premium", Some(&text(&format!("made{number:04}"))));
    }
    performed(&mut world);
    world.serve("GET /premium", Some(&text("nothere1")));
    assert_eq!(performed(&mut world), ["key"]);
}

#[test]
fn another_value_of_the_gates_secret_kills_no_key() {
    const NEW: &str = "the-new-value-of-the-secret-0123456789";
    let both = format!("{NEW} {GATE_SECRET}");
    for (values, works) in [(both.as_str(), true), (NEW, false), (GATE_SECRET, true)] {
        let mut world = world_with(Some(values));
        let key = with_key(&mut world, "pro", &json!({"id": "aaaaaaaa"}));
        let decision = world.serve("GET /premium", Some(&key));
        assert_eq!(cause(&decision).is_none(), works, "{values}");
        assert_eq!(performed(&mut world).contains(&"key"), works, "{values}");
    }
    let world = world_with(Some(&both));
    let made = ApiKey::text("aaaaaaaa", SECRET, &world.config.gate_secrets);
    assert_eq!(made, Some(made_with(NEW, "aaaaaaaa")), "the first value signs");
}

#[test]
fn without_the_gates_secret_no_key_is_made_or_looked_for() {
    let mut world = world_with(None);
    assert_eq!(ApiKey::text("aaaaaaaa", SECRET, &world.config.gate_secrets), None);
    let key = with_key(&mut world, "pro", &json!({"id": "aaaaaaaa"}));
    let decision = world.serve("GET /premium", Some(&key));
    assert_eq!(cause(&decision), Some(Cause::InvalidToken));
    let detail = denied(&decision).facts.operator_detail.as_deref().unwrap();
    assert!(detail.contains("GATE_SECRET is not set"), "{detail}");
    assert!(performed(&mut world).is_empty());
    passed(&world.serve("GET /premium", Some(&token("{}"))));
}

#[test]
fn what_can_not_be_a_key_is_never_looked_for() {
    let mut world = world();
    let long = format!("{}{}", text("aaaaaaaa"), "a".repeat(9_000));
    let cut = text("aaaaaaaa").replace('G', "");
    assert_eq!(cause(&world.serve("GET /premium", Some(&long))), Some(Cause::InvalidToken));
    for odd in ["tg_", "tg_x", &cut, &text("aaaaaaa!"), &text("aaaaaaa")] {
        let decision = world.serve("GET /premium", Some(odd));
        assert_eq!(denied(&decision).facts.token_error, Some(TokenError::Malformed), "{odd}");
    }
    let unsigned = format!("tg_aaaaaaaa_{SECRET}");
    assert_eq!(cause(&world.serve("GET /premium", Some(&unsigned))), Some(Cause::InvalidToken));
    assert!(performed(&mut world).is_empty());
}

#[test]
fn a_revoked_key_is_refused_within_ten_seconds() {
    let mut world = world();
    let key = with_key(&mut world, "pro", &json!({"id": "aaaaaaaa"}));
    passed(&world.serve("GET /premium", Some(&key)));
    let revoked = json!([{"id": "aaaaaaaa", "revoked_at": "2026-12-01T00:00:00Z"}]);
    put_keys(&mut world, "pro", &revoked);
    world.pass_ms(7_000);
    passed(&world.serve("GET /premium", Some(&key)));
    world.pass_ms(3_000);
    assert_eq!(cause(&world.serve("GET /premium", Some(&key))), Some(Cause::CredentialRevoked));
    let tokens = world.serve("GET /premium", Some(&token("{}")));
    passed(&tokens);
}

#[test]
fn a_key_ends_at_its_time_whatever_is_remembered() {
    let mut world = world();
    let ends_at = NOW.plus_seconds(5).rfc3339();
    let key = with_key(&mut world, "pro", &json!({"id": "aaaaaaaa", "expires_at": ends_at}));
    passed(&world.serve("GET /premium", Some(&key)));
    world.pass_ms(4_999);
    passed(&world.serve("GET /premium", Some(&key)));
    world.pass_ms(1);
    assert_eq!(cause(&world.serve("GET /premium", Some(&key))), Some(Cause::CredentialRevoked));
}

#[test]
fn a_key_that_the_record_does_not_list_opens_nothing() {
    let mut world = world();
    let key = with_key(&mut world, "pro", &json!({"id": "aaaaaaaa"}));
    put_keys(&mut world, "pro", &json!([{"id": "bbbbbbbb"}]));
    assert_eq!(cause(&world.serve("GET /premium", Some(&key))), Some(Cause::InvalidToken));
    world.pass_ms(60_000);
    let owner = KeyOwner {
        account: AccountName::parse("-/gone").unwrap(),
        key: "cccccccc".into(),
        member: None,
    };
    let known = world.directory.as_mut().unwrap();
    known.insert(ApiKey::hash(&text("cccccccc")), owner);
    let decision = world.serve("GET /premium", Some(&text("cccccccc")));
    assert_eq!(cause(&decision), Some(Cause::InvalidToken), "nor one of an account without record");
}

#[test]
fn a_new_key_works_at_once_and_one_that_is_gone_is_asked_for_once() {
    let mut world = world();
    passed(&world.serve("GET /premium", Some(&token("{}"))));
    world.pass_ms(1_000);
    let key = with_key(&mut world, "pro", &json!({"id": "aaaaaaaa"}));
    performed(&mut world);
    passed(&world.serve("GET /premium", Some(&key)));
    assert_eq!(performed(&mut world), ["key", "ledger"], "the account was remembered without it");
    put_keys(&mut world, "pro", &json!([]));
    world.pass_ms(10_000);
    for _ in 0..5 {
        world.pass_ms(1);
        assert_eq!(cause(&world.serve("GET /premium", Some(&key))), Some(Cause::InvalidToken));
    }
    assert_eq!(performed(&mut world), ["ledger"]);
}

#[test]
fn scopes_narrow_what_the_account_has_and_no_payment_widens_them() {
    let mut world = world();
    let key = with_key(&mut world, "max", &json!({"id": "aaaaaaaa", "scopes": ["premium", "x"]}));
    let decision = world.serve("GET /premium", Some(&key));
    assert_eq!(passed(&decision).identity.as_ref().unwrap().entitlements, ["premium"]);
    let decision = world.serve("GET /vault", Some(&key));
    let denial = denied(&decision);
    assert_eq!((denial.cause, denial.cause.status()), (Cause::NotForSale, 403));
    assert_eq!(denial.facts.missing, ["vault"]);
    let free = world.serve("GET /other", Some(&key));
    assert_eq!(passed(&free).identity.as_ref().unwrap().entitlements, ["premium"]);
}

#[test]
fn a_key_counts_for_its_member() {
    let mut world = world();
    let key = with_key(&mut world, "team", &json!({"id": "aaaaaaaa", "member": "ann"}));
    let mut last = None;
    for _ in 0..21 {
        last = Some(world.serve("GET /api", Some(&key)));
    }
    let denial = last.as_ref().map(denied).unwrap();
    assert_eq!(denial.quota.as_ref().unwrap().name.to_string(), "api/month/member");
    put_keys(&mut world, "team", &json!([{"id": "aaaaaaaa"}, {"id": "bbbbbbbb"}]));
    let owner = KeyOwner {
        account: AccountName::parse(ALICE).unwrap(),
        key: "bbbbbbbb".into(),
        member: None,
    };
    let known = world.directory.as_mut().unwrap();
    known.insert(ApiKey::hash(&text("bbbbbbbb")), owner);
    world.pass_ms(10_000);
    passed(&world.serve("GET /api", Some(&text("bbbbbbbb"))));
}

#[test]
fn without_the_directory_nobody_is_let_in_or_sent_away() {
    let mut world = world();
    let key = with_key(&mut world, "big", &json!({"id": "aaaaaaaa"}));
    let known = std::mem::replace(&mut world.directory, Err(unreachable("no answer in time")));
    let decision = world.serve("GET /premium", Some(&key));
    let denial = denied(&decision);
    assert_eq!((denial.cause, denial.cause.status()), (Cause::CheckerUnavailable, 503));
    assert!(denial.retry_at.is_some());
    world.directory = known;
    passed(&world.serve("GET /premium", Some(&key)));
    world.directory = Err(unreachable("no answer in time"));
    passed(&world.serve("GET /premium", Some(&key)));
}

#[test]
fn without_the_ledger_a_key_passes_only_where_its_record_is_known() {
    let mut world = world();
    let key = with_key(&mut world, "pro", &json!({"id": "aaaaaaaa"}));
    world.ledger_is_down = true;
    let decision = world.serve("GET /premium", Some(&key));
    assert_eq!(cause(&decision), Some(Cause::CheckerUnavailable));
    world.ledger_is_down = false;
    world.pass_ms(10_000);
    passed(&world.serve("GET /premium", Some(&key)));
    world.ledger_is_down = true;
    world.pass_ms(60_000);
    let decision = world.serve("GET /premium", Some(&key));
    assert_eq!(passed(&decision).degraded, Some(Degraded::CheckerUnavailable), "the plan says so");
}

#[test]
fn an_answer_of_the_directory_that_nobody_asked_for_denies() {
    let mut world = world();
    let arrival = world.arrival("GET /premium", Some(&token("{}")));
    let (mut gate, step) = arrival.start(&mut world.memory, world.now);
    let Step::Need(Need::VerifySignature(_)) = step else { panic!("a token is verified") };
    let owner = KeyOwner {
        account: AccountName::parse(ALICE).unwrap(),
        key: "aaaaaaaa".into(),
        member: None,
    };
    let step = gate.resume(Outcome::KeyFound(Ok(Some(owner))), &mut world.memory, world.now);
    let Step::End(decision) = step else { panic!("it is decided") };
    assert_eq!(cause(&decision), Some(Cause::Misconfigured));
}
