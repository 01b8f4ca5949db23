//! The words and statuses of the vocabulary.

use super::*;

#[test]
fn words_are_unique_sorted_and_the_same_as_in_json() {
    let words: Vec<_> = Cause::ALL.iter().map(|cause| cause.word()).collect();
    let mut sorted = words.clone();
    sorted.sort_unstable();
    sorted.dedup();
    assert_eq!(words, sorted);
    for cause in Cause::ALL {
        assert_eq!(serde_json::to_value(cause).unwrap(), cause.word());
        assert_eq!(Cause::from_word(cause.word()), Some(cause));
    }
}

#[test]
fn paying_mends_only_what_asks_for_money() {
    for cause in Cause::ALL.into_iter().filter(|cause| cause.mend() == Mend::Payment) {
        assert_eq!(cause.status(), 402, "{}", cause.word());
    }
}

#[test]
fn only_a_failed_or_late_payment_may_be_an_outage() {
    let all = Cause::ALL.into_iter().filter(|cause| cause.may_be_outage());
    let words: Vec<_> = all.map(Cause::word).collect();
    assert_eq!(words, ["card-expired", "payment-failed", "subscription-expired"]);
}

#[test]
fn what_is_easiest_to_mend_comes_first() {
    let mut all = Cause::ALL;
    all.sort_by_key(|cause| cause.ease());
    let first: Vec<_> = all.into_iter().map(Cause::word).take(5).collect();
    let expected = [
        "card-expired",
        "payment-failed",
        "payment-incomplete",
        "subscription-paused",
        "trial-ended",
    ];
    assert_eq!(first, expected);
}

#[test]
fn a_payment_status_is_never_the_operators_or_the_platforms_fault() {
    for cause in Cause::ALL.into_iter().filter(|cause| cause.status() == 402) {
        assert_eq!(cause.source(), Source::Caller, "{}", cause.word());
    }
}
