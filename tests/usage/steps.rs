//! From a request for `usage` to its answer, or to a denial.

use tollgate::cause::{Action, Cause, Notice};
use tollgate::gate::{CallError, Need, Outcome, Process, Step};
use tollgate::plan::QuotaName;

use crate::{Isolate, NOW, denied, shown, token, usage, vars};

const NONE: &str = "null";

#[test]
fn nobody_is_told_without_a_credential() {
    let mut isolate = Isolate::new(&vars());
    let (_, step) = isolate.begin(None);
    let denial = denied(step);
    assert_eq!(denial.cause, Cause::SignInRequired);
    let expired = token(r#"{"exp":1}"#);
    let (_, step) = isolate.ask(&expired);
    assert_eq!(denied(step).cause, Cause::InvalidToken);
}

#[test]
fn the_ledger_is_asked_for_the_tokens_own_account_plan_and_member() {
    let mut isolate = Isolate::new(&vars());
    let (_, step) = isolate.ask(&token("{}"));
    let Step::Need(Need::ReadUsage { account, plan, member }) = step else { panic!("{step:?}") };
    let asked = (account.as_str(), plan.as_deref(), member.as_str());
    assert_eq!(asked, ("-/acme", Some("free"), "ann"));
    let by_account = token(r#"{"iss":"https://by.account","sub":"bob","plan":"pro"}"#);
    let (_, step) = isolate.ask(&by_account);
    let Step::Need(Need::ReadUsage { plan, member, .. }) = step else { panic!("{step:?}") };
    assert_eq!((plan, member.as_str()), (None, "bob"), "there the record alone says the plan");
}

#[test]
fn what_was_read_is_told_again_for_two_seconds() {
    let mut isolate = Isolate::new(&vars());
    let counts = usage(&isolate.config, [3, 1, 0], NONE);
    assert_eq!(shown(isolate.told(&token("{}"), counts)).quotas[0].state.used, 3);
    isolate.now = NOW.plus_ms(1_999);
    let (_, step) = isolate.ask(&token("{}"));
    assert_eq!(shown(step).quotas[0].state.used, 3);
    isolate.now = NOW.plus_ms(2_000);
    let (_, step) = isolate.ask(&token("{}"));
    assert!(matches!(step, Step::Need(Need::ReadUsage { .. })), "{step:?}");
}

#[test]
fn each_member_and_plan_is_told_its_own() {
    let mut isolate = Isolate::new(&vars());
    for (changes, used) in [("{}", 1), (r#"{"sub":"bob"}"#, 2), (r#"{"plan":"pro"}"#, 3)] {
        let counts = usage(&isolate.config, [used, used, 0], NONE);
        assert_eq!(shown(isolate.told(&token(changes), counts)).quotas[0].state.used, used);
    }
    let (_, step) = isolate.ask(&token("{}"));
    assert_eq!(shown(step).quotas[1].state.used, 1, "all of them are remembered");
}

#[test]
fn whoever_comes_meanwhile_waits_and_is_told_the_same() {
    let mut isolate = Isolate::new(&vars());
    let (mut first, step) = isolate.ask(&token("{}"));
    assert!(matches!(step, Step::Need(Need::ReadUsage { .. })));
    let (mut second, step) = isolate.ask(&token("{}"));
    assert!(matches!(step, Step::Need(Need::Wait { .. })), "{step:?}");
    let step = second.resume(Outcome::Waited, &mut isolate.memory, isolate.now);
    assert!(matches!(step, Step::Need(Need::Wait { .. })), "{step:?}");
    let counts = usage(&isolate.config, [5, 0, 0], NONE);
    assert_eq!(shown(isolate.answer(&mut first, counts)).quotas[0].state.used, 5);
    let step = second.resume(Outcome::Waited, &mut isolate.memory, isolate.now);
    assert_eq!(shown(step).quotas[0].state.used, 5);
}

#[test]
fn what_is_remembered_is_bounded() {
    let mut isolate = Isolate::new(&vars());
    let mine = token(r#"{"org":"mine"}"#);
    let counts = usage(&isolate.config, [5, 0, 0], NONE);
    assert_eq!(shown(isolate.told(&mine, counts)).quotas[0].state.used, 5);
    for number in 0..256 {
        let other = token(&format!(r#"{{"org":"other-{number}"}}"#));
        let counts = usage(&isolate.config, [0; 3], NONE);
        shown(isolate.told(&other, counts));
    }
    let (_, step) = isolate.ask(&mine);
    assert!(matches!(step, Step::Need(Need::ReadUsage { .. })), "{step:?}");
}

#[test]
fn nobody_waits_forever_for_another() {
    let mut isolate = Isolate::new(&vars());
    let _ = isolate.ask(&token("{}"));
    let (mut second, step) = isolate.ask(&token("{}"));
    assert!(matches!(step, Step::Need(Need::Wait { .. })));
    // The first one hangs: after the deadline somebody else asks.
    isolate.now = NOW.plus_ms(1_000);
    let step = second.resume(Outcome::Waited, &mut isolate.memory, isolate.now);
    assert!(matches!(step, Step::Need(Need::ReadUsage { .. })), "{step:?}");
}

#[test]
fn an_outage_is_said_whatever_the_plan_says_about_passing() {
    let mut isolate = Isolate::new(&vars());
    let (mut gate, _) = isolate.ask(&token("{}"));
    let failed = Outcome::UsageRead(Err(CallError::Unreachable("no answer".to_owned())));
    let denial = denied(gate.resume(failed, &mut isolate.memory, isolate.now));
    assert_eq!(denial.cause, Cause::CheckerUnavailable);
    assert!(denial.retry_at.is_some());
    let (_, step) = isolate.ask(&token("{}"));
    assert_eq!(denied(step).cause, Cause::CheckerUnavailable, "it isn't asked again at once");
    let (_, step) = isolate.ask(&token(r#"{"sub":"bob"}"#));
    assert_eq!(
        denied(step).cause,
        Cause::CheckerUnavailable,
        "nor for anybody else of the account"
    );
    let (_, step) = isolate.ask(&token(r#"{"org":"other"}"#));
    assert!(
        matches!(step, Step::Need(Need::ReadUsage { .. })),
        "another account has another ledger"
    );
    isolate.now = NOW.plus_ms(2_000);
    let counts = usage(&isolate.config, [5, 0, 0], NONE);
    assert_eq!(shown(isolate.told(&token("{}"), counts)).quotas[0].state.used, 5);
}

#[test]
fn suspended_and_revoked_callers_are_refused_as_on_a_route() {
    for (record, cause) in [
        (r#"{"suspended":true,"plan":"free","status":"active"}"#, Cause::AccountSuspended),
        (r#"{"revoked_tokens":["t-1"]}"#, Cause::CredentialRevoked),
        (r#"{"tokens_revoked_before":"2026-12-01T00:00:00Z"}"#, Cause::CredentialRevoked),
    ] {
        for iss in ["https://id.example", "https://by.account"] {
            let mut isolate = Isolate::new(&vars());
            let counts = usage(&isolate.config, [0; 3], record);
            let token = token(&format!(r#"{{"iss":"{iss}"}}"#));
            let denial = denied(isolate.told(&token, counts));
            assert_eq!(denial.cause, cause, "{record}");
            let (_, again) = isolate.ask(&token);
            assert_eq!(denied(again).cause, cause, "from memory too");
        }
    }
}

#[test]
fn a_plan_that_nobody_defined_is_the_operators_mistake() {
    let mut isolate = Isolate::new(&vars());
    let (_, step) = isolate.ask(&token(r#"{"plan":"gold"}"#));
    assert_eq!(denied(step).cause, Cause::Misconfigured);
    let counts = usage(&isolate.config, [0; 3], r#"{"plan":"gold","status":"active"}"#);
    let by_account = token(r#"{"iss":"https://by.account"}"#);
    assert_eq!(denied(isolate.told(&by_account, counts)).cause, Cause::Misconfigured);
}

#[test]
fn who_may_not_pass_is_told_why_and_what_helps() {
    for (record, status, cause, action) in [
        (
            r#"{"plan":"free","status":"unpaid"}"#,
            "unpaid",
            Cause::PaymentFailed,
            Action::UpdatePayment,
        ),
        (
            r#"{"plan":"free","status":"paused"}"#,
            "paused",
            Cause::SubscriptionPaused,
            Action::ResumeSubscription,
        ),
        (
            r#"{"plan":"free","status":"ended"}"#,
            "ended",
            Cause::SubscriptionExpired,
            Action::ChoosePlan,
        ),
        ("null", "none", Cause::NoSubscription, Action::ChoosePlan),
    ] {
        let mut isolate = Isolate::new(&vars());
        let counts = usage(&isolate.config, [1, 1, 1], record);
        let told = shown(isolate.told(&token(r#"{"iss":"https://by.account"}"#), counts));
        assert_eq!(serde_json::to_value(told.status).unwrap(), status);
        let denial = told.denial.unwrap();
        assert_eq!((denial.cause, denial.remedies[0].action), (cause, action));
    }
}

#[test]
fn a_token_that_says_the_subscription_needs_no_record() {
    let mut isolate = Isolate::new(&vars());
    let counts = usage(&isolate.config, [0; 3], NONE);
    let told = shown(isolate.told(&token("{}"), counts));
    assert_eq!((told.status, told.denial), (None, None));
    assert_eq!(told.plan.unwrap().name, "Free <b>");
}

#[test]
fn notices_of_the_subscription_come_before_those_of_quotas() {
    let mut isolate = Isolate::new(&vars());
    let record =
        r#"{"plan":"free","status":"past_due","payment_failed_at":"2026-11-30T00:00:00Z"}"#;
    let counts = usage(&isolate.config, [9, 1, 6], record);
    let told = shown(isolate.told(&token(r#"{"iss":"https://by.account"}"#), counts));
    let until = NOW.plus_seconds(2 * 86_400);
    let near =
        Notice::QuotaNearLimit { quota: QuotaName::parse("api/month").unwrap(), percent: 90 };
    let passed = Notice::SoftQuotaPassed { quota: QuotaName::parse("tokens/hour").unwrap() };
    assert_eq!(told.notices, [Notice::PaymentGrace { until }, near, passed]);
}

#[test]
fn a_full_quota_names_the_way_out() {
    let mut isolate = Isolate::new(&vars());
    let counts = usage(&isolate.config, [10, 1, 7], NONE);
    let told = shown(isolate.told(&token("{}"), counts));
    let full: Vec<_> = told.quotas.iter().map(|quota| quota.is_full).collect();
    assert_eq!(full, [true, false, true], "a soft quota is full beyond its overage");
    let denial = told.denial.unwrap();
    assert_eq!(denial.cause, Cause::QuotaExhausted);
    assert_eq!(denial.remedies[0].href.as_deref(), Some("https://g.example/buy/pro"));
    assert_eq!(denial.retry_at, denial.quota.map(|quota| quota.resets_at));
}

#[test]
fn credits_keep_a_full_quota_from_refusing() {
    let mut isolate = Isolate::new(&vars());
    let mut counts = usage(&isolate.config, [10, 1, 0], NONE);
    counts.credits = vec![crate::usage_answers::pack(7, None)];
    let told = shown(isolate.told(&token("{}"), counts));
    assert_eq!((told.denial.is_none(), told.credits_left()), (true, 7));
}

#[test]
fn an_answer_that_was_not_asked_for_is_a_fault() {
    let mut isolate = Isolate::new(&vars());
    let (mut gate, _) = isolate.ask(&token("{}"));
    let step = gate.resume(Outcome::Waited, &mut isolate.memory, isolate.now);
    assert_eq!(denied(step).cause, Cause::Misconfigured);
    let (mut gate, _) = isolate.begin(None);
    let counts = usage(&isolate.config, [0; 3], NONE);
    let step = isolate.answer(&mut gate, counts);
    assert_eq!(denied(step).cause, Cause::Misconfigured);
}
