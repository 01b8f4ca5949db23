//! The table of refusals against the answers: neither has a row that the other lacks.

use std::collections::BTreeSet;

use serde_json::Value;
use tollgate::answer::refusal::{
    EXPOSED_HEADERS, HEADERS, MEMBERS, QUOTA_MEMBERS, REMEDY_MEMBERS, ReadBy, Row,
};
use tollgate::answer::{Answer, Asker, Responder, passed_headers, problem_json};
use tollgate::cause::{Cause, Notice, PaymentFailure};
use tollgate::decision::{Degraded, Denial};
use tollgate::endpoint::{Method, Refusal};
use tollgate::request::ReturnPath;
use tollgate::usage::AccountUsage;

use crate::{FORMATS, NOW, PLACE, asker, brand, denial, json};

/// Names of the header fields or members that were found.
type Names = BTreeSet<String>;

#[test]
fn every_header_of_an_answer_is_a_row_and_every_row_a_header() {
    let mut found = Names::new();
    for answer in answers() {
        found.extend(answer.headers.iter().map(|(name, _)| (*name).to_owned()));
    }
    let passed = passed_headers(
        &[crate::quota()],
        &[Notice::ProviderOutage],
        Some(Degraded::CheckerUnavailable),
        NOW,
    );
    found.extend(passed.into_iter().map(|(name, _)| name.to_owned()));
    assert_eq!(found, names(HEADERS));
}

#[test]
fn every_member_of_problem_details_is_a_row_and_every_row_a_member() {
    let (mut members, mut quota, mut remedies) = (Names::new(), Names::new(), Names::new());
    for cause in Cause::ALL {
        let body = json(&responder(asker("GET", "")).denied(&whole(cause), "id"));
        members.extend(keys(&body));
        quota.extend(keys(&body["quota"]));
        for remedy in body["remedies"].as_array().unwrap() {
            remedies.extend(keys(remedy));
            remedies.extend(keys(&remedy["plan"]).map(|name| format!("plan.{name}")));
        }
    }
    assert_eq!(members, names(MEMBERS));
    assert_eq!(quota, names(QUOTA_MEMBERS));
    assert_eq!(remedies, names(REMEDY_MEMBERS));

    let first = names(&MEMBERS[..5]);
    let plain = json(&responder(asker("GET", "")).problem(404, "No such page."));
    assert_eq!(keys(&plain).collect::<Names>(), first);
    let of_programs = json(&problem_json(404, "Not found", "No.", &asker("GET", "")));
    assert_eq!(keys(&of_programs).collect::<Names>(), first);
}

#[test]
fn a_name_stands_in_one_row_and_somebody_reads_it() {
    for table in [HEADERS, MEMBERS, QUOTA_MEMBERS, REMEDY_MEMBERS] {
        assert_eq!(names(table).len(), table.len());
        for row in table {
            assert!(!row.readers.is_empty() && !row.value.is_empty(), "{}", row.name);
        }
    }
}

#[test]
fn scripts_are_shown_what_the_table_says_they_read() {
    let read = HEADERS.iter().filter(|row| row.readers.contains(&ReadBy::Script));
    let read: Vec<_> = read.map(|row| row.name).collect();
    assert_eq!(read.join(", "), EXPOSED_HEADERS);
}

/// One answer of each kind in each format, asked for by pages of the same and of another site.
fn answers() -> Vec<Answer> {
    let mut all = Vec::new();
    let home = ReturnPath::of_query(Some("return=/home"), "/_tollgate/").unwrap();
    for (accept, _) in FORMATS {
        for fetch_site in ["", "same-site"] {
            let origin = "https://app.example";
            let from = responder(Asker { origin, fetch_site, ..asker("GET", accept) });
            all.extend(Cause::ALL.map(|cause| from.denied(&whole(cause), "id")));
            all.extend(Cause::ALL.map(|cause| from.explained(cause)));
            all.push(from.usage(&AccountUsage::default()));
            all.push(from.usage_preflight());
            all.push(from.status(Some(&whole(Cause::PaymentFailed)), &home, 0));
            all.push(from.status(None, &home, 0));
            all.push(from.leads_to("https://pay.example/"));
            all.push(from.nothing());
            all.push(from.problem(404, "No such page."));
            all.push(from.refused(&Refusal::MethodNotAllowed(Method::Get)));
            all.push(problem_json(404, "Not found", "No such page.", &from.asker));
        }
    }
    all
}

/// A denial with all that any denial can have.
fn whole(cause: Cause) -> Denial {
    let mut denial = denial(cause);
    denial.quota = Some(crate::quota());
    denial.facts.payment_failure = Some(PaymentFailure::Declined);
    denial
}

fn responder(asker: Asker<'_>) -> Responder<'_> {
    static BRAND: std::sync::LazyLock<tollgate::config::Brand> = std::sync::LazyLock::new(brand);
    Responder { asker, place: PLACE, brand: &BRAND, now: NOW }
}

fn names(table: &[Row]) -> Names {
    table.iter().map(|row| row.name.to_owned()).collect()
}

fn keys(value: &Value) -> impl Iterator<Item = String> {
    value.as_object().into_iter().flat_map(|object| object.keys().cloned())
}
