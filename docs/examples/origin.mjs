// An origin that serves only what came through the gate. Needs `npm install jose`.
//
//   GATE=https://api.example.com AUDIENCE=origin.example.com node origin.mjs
//
// GATE is where callers find the gate, AUDIENCE the host (and port) of the gate's ORIGIN.

import { createServer } from "node:http";
import { createRemoteJWKSet, jwtVerify } from "jose";

const { GATE, AUDIENCE, PORT = "8080" } = process.env;
const keys = createRemoteJWKSet(new URL("/_tollgate/jwks.json", GATE));
const rules = { issuer: GATE, audience: AUDIENCE, algorithms: ["Ed25519", "ES256"], requiredClaims: ["exp", "sub"] };

/** The verified caller, or `null` for whoever went around the gate. */
async function caller(request) {
  const assertion = request.headers["tollgate-assertion"];
  if (!assertion) return null;
  try {
    const { payload } = await jwtVerify(assertion, keys, rules);
    return { account: payload.sub, tenant: payload.tenant, plan: payload.plan, entitlements: payload.entitlements };
  } catch {
    return null;
  }
}

const server = createServer(async (request, response) => {
  const known = await caller(request);
  response.writeHead(known ? 200 : 403, { "content-type": "application/json", "cache-control": "no-store" });
  response.end(`${JSON.stringify(known ?? { error: "Please come through the gate." })}\n`);
});
server.listen(Number(PORT), () => console.log(`listening on ${PORT}`));
