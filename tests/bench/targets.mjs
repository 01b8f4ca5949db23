// The targets: the Workers, and the requests to each of them.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { startRuntime } from "./runtime.mjs";
import { AUDIENCE, ISSUER, makeIssuer } from "./tokens.mjs";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const WORKERS = fileURLToPath(new URL("workers/", import.meta.url));

/** More than one isolate remembers (4,096), so that in turn each of them is new when it comes back. */
const NEW_TOKENS = 8_192;
/** The metered targets spread their requests over this many accounts. */
const ACCOUNTS = 300;
/** Units an account may use: never used up, and used up by the warm-up. */
const PLENTY = 1_000_000_000;
const FEW = 3;

/**
 * The Workers and the targets. Needs `folder` for files; `gates` maps the name of each gate to the
 * checkout it is taken from.
 */
export async function prepare(folder, gates) {
  const scene = { folder, issuer: makeIssuer(), gates };
  scene.tokens = makeTokens(scene);
  const jsGate = await bundled("gate.mjs");
  const origin = { name: "origin", modules: [{ name: "main.mjs", file: `${WORKERS}origin.mjs` }] };
  const gateServices = Object.entries(gates).flatMap(([name, root]) => gateVariants(scene, name, root));
  const answers = await capture(scene, [origin, ...gateServices]);
  const services = [
    origin,
    { name: "pass", modules: [{ name: "main.mjs", file: `${WORKERS}pass.mjs` }], bindings: [SITE], listens: true },
    ...Object.entries(answers).map(([name, answer]) => staticService(name, answer)),
    staticService("static-log", answers.quota, [{ name: "LOG", json: true }]),
    jsGateService(scene, "js-token", jsGate, []),
    jsGateService(scene, "js-metered", jsGate, [{ name: "METER", json: true }]),
    ...gateServices,
  ];
  return { services, targets: targetsOf(scene) };
}

/** The services that a cold start is measured with: a gate, a constant answer, and the JS gate. */
export function coldServices({ services }, gate) {
  const origin = services.find((service) => service.name === "origin");
  return ["static-offer", "js-token", gate].map((name) => {
    return { name, services: [origin, services.find((service) => service.name === name)] };
  });
}

/** What a request carries beside its credential: about what a CDN hands an API's Worker. */
export const COMMON_HEADERS = {
  "user-agent": "example-client/3.2 (linux; x86_64)",
  "accept-encoding": "gzip, br",
  "accept-language": "en-GB,en;q=0.8",
  "cf-connecting-ip": "203.0.113.7",
  "cf-ray": "8f2c1a9b7d3e4f50-FRA",
  "x-forwarded-proto": "https",
};

const JSON_HEADERS = { ...COMMON_HEADERS, accept: "application/json" };
const PAGE_HEADERS = {
  ...COMMON_HEADERS,
  accept: "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
  "sec-fetch-mode": "navigate",
  "sec-fetch-site": "none",
};

const SITE = { name: "SITE", service: "origin" };

// `bare`: the least JavaScript that does as much. `js`: the hand-written gate doing the same job.
function targetsOf({ tokens, gates }) {
  const known = { ...JSON_HEADERS, authorization: `Bearer ${tokens.known}` };
  const spent = { ...JSON_HEADERS, authorization: `Bearer ${tokens.spent}` };
  const article = { path: "/articles/1", status: 200 };
  const counted = { path: "/api/things", headers: JSON_HEADERS, tokensFile: tokens.accountsFile, status: 200, warmUp: 2 * ACCOUNTS };
  const hot = { path: "/api/things", headers: { ...JSON_HEADERS, authorization: `Bearer ${tokens.hot}` }, status: 200, warmUp: 50 };
  const refused = { path: "/api/things", headers: spent, status: 402, warmUp: 2 * FEW };
  const offered = { path: "/articles/1", headers: JSON_HEADERS, status: 402 };
  const page = { path: "/articles/1", headers: PAGE_HEADERS, status: 402 };
  const news = { ...article, headers: JSON_HEADERS, tokensFile: tokens.newFile };
  const bases = [
    { name: "pass-through", about: "JS: hands the request to the origin", service: "pass", ...article, headers: known },
    { name: "static-quota", about: "JS: a constant 402 as gate-refuse gives", service: "static-quota", ...refused },
    { name: "static-log", about: "the same, and logs a line", service: "static-log", ...refused },
    { name: "static-offer", about: "JS: a constant 402 as gate-offer gives", service: "static-offer", ...offered },
    { name: "static-page", about: "JS: a constant page as gate-page gives", service: "static-page", ...page },
    { name: "js-token", about: "JS gate with jose: checks the token", service: "js-token", ...article, headers: known },
    { name: "js-new", about: "the same, a new token each time", service: "js-token", ...news },
    { name: "js-metered", about: `the same, and counts in a Durable Object, over ${ACCOUNTS} accounts`, service: "js-metered", ...counted },
    { name: "js-hot", about: "the same for one account", service: "js-metered", ...hot },
    { name: "js-refuse", about: "the same, quota used up", service: "js-metered", ...refused },
  ];
  const of = (gate) => [
    { name: "open", about: "open route", service: gate, path: "/", headers: known, status: 200, bare: "pass-through" },
    { name: "known", about: "token seen before", service: gate, ...article, headers: known, bare: "pass-through", js: "js-token" },
    { name: "assert", about: "the same, and a signed assertion", service: `${gate}-assert`, ...article, headers: known, bare: "pass-through", js: "js-token" },
    { name: "new", about: "a new token each time", service: gate, ...news, bare: "pass-through", js: "js-new" },
    { name: "metered", about: `counted, over ${ACCOUNTS} accounts`, service: gate, ...counted, bare: "pass-through", js: "js-metered" },
    { name: "hot", about: "counted, one account", service: gate, ...hot, bare: "pass-through", js: "js-hot" },
    { name: "refuse", about: "quota used up: 402, JSON", service: gate, ...refused, bare: "static-quota", js: "js-refuse" },
    { name: "refuse-log", about: "the same, and logs a line", service: `${gate}-log`, ...refused, bare: "static-log", js: "js-refuse" },
    { name: "offer", about: "no token: 402, JSON", service: gate, ...offered, bare: "static-offer" },
    { name: "page", about: "no token: 402, page", service: gate, ...page, bare: "static-page" },
  ];
  const ofGates = Object.keys(gates).flatMap((gate) =>
    of(gate).map((target) => ({ ...target, name: `${gate}-${target.name}`, about: `Tollgate: ${target.about}` })),
  );
  return [...bases, ...ofGates];
}

// Each target whose answer a constant Worker repeats, by the name of that answer.
const CAPTURED = { quota: "refuse", offer: "offer", page: "page" };

/** Asks the first gate once for each of its answers. */
async function capture(scene, services) {
  const gate = Object.keys(scene.gates)[0];
  const runtime = await startRuntime(join(scene.folder, "capture"), services);
  try {
    const targets = targetsOf(scene);
    const answers = {};
    for (const [name, suffix] of Object.entries(CAPTURED)) {
      const target = targets.find((one) => one.name === `${gate}-${suffix}`);
      const url = `http://127.0.0.1:${runtime.ports[target.service]}${target.path}`;
      for (let requests = 0; requests < (target.warmUp ?? 0); requests += 1) {
        await (await fetch(url, { headers: target.headers })).text();
      }
      const response = await fetch(url, { headers: target.headers });
      const body = await response.text();
      if (response.status !== target.status) throw new Error(`${target.name}: ${response.status} ${body}`);
      const headers = Object.fromEntries([...response.headers].filter(([header]) => !OF_THE_SERVER.has(header)));
      answers[name] = { status: response.status, headers, body };
    }
    return answers;
  } finally {
    await runtime.stop();
  }
}

// The runtime's server sets these itself.
const OF_THE_SERVER = new Set(["connection", "content-encoding", "content-length", "date", "transfer-encoding"]);

function staticService(name, { status, headers, body }, more = []) {
  return {
    name: name.startsWith("static-") ? name : `static-${name}`,
    modules: [{ name: "main.mjs", file: `${WORKERS}static.mjs` }],
    bindings: [{ name: "STATUS", json: status }, { name: "HEADERS", json: headers }, { name: "BODY", text: body }, ...more],
    listens: true,
  };
}

function jsGateService({ issuer }, name, code, more) {
  const plans = { pro: { limit: PLENTY, entitlements: ["premium"] }, free: { limit: FEW, entitlements: ["basic"] } };
  return {
    name,
    modules: [{ name: "main.mjs", code }],
    objects: ["Counter"],
    bindings: [
      SITE,
      { name: "JWKS", json: issuer.jwks },
      { name: "ISSUER", text: ISSUER },
      { name: "AUDIENCE", text: AUDIENCE },
      { name: "PLANS", json: plans },
      { name: "COUNTER", object: "Counter" },
      ...more,
    ],
    listens: true,
  };
}

function gateVariants(scene, name, root) {
  const quiet = { name: "LOG", text: "off" };
  const key = { name: "ASSERTION_KEY", text: JSON.stringify(scene.issuer.privateJwk) };
  return [
    gateService(scene, name, root, [quiet]),
    gateService(scene, `${name}-assert`, root, [quiet, key]),
    gateService(scene, `${name}-log`, root, []),
  ];
}

function gateService({ issuer }, name, root, more) {
  const base = root ?? ROOT;
  const vars = JSON.parse(readFileSync(new URL("gate-vars.json", import.meta.url), "utf8"));
  vars.ISSUERS[0].keys = issuer.jwks;
  Object.assign(vars.ISSUERS[0], { iss: ISSUER, audience: [AUDIENCE] });
  return {
    name,
    modules: [
      { name: "src/edge/entry.mjs", file: join(base, "src/edge/entry.mjs") },
      { name: "build/index.js", file: join(base, "build/index.js") },
      { name: "build/index_bg.wasm", file: join(base, "build/index_bg.wasm") },
      { name: "build/backstage/index.js", file: join(base, "build/backstage/index.js") },
      { name: "build/backstage/index_bg.wasm", file: join(base, "build/backstage/index_bg.wasm") },
    ],
    objects: ["Ledger", "Inbox", "KeyDirectory", "ReaderRegistry", "Settings"],
    bindings: [
      SITE,
      { name: "ORIGIN", text: "service:SITE" },
      ...Object.entries(vars).map(([variable, json]) => ({ name: variable, json })),
      { name: "LEDGER", object: "Ledger" },
      ...more,
    ],
    listens: true,
  };
}

function makeTokens({ folder, issuer }) {
  const lines = (count, claims) => Array.from({ length: count }, (_, index) => issuer.mint(claims(index))).join("\n");
  const newFile = join(folder, "new-tokens");
  const accountsFile = join(folder, "account-tokens");
  writeFileSync(newFile, lines(NEW_TOKENS, (index) => ({ sub: "alice", plan: "pro", jti: `token-${index}` })));
  writeFileSync(accountsFile, lines(ACCOUNTS, (index) => ({ sub: `account-${index}`, plan: "pro" })));
  return {
    known: issuer.mint({ sub: "alice", plan: "pro" }),
    hot: issuer.mint({ sub: "carol", plan: "pro" }),
    spent: issuer.mint({ sub: "bob", plan: "free" }),
    newFile,
    accountsFile,
  };
}

async function bundled(name) {
  const result = await build({
    entryPoints: [join(WORKERS, name)],
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2023",
    conditions: ["workerd", "worker", "browser"],
    external: ["cloudflare:workers"],
    write: false,
  });
  return result.outputFiles[0].text;
}
