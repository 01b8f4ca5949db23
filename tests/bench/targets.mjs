// The targets of the loaded rounds: the Workers, and the requests to each of them.

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { captureAnswers, captureHeaders } from "./capture.mjs";
import { gateService, headersService, jsGateService, ORIGIN, PASS, FEW, staticService } from "./services.mjs";
import { makeIssuer } from "./tokens.mjs";

/** More than one isolate remembers (4,096), so that in turn each of them is new when it comes back. */
const NEW_TOKENS = 8_192;
/** The metered targets spread their requests over this many accounts. */
const ACCOUNTS = 300;

/**
 * The Workers and the targets. Needs `folder` for files; `gates` maps the name of each gate to the
 * checkout it is taken from.
 */
export async function prepare(folder, gates) {
  const scene = { folder, issuer: makeIssuer(), gates, gate: Object.keys(gates)[0] };
  scene.tokens = makeTokens(scene);
  const gateServices = Object.entries(gates).flatMap(([name, root]) => gateVariants(scene, name, root));
  scene.targets = targetsOf(scene);
  const answers = await captureAnswers(scene, gateServices);
  const headers = await captureHeaders(scene, gateServices);
  scene.services = [
    ORIGIN,
    PASS,
    headersService(headers),
    ...Object.entries(answers).map(([name, answer]) => staticService(`static-${name}`, answer)),
    staticService("static-log", answers.quota, [{ name: "LOG", json: true }]),
    await jsGateService(scene, "js-token"),
    await jsGateService(scene, "js-metered", "METER"),
    await jsGateService(scene, "js-cached-token", "REMEMBER"),
    await jsGateService(scene, "js-cached", "REMEMBER", "METER"),
    ...gateServices,
  ];
  return scene;
}

/** A Worker of the scene and all that it needs, for a runtime of its own. */
export function alone({ services }, name) {
  return [ORIGIN, services.find((service) => service.name === name)];
}

/** What a request carries beside its credential: about what a CDN hands an API's Worker. */
const COMMON_HEADERS = {
  "user-agent": "example-client/3.2 (linux; x86_64)",
  "accept-encoding": "gzip, br",
  "accept-language": "en-GB,en;q=0.8",
  "cf-connecting-ip": "203.0.113.7",
  "cf-ray": "8f2c1a9b7d3e4f50-FRA",
  "x-forwarded-proto": "https",
};

export const JSON_HEADERS = { ...COMMON_HEADERS, accept: "application/json" };
const PAGE_HEADERS = {
  ...COMMON_HEADERS,
  accept: "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
  "sec-fetch-mode": "navigate",
  "sec-fetch-site": "none",
};

/** The path of every counted request. */
export const COUNTED_PATH = "/api/things";

// `bare`: the least JavaScript that does as much. `js`: the hand-written gate doing the same job.
// `headersOnly`: only the gate's changes to headers. `cached`: the hand-written gate that remembers
// verified tokens.
function targetsOf({ tokens, gates }) {
  const known = { ...JSON_HEADERS, authorization: `Bearer ${tokens.known}` };
  const spent = { ...JSON_HEADERS, authorization: `Bearer ${tokens.spent}` };
  const article = { path: "/articles/1", status: 200 };
  const counted = { path: COUNTED_PATH, headers: JSON_HEADERS, tokensFile: tokens.accountsFile, status: 200, warmUp: 2 * ACCOUNTS };
  const hot = { path: COUNTED_PATH, headers: { ...JSON_HEADERS, authorization: `Bearer ${tokens.hot}` }, status: 200, warmUp: 50 };
  const refused = { path: COUNTED_PATH, headers: spent, status: 402, warmUp: 2 * FEW };
  const offered = { path: "/articles/1", headers: JSON_HEADERS, status: 402 };
  const page = { path: "/articles/1", headers: PAGE_HEADERS, status: 402 };
  const news = { ...article, headers: JSON_HEADERS, tokensFile: tokens.newFile };
  const bases = [
    { name: "pass-through", about: "JS: hands the request to the origin", service: "pass", ...article, headers: known },
    { name: "js-headers", about: "JS: copies and sets the gate's headers, checks nothing", service: "js-headers", ...hot },
    { name: "static-quota", about: "JS: a constant 402 as gate-refuse gives", service: "static-quota", ...refused },
    { name: "static-log", about: "the same, and logs a line", service: "static-log", ...refused },
    { name: "static-offer", about: "JS: a constant 402 as gate-offer gives", service: "static-offer", ...offered },
    { name: "static-page", about: "JS: a constant page as gate-page gives", service: "static-page", ...page },
    { name: "js-token", about: "JS gate with jose: checks the token", service: "js-token", ...article, headers: known },
    { name: "js-new", about: "the same, a new token each time", service: "js-token", ...news },
    { name: "js-metered", about: `the same, and counts in a Durable Object, over ${ACCOUNTS} accounts`, service: "js-metered", ...counted },
    { name: "js-hot", about: "the same for one account", service: "js-metered", ...hot },
    { name: "js-refuse", about: "the same, quota used up", service: "js-metered", ...refused },
    { name: "js-cached-token", about: "js-token that remembers tokens", service: "js-cached-token", ...article, headers: known },
    { name: "js-cached", about: "js-metered that remembers tokens", service: "js-cached", ...counted },
    { name: "js-cached-hot", about: "the same for one account", service: "js-cached", ...hot },
  ];
  const of = (gate) => [
    { name: "open", about: "open route", service: gate, path: "/", headers: known, status: 200, bare: "pass-through" },
    { name: "known", about: "token seen before", service: gate, ...article, headers: known, bare: "pass-through", js: "js-token", cached: "js-cached-token" },
    { name: "assert", about: "the same, and a signed assertion", service: `${gate}-assert`, ...article, headers: known, bare: "pass-through", js: "js-token" },
    { name: "new", about: "a new token each time", service: gate, ...news, bare: "pass-through", js: "js-new" },
    { name: "metered", about: `counted, over ${ACCOUNTS} accounts`, service: gate, ...counted, bare: "pass-through", headersOnly: "js-headers", js: "js-metered", cached: "js-cached" },
    { name: "hot", about: "counted, one account", service: gate, ...hot, bare: "pass-through", headersOnly: "js-headers", js: "js-hot", cached: "js-cached-hot" },
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

function gateVariants(scene, name, root) {
  const quiet = { name: "LOG", text: "off" };
  const key = { name: "ASSERTION_KEY", text: JSON.stringify(scene.issuer.privateJwk) };
  return [
    gateService(scene, name, root, [quiet]),
    gateService(scene, `${name}-assert`, root, [quiet, key]),
    gateService(scene, `${name}-log`, root, []),
  ];
}

/**
 * Writes a file with a token a line, for `count` accounts of a plan whose names begin with `group`.
 */
export function writeTokens({ folder, issuer }, group, plan, count) {
  const file = join(folder, `tokens-${group}-${plan}`);
  const lines = Array.from({ length: count }, (_, index) => issuer.mint({ sub: `${group}-${index}`, plan }));
  writeFileSync(file, lines.join("\n"));
  return file;
}

function makeTokens(scene) {
  const { folder, issuer } = scene;
  const newFile = join(folder, "new-tokens");
  const news = Array.from({ length: NEW_TOKENS }, (_, index) => issuer.mint({ sub: "alice", plan: "pro", jti: `token-${index}` }));
  writeFileSync(newFile, news.join("\n"));
  return {
    known: issuer.mint({ sub: "alice", plan: "pro" }),
    hot: issuer.mint({ sub: "carol", plan: "pro" }),
    spent: issuer.mint({ sub: "bob", plan: "free" }),
    newFile,
    accountsFile: writeTokens(scene, "account", "pro", ACCOUNTS),
  };
}
