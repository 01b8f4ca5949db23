// Who reads The Daily Edge, and the tokens that its sign-in service mints for them.

import { jwtVerify, SignJWT } from "jose";

/** The two issuers of gate.toml: what a reader has paid for stands in the token, or in the ledger. */
export const LOGIN_ISSUER = "https://login.daily-edge.example";
export const ACCOUNTS_ISSUER = "https://accounts.daily-edge.example";
export const AUDIENCE = "https://daily-edge.example";

const DAY_MS = 86_400_000;
const ago = (days) => new Date(Date.now() - days * DAY_MS).toISOString();

/**
 * Each reader shows another answer. `record` is what the ledger is told about them at the start;
 * of whom is `atProvider`, it hears by webhooks alone.
 */
export const READERS = {
  alice: { about: "has the Pro plan", plan: "pro", entitlements: ["basic", "premium"] },
  bob: { about: "has the Free plan: no long reads, 5 API units a minute", plan: "free", entitlements: ["basic"] },
  carol: {
    about: "has the Pro plan, and a card that has expired",
    record: () => ({
      plan: "pro",
      status: "past_due",
      payment_failed_at: ago(10),
      payment_failure: "card_expired",
    }),
  },
  dave: {
    about: "had the Pro plan until last week",
    record: () => ({ plan: "pro", status: "ended", ends_at: ago(7) }),
  },
  erin: { about: "has the Pro plan, bought at the pretend provider: press its buttons", atProvider: true },
};

/** The record of somebody who has paid. */
export const PAID_RECORD = { plan: "pro", status: "active" };

/** A token for a reader. `plan` overrides the plan, `expires` the lifetime ("12h"). */
export function mint(key, name, { plan, expires = "12h" } = {}) {
  const reader = READERS[name] ?? READERS.bob;
  const inLedger = Boolean(reader.record ?? reader.atProvider);
  const claims = inLedger ? {} : { plan: reader.plan, entitlements: reader.entitlements };
  if (plan === "pro" && !inLedger) Object.assign(claims, { plan, entitlements: READERS.alice.entitlements });
  return new SignJWT(claims)
    .setProtectedHeader({ alg: "EdDSA", typ: "JWT", kid: key.kid })
    .setIssuer(inLedger ? ACCOUNTS_ISSUER : LOGIN_ISSUER)
    .setAudience(AUDIENCE)
    .setSubject(name)
    .setIssuedAt()
    .setExpirationTime(expires)
    .sign(key.privateKey);
}

/** The name in a token of ours, or `null`. */
export async function nameIn(key, token) {
  try {
    const options = { audience: AUDIENCE, algorithms: ["EdDSA"] };
    return (await jwtVerify(token, key.publicKey, options)).payload.sub ?? null;
  } catch {
    return null;
  }
}
