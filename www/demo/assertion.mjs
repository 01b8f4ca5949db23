// How an origin makes sure that a request came through the gate: it checks `Tollgate-Assertion`,
// a token that the gate signs for each request that it passes on a gated route. It names who asks,
// or nobody where a page is free for those who have not signed in.

import { importJWK, jwtVerify } from "jose";

/**
 * Returns a function from request headers to the verified caller
 * (`{ account, tenant, plan, entitlements }`, without an account for a visitor), or to `null` for
 * whoever did not come through the gate.
 *
 * `publicJwk` is the public half of the gate's ASSERTION_KEY, `audience` the origin's own host and
 * port as they stand in the gate's ORIGIN.
 */
export async function assertionChecker(publicJwk, audience) {
  const key = await importJWK(publicJwk, "EdDSA");
  const options = { audience, algorithms: ["EdDSA", "Ed25519"], requiredClaims: ["exp"] };
  return async (headers) => {
    const assertion = headers["tollgate-assertion"];
    if (!assertion) return null;
    try {
      const { payload } = await jwtVerify(assertion, key, options);
      const { sub: account, tenant, plan, entitlements = [] } = payload;
      return { account, tenant, plan, entitlements };
    } catch {
      // Forged, stale, or meant for somebody else: whoever sent it did not come through the gate.
      return null;
    }
  };
}
