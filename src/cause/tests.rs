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
fn a_payment_status_is_never_the_operators_or_the_platforms_fault() {
    for cause in Cause::ALL.into_iter().filter(|cause| cause.status() == 402) {
        assert_eq!(cause.source(), Source::Caller, "{}", cause.word());
    }
}
