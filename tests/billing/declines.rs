//! Every code of a decline, and the reason for the payer.

use tollgate::billing::decline::reason;
use tollgate::cause::PaymentFailure;

/// As section "Declines" of Stripe's documentation groups them, then Paddle's.
const TABLE: [(PaymentFailure, &str); 7] = [
    (PaymentFailure::CardExpired, "expired_card"),
    (
        PaymentFailure::CardData,
        "incorrect_number invalid_number incorrect_cvc invalid_cvc invalid_expiry_month \
         invalid_expiry_year incorrect_zip incorrect_address \
         invalid_payment_details redacted_payment_method",
    ),
    (
        PaymentFailure::AuthenticationRequired,
        "authentication_required authentication_not_handled \
         mobile_device_authentication_required authentication_failed",
    ),
    (
        PaymentFailure::InsufficientFunds,
        "insufficient_funds card_velocity_exceeded withdrawal_count_limit_exceeded \
         not_enough_balance",
    ),
    (
        PaymentFailure::Declined,
        "do_not_honor generic_decline call_issuer no_action_taken not_permitted restricted_card \
         service_not_allowed transaction_not_allowed security_violation \
         revocation_of_authorization stop_payment_order card_not_supported \
         currency_not_supported new_account_information_available a_code_of_the_future \
         blocked_card canceled declined declined_not_retryable transaction_not_permitted unknown",
    ),
    (
        PaymentFailure::TryLater,
        "try_again_later issuer_not_available processing_error reenter_transaction \
         approve_with_id issuer_unavailable psp_error system_error",
    ),
    (
        PaymentFailure::Merchant,
        "duplicate_transaction invalid_account invalid_amount testmode_decline",
    ),
];

const HIDDEN: [&str; 5] =
    ["fraudulent", "lost_card", "stolen_card", "pickup_card", "merchant_blacklist"];

#[test]
fn every_code_has_its_group() {
    for (failure, codes) in TABLE {
        for code in codes.split_whitespace() {
            assert_eq!(reason(Some(code), Some("card_declined"), None), Some(failure), "{code}");
            assert_eq!(reason(None, Some(code), None), Some(failure), "{code}");
        }
    }
    assert_eq!(reason(None, None, None), None);
}

#[test]
fn what_must_not_be_known_reads_as_a_plain_decline() {
    let plain = reason(Some("generic_decline"), Some("card_declined"), None);
    let advice = [None, Some("confirm_card_data"), Some("do_not_try_again"), Some("new_word")];
    for code in HIDDEN.into_iter().chain(["fraud"]) {
        for advice in advice {
            for other in
                [None, Some("card_declined"), Some("expired_card"), Some("try_again_later")]
            {
                assert_eq!(reason(Some(code), other, advice), plain, "{code}");
                assert_eq!(reason(other, Some(code), advice), plain, "{code}");
            }
        }
    }
}

#[test]
fn advice_says_more_only_where_the_codes_say_nothing() {
    let generic = |advice| reason(Some("do_not_honor"), Some("card_declined"), Some(advice));
    assert_eq!(generic("confirm_card_data"), Some(PaymentFailure::CardData));
    assert_eq!(generic("try_again_later"), Some(PaymentFailure::TryLater));
    assert_eq!(generic("do_not_try_again"), Some(PaymentFailure::Declined));
    assert_eq!(generic("a_word_of_the_future"), Some(PaymentFailure::Declined));
    let funds = reason(Some("insufficient_funds"), None, Some("try_again_later"));
    assert_eq!(funds, Some(PaymentFailure::InsufficientFunds));
}
