// Starts the built Worker in miniflare, with an origin that is a real HTTP server.
// Everything listens on the loopback and ends with `stop()`.

import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { Log, LogLevel, Miniflare } from "miniflare";
import { parse } from "smol-toml";

export const ROOT = fileURLToPath(new URL("../..", import.meta.url));
export const ISSUER = "https://login.example.test";
export const AUDIENCE = "https://api.example.test";
export const ADMIN_TOKEN = "an-admin-token-for-tests";
export const GATE_SECRET = "a-gate-secret-for-tests-0123456789abcdef";
export const COMPATIBILITY_DATE = "2026-07-01";
const ENTRY = "src/edge/entry.mjs";

/** A key pair that signs tokens as one issuer. `claims` override; `undefined` removes a claim. */
export async function makeIssuer({ alg = "Ed25519", kid = "test-key", iss = ISSUER } = {}) {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
  const jwk = { ...(await exportJWK(publicKey)), kid, alg };
  const now = () => Math.floor(Date.now() / 1000);
  const mint = (claims = {}, header = {}) =>
    new SignJWT(withoutUndefined({ iss, aud: AUDIENCE, sub: "alice", iat: now(), exp: now() + 600, ...claims }))
      .setProtectedHeader(withoutUndefined({ alg, kid, typ: "JWT", ...header }))
      .sign(privateKey);
  return { iss, kid, alg, jwk, privateKey, mint };
}

/** The entry of `ISSUERS` for an issuer, its key inline. */
export function issuerVar(issuer, extra = {}) {
  return {
    iss: issuer.iss,
    audience: [AUDIENCE],
    keys: { keys: [issuer.jwk] },
    claims: { account: "sub", plan: "plan", entitlements: "entitlements" },
    ...extra,
  };
}

/** An HTTP server that answers with what it was asked, or as `handler` says. */
export async function startOrigin(handler = echo) {
  const requests = [];
  const server = createServer((request, response) => {
    requests.push({ method: request.method, url: request.url, headers: request.headers });
    handler(request, response);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${server.address().port}`;
  const stop = async () => {
    server.closeAllConnections();
    server.close();
    await once(server, "close");
  };
  return { url, server, requests, stop };
}

/**
 * Starts the gate.
 *
 * `vars` are its variables and secrets (objects as in wrangler.toml), `origin` a server of
 * `startOrigin`, `build` another build than the shipped one, `persist` a folder that outlives it,
 * `bindings` anything else of miniflare's worker options, `beside` the options of more Workers.
 */
export async function startGate(options = {}) {
  const { vars = {}, origin, build = "build", persist, bindings = {}, beside = [], port = 0 } = options;
  const logs = [];
  const miniflare = new Miniflare({
    host: "127.0.0.1",
    port,
    cf: false,
    log: new Log(LogLevel.ERROR),
    handleRuntimeStdio: (stdout, stderr) => {
      for (const stream of [stdout, stderr]) {
        stream.setEncoding("utf8").on("data", (text) => logs.push(text));
      }
    },
    ...(persist ? { durableObjectsPersist: persist } : {}),
    workers: [
      workerOptions({ vars: { ...(origin ? { ORIGIN: origin.url } : {}), ...vars }, build, bindings }),
      ...beside,
    ],
  });
  const url = (await miniflare.ready).origin;
  return {
    url,
    port: Number(new URL(url).port),
    miniflare,
    logs,
    log: () => logs.join(""),
    fetch: (path, init = {}) => fetch(url + path, { redirect: "manual", ...init }),
    stop: () => miniflare.dispose(),
  };
}

/** Miniflare's options for the Worker as `wrangler.toml` describes it. */
export function workerOptions({ vars, build = "build", bindings = {} }) {
  return {
    name: "gate",
    rootPath: ROOT,
    modulesRoot: ROOT,
    modules: true,
    scriptPath: build === "build" ? ENTRY : entryFor(build),
    modulesRules: [
      { type: "ESModule", include: ["**/*.js", "**/*.mjs"] },
      { type: "CompiledWasm", include: ["**/*.wasm"] },
    ],
    compatibilityDate: COMPATIBILITY_DATE,
    durableObjects: durableObjects(),
    bindings: JSON.parse(JSON.stringify(vars)),
    ...bindings,
  };
}

/** The bindings to Durable Objects of `wrangler.toml`, in miniflare's form; `more` is said of each. */
export function durableObjects(more = {}) {
  const { bindings } = parse(readFileSync(join(ROOT, "wrangler.toml"), "utf8")).durable_objects;
  const inMiniflare = ({ name, class_name: className }) => [name, { className, useSQLite: true, ...more }];
  return Object.fromEntries(bindings.map(inMiniflare));
}

/** The gate's entry, in front of another build. */
function entryFor(build) {
  const entry = readFileSync(join(ROOT, ENTRY), "utf8");
  const path = `${build}/entry.mjs`;
  writeFileSync(join(ROOT, path), entry.replaceAll("../../build/", "./"));
  return path;
}

function echo(request, response) {
  const chunks = [];
  request.on("data", (chunk) => chunks.push(chunk));
  request.on("end", () => {
    const body = Buffer.concat(chunks).toString("latin1");
    const { method, url, headers, rawHeaders } = request;
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ method, url, headers, rawHeaders, body }));
  });
}

function withoutUndefined(object) {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined));
}
