// Signs the tokens that the benchmark sends.

import { generateKeyPairSync, sign } from "node:crypto";

export const ISSUER = "https://login.example.test";
export const AUDIENCE = "https://api.example.test";

const LIFETIME_S = 6 * 3_600;

/** An Ed25519 key: its public JWKS, its private JWK, and `mint`, which signs claims. */
export function makeIssuer() {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const kid = "bench-key";
  const jwks = { keys: [{ ...publicKey.export({ format: "jwk" }), kid, alg: "EdDSA" }] };
  const header = encoded({ alg: "EdDSA", kid, typ: "JWT" });
  const mint = (claims) => {
    const now = Math.floor(Date.now() / 1_000);
    const whole = { iss: ISSUER, aud: AUDIENCE, iat: now, exp: now + LIFETIME_S, ...claims };
    const signed = `${header}.${encoded(whole)}`;
    return `${signed}.${sign(null, Buffer.from(signed), privateKey).toString("base64url")}`;
  };
  return { jwks, privateJwk: { ...privateKey.export({ format: "jwk" }), kid }, mint };
}

function encoded(value) {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}
