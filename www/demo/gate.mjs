// Makes the demo gate's configuration: gate.toml plus what only this run knows (ports, fresh keys).

import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { calculateJwkThumbprint, exportJWK, generateKeyPair, importJWK } from "jose";
import { parse } from "smol-toml";

/** Everything lives in this folder of the project, which git ignores. */
export const FOLDER = ".wrangler/demo";

/** Keys of the sign-in service and the gate, kept between runs so that old cookies still work. */
export async function demoKeys(root) {
  const path = join(root, FOLDER, "keys.json");
  const stored = readJson(path) ?? {
    login: await newKey(),
    assertion: await newKey(),
    adminToken: randomBytes(24).toString("base64url"),
  };
  stored.gateSecret ??= randomBytes(32).toString("base64url");
  stored.allowanceKey ??= randomBytes(32).toString("base64");
  stored.providerKey ??= `sk_test_${randomBytes(18).toString("hex")}`;
  stored.webhookSecret ??= `whsec_${randomBytes(24).toString("hex")}`;
  mkdirSync(join(root, FOLDER), { recursive: true });
  writeFileSync(path, JSON.stringify(stored), { mode: 0o600 });
  const login = {
    kid: stored.login.kid,
    privateKey: await importJWK(stored.login, "EdDSA"),
    publicKey: await importJWK(publicPart(stored.login), "EdDSA"),
  };
  return { login, loginJwk: publicPart(stored.login), assertionJwk: publicPart(stored.assertion), stored };
}

/** What gate.toml says, with the ports and keys of this run. */
export function readGate(root, { gateUrl, originPort, providerUrl, loginJwk }) {
  const text = readFileSync(join(root, "www/demo/gate.toml"), "utf8");
  // The addresses that gate.toml shows are those of the default ports.
  const config = parse(text.replaceAll("http://127.0.0.1:8787", gateUrl));
  config.vars.ORIGIN = `http://127.0.0.1:${originPort}`;
  for (const billing of config.vars.BILLING) billing.api_url = providerUrl;
  for (const issuer of config.vars.ISSUERS) issuer.keys = { keys: [loginJwk] };
  return config;
}

/**
 * Writes wrangler's configuration and secrets, forgets the last run's ledger; returns the path. `served`
 * is the Worker's entry and the command that builds it.
 */
export function writeGate(root, { gateUrl, originPort, providerUrl, keys, served }) {
  const config = readGate(root, { gateUrl, originPort, providerUrl, loginJwk: keys.loginJwk });
  const up = (path) => join("../..", path);
  config.main = up(served.main);
  config.build.command = served.command;
  config.build.watch_dir = config.build.watch_dir.map(up);

  const folder = join(root, FOLDER);
  rmSync(join(folder, "state"), { recursive: true, force: true });
  const secrets = [
    `ADMIN_TOKEN='${keys.stored.adminToken}'`,
    `GATE_SECRET='${keys.stored.gateSecret}'`,
    `ALLOWANCE_KEY='${keys.stored.allowanceKey}'`,
    `STRIPE_API_KEY='${keys.stored.providerKey}'`,
    `STRIPE_WEBHOOK_SECRET='${keys.stored.webhookSecret}'`,
    `ASSERTION_KEY='${JSON.stringify(keys.stored.assertion)}'`,
  ];
  writeFileSync(join(folder, ".dev.vars"), `${secrets.join("\n")}\n`, { mode: 0o600 });
  const path = join(folder, "wrangler.json");
  writeFileSync(path, JSON.stringify(config, null, 2));
  return path;
}

async function newKey() {
  const { privateKey } = await generateKeyPair("EdDSA", { crv: "Ed25519", extractable: true });
  const jwk = await exportJWK(privateKey);
  return { ...jwk, kid: (await calculateJwkThumbprint(jwk)).slice(0, 8) };
}

function publicPart({ kty, crv, x, kid }) {
  return { kty, crv, x, kid, use: "sig" };
}

function readJson(path) {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch {
    return null;
  }
}
