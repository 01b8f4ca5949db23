// Why a card says no: the codes of Stripe's `last_payment_error`. `code` is always there,
// `decline_code` where the bank gave a reason, `advice_code` where the network knows what helps.

const declined = (decline_code, advice_code, message = "Your card was declined.") => ({ code: "card_declined", decline_code, advice_code, message });

const FAILURES = [
  { code: "expired_card", decline_code: "expired_card", advice_code: "confirm_card_data", message: "Your card has expired." },
  { code: "incorrect_cvc", decline_code: "incorrect_cvc", advice_code: "confirm_card_data", message: "Your card's security code is incorrect." },
  { code: "authentication_required", decline_code: "authentication_required", advice_code: undefined, message: "Your card was declined. This transaction requires authentication." },
  { code: "processing_error", decline_code: "processing_error", advice_code: "try_again_later", message: "An error occurred while processing your card. Try again in a little bit." },
  declined("insufficient_funds", "try_again_later", "Your card has insufficient funds."),
  declined("generic_decline", "do_not_try_again"),
  declined("do_not_honor", undefined),
  declined("fraudulent", "do_not_try_again"),
  declined("lost_card", "do_not_try_again"),
  declined("stolen_card", "do_not_try_again"),
  declined("issuer_not_available", "try_again_later"),
  declined("try_again_later", "try_again_later"),
  declined("invalid_account", "do_not_try_again"),
  declined("invalid_amount", undefined),
];

/** The codes that `decline` knows. */
export const DECLINE_CODES = FAILURES.map(({ decline_code }) => decline_code);

/** The `last_payment_error` of a card that fails with this code. */
export function paymentError(declineCode, { charge, paymentMethod }) {
  const { code, advice_code, message } = FAILURES.find(({ decline_code }) => decline_code === declineCode) ?? declined(declineCode);
  const error = { advice_code, charge, code, decline_code: declineCode, message, payment_method: paymentMethod, type: "card_error" };
  error.doc_url = `https://docs.stripe.com/error-codes/${code.replaceAll("_", "-")}`;
  return Object.fromEntries(Object.entries(error).filter(([, value]) => value !== undefined));
}
