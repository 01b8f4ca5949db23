//! Callers without a token: crawlers, and readers with free pages.

use serde_json::{Value, json};
use tollgate::allowance::COOKIE_NAME;
use tollgate::cause::{Action, Cause};
use tollgate::decision::{Decision, Denial};
use tollgate::gate::{Need, OriginAnswer, Outcome, Process, Step};

use crate::bindings::Vars;
use crate::world::{NOW, World, token};
use crate::{cause, denied, passed, performed};

/// A gate with these routes, and a rest that asks for a token.
pub(crate) fn site(routes: &Value) -> World {
    let routes: Vec<_> =
        routes.as_array().unwrap().iter().cloned().chain([json!({"match": "/**"})]).collect();
    World::new(&vars(&json!(routes)))
}

pub(crate) fn vars(routes: &Value) -> Vars {
    crate::vars(&json!({"keys": crate::tokens::ed_key()}))
        .with("ALLOWANCE_KEY", json!("a-secret-of-thirty-two-bytes-at-least"))
        .with("ROUTES", routes.clone())
}

fn five_a_month() -> World {
    site(&json!([{"match": "/articles/**", "free": "5 per month"}]))
}

/// Reads so many articles, each of which the origin delivers.
pub(crate) fn read(world: &mut World, numbers: std::ops::RangeInclusive<u32>) {
    for number in numbers {
        passed(&world.visit(&format!("GET /articles/{number}"), None));
    }
}

fn answer(world: &mut World, decision: &Decision, status: u16) {
    world.origin_answers(decision, &OriginAnswer { status, ..OriginAnswer::default() });
}

fn used_up(decision: &Decision) -> &Denial {
    let denial = denied(decision);
    assert_eq!(denial.cause, Cause::AllowanceExhausted);
    denial
}

#[test]
fn what_is_free_passes_and_then_there_is_something_to_buy() {
    let mut world = five_a_month();
    for number in 1..=5 {
        let decision = world.visit(&format!("GET /articles/{number}"), None);
        let pass = passed(&decision);
        let quota = &pass.quotas[0];
        assert_eq!(
            (quota.name.to_string().as_str(), quota.limit, quota.used),
            ("pages/month", 5, number)
        );
        assert!(pass.free_page.is_some() && pass.identity.is_none() && pass.charge.is_none());
    }
    let decision = world.visit("GET /articles/6", None);
    let denial = used_up(&decision);
    let quota = denial.quota.as_ref().unwrap();
    assert_eq!((quota.used, denial.retry_at), (5, Some(quota.resets_at)));
    assert_eq!(quota.resets_at.rfc3339(), "2027-01-01T00:00:00Z");
    let actions: Vec<_> = denial.remedies.iter().map(|remedy| remedy.action).collect();
    assert!(actions.contains(&Action::ChoosePlan) && actions.contains(&Action::SignIn));
    assert!(performed(&mut world).is_empty(), "none of it takes a call");
}

#[test]
fn a_page_that_was_seen_is_free_to_see_again_and_needs_no_new_cookie() {
    let mut world = five_a_month();
    read(&mut world, 1..=5);
    let cookie = world.cookie.clone();
    for asks in ["GET /articles/3", "HEAD /articles/3", "GET /articles/3?utm_source=mail"] {
        let decision = world.visit(asks, None);
        let pass = passed(&decision);
        assert_eq!((pass.quotas[0].used, &pass.free_page), (5, &None), "{asks}");
    }
    assert_eq!(world.cookie, cookie);
    used_up(&world.visit("GET /articles/3?page=2", None));
}

#[test]
fn only_what_can_be_read_is_free() {
    let mut world = site(&json!([
        {"match": "/articles/**", "free": "5 per month"},
        {"match": "/offer/**", "free": "5 per month", "anonymous": "offer"},
    ]));
    let decision = world.visit("HEAD /articles/1", None);
    assert_eq!(passed(&decision).quotas[0].used, 1);
    for method in ["POST", "PUT", "DELETE", "OPTIONS", "get"] {
        let decision = world.serve(&format!("{method} /articles/1"), None);
        assert_eq!(cause(&decision), Some(Cause::SignInRequired), "{method}");
        let decision = world.serve(&format!("{method} /offer/1"), None);
        assert_eq!(cause(&decision), Some(Cause::PaymentRequired), "{method}");
    }
    let decision = world.visit("GET /offer/1", None);
    assert_eq!(passed(&decision).quotas[0].used, 2, "the same text is one allowance");
    assert_eq!(cause(&world.serve("GET /other", None)), Some(Cause::SignInRequired));
}

#[test]
fn a_bad_token_is_no_way_to_be_a_reader() {
    let mut world = five_a_month();
    for token in [token(r#"{"exp":1}"#), "nonsense".to_owned()] {
        let decision = world.serve("GET /articles/1", Some(&token));
        assert_eq!(cause(&decision), Some(Cause::InvalidToken));
    }
    world.put_account("-/alice", r#"{"plan":"pro","status":"active"}"#);
    let decision = world.serve("GET /articles/1", Some(&token("{}")));
    assert!(passed(&decision).free_page.is_none(), "and a good one is treated as anywhere");
}

#[test]
fn what_the_origin_does_not_deliver_is_not_counted() {
    let mut world = five_a_month();
    read(&mut world, 1..=2);
    for status in [0, 301, 302, 401, 404, 410, 500, 503] {
        let decision = world.serve("GET /articles/9", None);
        assert_eq!(passed(&decision).quotas[0].used, 3, "{status}");
        answer(&mut world, &decision, status);
    }
    for (number, status) in [(3, 206), (4, 304), (5, 101)] {
        let decision = world.serve(&format!("GET /articles/{number}"), None);
        answer(&mut world, &decision, status);
    }
    used_up(&world.serve("GET /articles/9", None));
}

#[test]
fn a_cookie_that_is_none_of_ours_makes_a_new_reader() {
    let mut world = five_a_month();
    read(&mut world, 1..=5);
    let kept = world.cookie.clone().unwrap();
    let mut longer = kept.clone();
    longer.insert(5, 'A');
    let shorter = kept.replacen(|_: char| true, "", 1);
    for spoilt in [&longer, &shorter, "", "x.y", &kept.replace('.', "")] {
        world.cookie = Some(spoilt.to_owned());
        let decision = world.serve("GET /articles/6", None);
        assert_eq!(passed(&decision).quotas[0].used, 1, "{spoilt}");
    }
    // Another site signs with another key, or for another host.
    let other = vars(&json!([{"match": "/**", "free": "5 per month"}]))
        .with("ALLOWANCE_KEY", json!("another-secret-of-thirty-two-bytes-at-least"));
    let mut elsewhere = World::new(&other);
    elsewhere.cookie = Some(kept);
    assert_eq!(passed(&elsewhere.serve("GET /articles/6", None)).quotas[0].used, 1);
}

#[test]
fn every_new_reader_has_an_id_of_its_own() {
    let mut world = five_a_month();
    let mut seen = Vec::new();
    for _ in 0..50 {
        world.cookie = None;
        let decision = world.visit("GET /articles/1", None);
        seen.push(passed(&decision).free_page.as_ref().unwrap().grant.count.reader);
    }
    world.start_anew("another");
    world.cookie = None;
    let decision = world.visit("GET /articles/1", None);
    seen.push(passed(&decision).free_page.as_ref().unwrap().grant.count.reader);
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 51);
}

#[test]
fn an_old_cookie_gets_nothing_from_an_isolate_that_knows_better() {
    let mut world = five_a_month();
    read(&mut world, 1..=1);
    let old = world.cookie.clone();
    read(&mut world, 2..=5);
    world.cookie = old.clone();
    used_up(&world.serve("GET /articles/6", None));
    // An isolate without a count of its own accepts it until its report is answered.
    world.pass_ms(2_000);
    world.start_anew("another");
    read(&mut world, 6..=6);
    assert_eq!(performed(&mut world), ["report"]);
    world.pass_ms(1_999);
    assert!(performed(&mut world).is_empty(), "it waits for company");
    world.cookie = old;
    world.pass_ms(1);
    assert_eq!(performed(&mut world), ["report"]);
    used_up(&world.serve("GET /articles/7", None));
}

#[test]
fn without_the_objects_nobody_is_refused_for_it() {
    let mut world = five_a_month();
    world.ledger_is_down = true;
    read(&mut world, 1..=3);
    world.pass_ms(10_000);
    read(&mut world, 4..=5);
    used_up(&world.serve("GET /articles/6", None));
}

#[test]
fn the_next_period_starts_anew() {
    let mut world = five_a_month();
    read(&mut world, 1..=5);
    let decision = world.serve("GET /articles/6", None);
    let resets_at = used_up(&decision).retry_at.unwrap();
    world.pass_ms(resets_at.ms_since(NOW) - 1);
    used_up(&world.serve("GET /articles/6", None));
    world.pass_ms(1);
    let decision = world.visit("GET /articles/6", None);
    assert_eq!(passed(&decision).quotas[0].used, 1);
}

#[test]
fn tabs_that_are_opened_at_once_are_counted_once_each() {
    let mut world = five_a_month();
    read(&mut world, 1..=1);
    let opened: Vec<_> =
        (2..=7).map(|number| world.serve(&format!("GET /articles/{number}"), None)).collect();
    let free = opened.iter().filter(|decision| cause(decision).is_none()).count();
    assert_eq!(free, 4);
    // The cookies come back in another order than they went out.
    for decision in opened.iter().rev().filter(|decision| cause(decision).is_none()) {
        answer(&mut world, decision, 200);
    }
    used_up(&world.serve("GET /articles/8", None));
    for number in 1..=5 {
        passed(&world.serve(&format!("GET /articles/{number}"), None));
    }
}

#[test]
fn whoever_starts_a_count_is_limited_by_address_and_nobody_else() {
    let mut world = site(&json!([
        {"match": "/articles/**", "free": "5 per month", "free_burst": "BURST"},
    ]));
    world.address = "2001:DB8:0:1::7".to_owned();
    let arrival = world.arrival("GET /articles/1", None);
    match arrival.start(&mut world.memory, world.now).1 {
        Step::Need(Need::LimitBurst { binding, key }) => {
            assert_eq!((binding.as_str(), key.as_str()), ("BURST", "2001:db8:0:1::/64"));
        }
        step => panic!("{step:?}"),
    }
    world.is_within_burst = false;
    let decision = world.serve("GET /articles/1", None);
    let denial = denied(&decision);
    assert_eq!(denial.cause, Cause::RateLimited);
    assert_eq!(denial.retry_at, Some(NOW.plus_seconds(60)));
    world.is_within_burst = true;
    read(&mut world, 1..=1);
    performed(&mut world);
    world.is_within_burst = false;
    read(&mut world, 2..=5);
    used_up(&world.serve("GET /articles/6", None));
    assert!(performed(&mut world).is_empty(), "a reader with a count isn't asked about");
    (world.cookie, world.address) = (None, String::new());
    read(&mut world, 1..=1);
    assert!(performed(&mut world).is_empty(), "without an address all would be one");
}

#[test]
fn a_crawler_is_let_through_by_what_it_is_and_not_by_what_it_says() {
    let mut world = site(&json!([
        {"match": "/articles/**", "free": "1 per month", "crawlers": ["Search Engine Crawler"]},
        {"match": "/paid/**", "crawlers": ["Search Engine Crawler", "Webhooks"]},
    ]));
    world.bot_category = "Search Engine Crawler".to_owned();
    for path in ["/articles/1", "/articles/2", "/paid/1"] {
        let decision = world.visit(&format!("GET {path}"), None);
        let pass = passed(&decision);
        assert!(pass.free_page.is_none() && pass.quotas.is_empty(), "{path}");
    }
    assert_eq!(world.cookie, None);
    assert_eq!(cause(&world.serve("GET /else", None)), Some(Cause::SignInRequired));
    for other in ["search engine crawler", "AI Crawler", ""] {
        world.bot_category = other.to_owned();
        let decision = world.serve("GET /paid/1", None);
        assert_eq!(cause(&decision), Some(Cause::SignInRequired), "{other}");
    }
    world.bot_category = "AI Crawler".to_owned();
    read(&mut world, 1..=1);
    used_up(&world.serve("GET /articles/2", None));
}

#[test]
fn an_answer_that_nobody_asked_for_lets_no_reader_in() {
    let mut world = site(&json!([
        {"match": "/articles/**", "free": "5 per month", "free_burst": "BURST"},
    ]));
    world.address = "192.0.2.7".to_owned();
    for outcome in [Outcome::Waited, Outcome::SignatureVerified(Ok(true))] {
        let (mut gate, _) =
            world.arrival("GET /articles/1", None).start(&mut world.memory, world.now);
        match gate.resume(outcome, &mut world.memory, world.now) {
            Step::End(decision) => assert_eq!(cause(&decision), Some(Cause::Misconfigured)),
            Step::Need(need) => panic!("{need:?}"),
        }
    }
}

#[test]
fn the_cookie_is_for_this_host_alone() {
    let mut world = five_a_month();
    let decision = world.visit("GET /articles/1", None);
    let set_cookie = &passed(&decision).free_page.as_ref().unwrap().set_cookie;
    let (value, attributes) = set_cookie.split_once("; ").unwrap();
    assert!(value.starts_with(&format!("{COOKIE_NAME}=")));
    assert_eq!(attributes, "Max-Age=2678400; Path=/; Secure; HttpOnly; SameSite=Lax");
}
