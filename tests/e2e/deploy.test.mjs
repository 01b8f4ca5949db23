// The shipped configuration can be deployed: `npm run deploy -- --dry-run`, without any network.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";

const ROOT = resolve(import.meta.dirname, "../..");
/** Nobody listens here: whatever tries to reach the network fails. */
const NOWHERE = "http://127.0.0.1:1";

let folder;
let said;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "tollgate-deploy-"));
  const env = { ...process.env, HTTP_PROXY: NOWHERE, HTTPS_PROXY: NOWHERE, https_proxy: NOWHERE };
  delete env.NODE_TEST_CONTEXT;
  const args = ["run", "deploy", "--", "--dry-run", "--outdir", folder];
  const { stdout, stderr } = await promisify(execFile)("npm", args, { cwd: ROOT, env });
  said = stdout + stderr;
});

after(() => rm(folder, { recursive: true, force: true }));

test("wrangler accepts the configuration and stops before the upload", () => {
  assert.match(said, /--dry-run: exiting now/);
  assert.doesNotMatch(said, /\bWARNING\b/);
});

test("every class of objects and the configuration are bound", () => {
  const objects = ["LEDGER", "INBOX", "KEY_DIRECTORY", "READER_REGISTRY", "SETTINGS"];
  for (const name of [...objects, "ORIGIN", "ROUTES"]) assert.match(said, new RegExp(`env\\.${name} `));
});

test("the bundle holds both modules and the entry", async () => {
  const files = await readdir(folder);
  assert.equal(files.filter((name) => name.endsWith(".wasm")).length, 2, String(files));
  assert.ok(files.includes("entry.js"), String(files));
});
