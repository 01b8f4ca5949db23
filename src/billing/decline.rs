//! The reason of a failed charge, as far as the payer may know it.

use crate::cause::PaymentFailure;

/// The reason for a payer, by the codes that a provider gives for a failed charge: the bank's own,
/// the provider's for the error, and its advice. `None` where none is given.
///
///  Reasons that a bank must keep secret (fraud, a lost or stolen card) read exactly as a plain
/// decline, with any other codes beside them. So does every unknown code, unless the advice adds
/// more.
///
/// Source: <https://docs.stripe.com/declines/codes>; Paddle's codes are those of `ErrorCode` in
/// `@paddle/paddle-node-sdk` 3.10.0.
pub fn reason(
    bank_code: Option<&str>,
    code: Option<&str>,
    advice: Option<&str>,
) -> Option<PaymentFailure> {
    let codes = [bank_code, code];
    let codes = || codes.into_iter().flatten();
    if codes().any(|code| NEVER_REVEALED.contains(&code)) {
        return Some(PaymentFailure::Declined);
    }
    let known = codes().find_map(known);
    known.or_else(|| {
        let advised = match advice {
            Some("confirm_card_data") => Some(PaymentFailure::CardData),
            Some("try_again_later") => Some(PaymentFailure::TryLater),
            Some(_) => Some(PaymentFailure::Declined),
            None => None,
        };
        advised.or_else(|| codes().next().map(|_| PaymentFailure::Declined))
    })
}

/// The meaning of this one code; `None` for a plain decline by the bank.
pub(super) fn known(code: &str) -> Option<PaymentFailure> {
    let group = GROUPS.iter().find(|(_, codes)| codes.split(' ').any(|other| other == code));
    group.map(|(failure, _)| *failure)
}

const NEVER_REVEALED: [&str; 6] =
    ["fraudulent", "lost_card", "stolen_card", "pickup_card", "merchant_blacklist", "fraud"];

const GROUPS: [(PaymentFailure, &str); 6] = [
    (PaymentFailure::CardExpired, "expired_card"),
    (
        PaymentFailure::CardData,
        "incorrect_number invalid_number incorrect_cvc invalid_cvc invalid_expiry_month \
         invalid_expiry_year incorrect_zip incorrect_address postal_code_invalid \
         invalid_payment_details redacted_payment_method",
    ),
    (
        PaymentFailure::AuthenticationRequired,
        "authentication_required authentication_not_handled authentication_failed \
         mobile_device_authentication_required payment_intent_authentication_failure \
         setup_intent_authentication_failure invoice_payment_intent_requires_action",
    ),
    (
        PaymentFailure::InsufficientFunds,
        "insufficient_funds card_velocity_exceeded withdrawal_count_limit_exceeded \
         not_enough_balance",
    ),
    (
        PaymentFailure::TryLater,
        "try_again_later issuer_not_available issuer_unavailable processing_error \
         reenter_transaction approve_with_id psp_error system_error",
    ),
    (
        PaymentFailure::Merchant,
        "duplicate_transaction invalid_account invalid_amount testmode_decline \
         test_mode_live_card live_mode_test_card",
    ),
];
