// npm run keygen: fresh values for the secrets, as lines for .dev.vars. For a deployed gate, hand
// each value to `npx wrangler secret put <NAME>` instead.

import { generateKeyPairSync, randomBytes } from "node:crypto";

const { privateKey } = generateKeyPairSync("ed25519");
const jwk = { ...privateKey.export({ format: "jwk" }), kid: randomBytes(6).toString("base64url") };
const { d: _private, ...publicJwk } = jwk;

console.log(`ADMIN_TOKEN="${randomBytes(24).toString("base64url")}"`);
console.log(`GATE_SECRET="${randomBytes(32).toString("base64url")}"`);
console.log(`ALLOWANCE_KEY="${randomBytes(32).toString("base64url")}"`);
console.log(`NOTIFY_SECRET="whsec_${randomBytes(32).toString("base64")}"`);
console.log(`ASSERTION_KEY='${JSON.stringify(jwk)}'`);
console.log(`\n# What the origin checks Tollgate-Assertion with:\n# ${JSON.stringify(publicJwk)}`);
