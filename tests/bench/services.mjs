// The Workers: origins, those that do less than the gate, the gate by hand, and built gates.

import { existsSync, readFileSync } from "node:fs";
import { dirname, join, posix } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { AUDIENCE, ISSUER } from "./tokens.mjs";

export const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const WORKERS = fileURLToPath(new URL("workers/", import.meta.url));

/** Units an account may use: never used up, and used up by the warm-up. */
const PLENTY = 1_000_000_000;
export const FEW = 3;

const SITE = { name: "SITE", service: "origin" };

/** The origin behind every gate. */
export const ORIGIN = plainService("origin", "origin.mjs", []);
/** One in its place that says which headers reached it. */
export const ECHO = plainService("origin", "echo.mjs", []);
/** The least that can stand before an origin. */
export const PASS = { ...plainService("pass", "pass.mjs", [SITE]), listens: true };

/** A Worker that gives a captured answer. */
export function staticService(name, { status, headers, body }, more = []) {
  const bindings = [{ name: "STATUS", json: status }, { name: "HEADERS", json: headers }, { name: "BODY", text: body }, ...more];
  return { ...plainService(name, "static.mjs", bindings), listens: true };
}

/** A Worker that sets captured headers, `{ request, response }`. */
export function headersService({ request, response }) {
  const bindings = [SITE, { name: "REQUEST", json: request }, { name: "RESPONSE", json: response }];
  return { ...plainService("js-headers", "headers.mjs", bindings), listens: true };
}

/** The gate by hand. `more` are METER and REMEMBER. */
export async function jsGateService({ issuer }, name, ...more) {
  jsGate ??= await bundled("gate.mjs");
  const quota = (per, limit = PLENTY) => ({ per, limit });
  const plans = {
    free: { quotas: [quota("month", FEW)], entitlements: ["basic"] },
    pro: { quotas: [quota("month")], entitlements: ["premium"] },
    trio: { quotas: ["month", "day", "hour"].map((per) => quota(per)), entitlements: ["premium"] },
  };
  return {
    name,
    modules: [{ name: "main.mjs", code: jsGate }],
    objects: ["Counter"],
    bindings: [
      SITE,
      { name: "JWKS", json: issuer.jwks },
      { name: "ISSUER", text: ISSUER },
      { name: "AUDIENCE", text: AUDIENCE },
      { name: "PLANS", json: plans },
      { name: "COUNTER", object: "Counter" },
      ...flags(more),
    ],
    listens: true,
  };
}

let jsGate;

/** A built gate of the checkout `root`; it writes no log unless `more` says so. */
export function gateService({ issuer }, name, root, more = [{ name: "LOG", text: "off" }]) {
  const vars = JSON.parse(readFileSync(new URL("gate-vars.json", import.meta.url), "utf8"));
  Object.assign(vars.ISSUERS[0], { keys: issuer.jwks, iss: ISSUER, audience: [AUDIENCE] });
  const objects = objectBindings(root);
  return {
    name,
    modules: modulesOf(root, "src/edge/entry.mjs"),
    objects: objects.map(({ object }) => object),
    bindings: [
      SITE,
      { name: "ORIGIN", text: "service:SITE" },
      ...Object.entries(vars).map(([variable, json]) => ({ name: variable, json })),
      ...objects,
      ...more,
    ],
    listens: true,
  };
}

/** The same, and what its objects are billed for is counted. */
export function countingService(scene, name, root) {
  const gate = gateService(scene, name, root);
  return { ...gate, modules: [main(gate, "counting.mjs"), worker("counting.mjs"), worker("counts.mjs"), ...gate.modules] };
}

/**
 * The objects of a built gate behind a Worker that hands them the messages of `remoteService`, with
 * ONE in `more` all to one of them.
 */
export function driveService(scene, name, root, ...more) {
  const gate = gateService(scene, name, root);
  const modules = [main(gate, "drive.mjs"), worker("drive.mjs"), worker("counts.mjs"), ...gate.modules];
  return { ...gate, modules, bindings: [...gate.bindings, { name: "CLASS", text: accountBinding(gate) }, ...flags(more)] };
}

/** A built gate that asks the service at `address` in the place of its own accounts. */
export function remoteService(scene, name, root, address) {
  const gate = gateService(scene, name, root);
  const code = `export { default } from "./remote.mjs"; export { ${gate.objects.join(", ")} } from "./src/edge/entry.mjs";`;
  const modules = [{ name: "main.mjs", code }, worker("remote.mjs"), ...gate.modules];
  const bindings = [...gate.bindings, { name: "CLASS", text: accountBinding(gate) }, { name: "REMOTE", service: "ledger" }];
  return [{ name: "ledger", address }, { ...gate, modules, bindings }];
}

function plainService(name, file, bindings) {
  return { name, modules: [{ name: "main.mjs", file: `${WORKERS}${file}` }], bindings };
}

function flags(names) {
  return names.map((name) => ({ name, json: true }));
}

function worker(file) {
  return { name: file, file: `${WORKERS}${file}` };
}

function main({ objects }, file) {
  const classes = objects.map((name) => `export const ${name} = counted(gate.${name});`);
  const code = `import * as gate from "./src/edge/entry.mjs"; import { counted } from "./counts.mjs";
    export { default } from "./${file}"; ${classes.join(" ")}`;
  return { name: "main.mjs", code };
}

// The binding of the accounts' class: by its name, else the first that a checkout declares.
function accountBinding({ bindings }) {
  const objects = bindings.filter(({ object }) => object !== undefined);
  return (objects.find(({ name }) => name === "LEDGER") ?? objects[0]).name;
}

// The classes of Durable Objects that a checkout declares in its `wrangler.toml`.
function objectBindings(root) {
  const text = readFileSync(join(root, "wrangler.toml"), "utf8");
  const tables = text.matchAll(/^\[\[durable_objects\.bindings\]\]\s+name = "(\w+)"\s+class_name = "(\w+)"/gm);
  return [...tables].map(([, name, object]) => ({ name, object }));
}

// A module and all that it imports, as far as they are files of the checkout.
function modulesOf(root, entry) {
  const found = new Map();
  const visit = (name) => {
    const file = join(root, name);
    if (found.has(name) || !existsSync(file)) return;
    found.set(name, { name, file });
    if (name.endsWith(".wasm")) return;
    const imports = readFileSync(file, "utf8").matchAll(/(?:\bfrom|\bimport)\s*\(?\s*["'](\.[^"']+)["']/g);
    for (const [, path] of imports) visit(posix.join(dirname(name), path));
  };
  visit(entry);
  return [...found.values()];
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
