// npm test: every ring of tests, the cheap ones first; the first that fails ends it.

import { globSync } from "node:fs";
import { build } from "./build.mjs";
import { check } from "./check.mjs";
import { mustRun, Problem, script } from "./process.mjs";
import {
  findApache,
  findChromium,
  findLighttpd,
  findNginx,
  findPhpCgi,
  findSchemathesis,
  findUwsgi,
} from "./programs.mjs";
import { ROOT } from "./setup.mjs";

const IN_CI = Boolean(process.env.CI) && process.env.CI !== "false";
/** No single test takes longer, unless it says so itself. */
const TEST_TIMEOUT_MS = 180_000;
/** Each test file runs a runtime of its own; more at a time only make each other late. */
const FILES_AT_ONCE = 2;

/** Servers that stand behind the gate in the tests: where each is found, its name, and its package. */
const ORIGINS = [
  ["LIGHTTPD_BIN", "lighttpd with mod_cgi", "lighttpd"],
  ["APACHE_BIN", "Apache with mod_cgi", "apache2-bin"],
  ["PHP_CGI_BIN", "PHP by FastCGI", "php-cgi"],
  ["UWSGI_BIN", "uWSGI with Python", "uwsgi-core uwsgi-plugin-python3"],
];

const skipped = [];

await script(async () => {
  const programs = testPrograms();
  await ring("Format, lints, configuration", check);
  await ring("Native tests", nativeTests);
  await ring("Build", () => build("release"));
  await ring("Build with panic drills", () => build("drills"));
  await ring("End-to-end tests", () => nodeTests("tests/e2e/**/*.test.mjs", programs));
  if (programs.CHROMIUM_BIN) {
    await ring("Browser tests", () => nodeTests("tests/browser/**/*.test.mjs", programs));
  }
  console.log(skipped.length === 0 ? "\nAll tests passed." : "\nAll tests that could run have passed.");
  for (const line of skipped) console.log(`SKIPPED: ${line}`);
});

async function ring(name, work) {
  console.log(`\n── ${name} ──`);
  const begun = performance.now();
  await work();
  console.log(`── ${name}: passed in ${((performance.now() - begun) / 1_000).toFixed(1)} s`);
}

function nativeTests() {
  const args = ["test", "--features", "cli"];
  return mustRun("cargo test", "cargo", args, { ownGroup: true, cwd: ROOT });
}

async function nodeTests(pattern, programs) {
  const files = globSync(pattern, { cwd: ROOT }).sort();
  if (files.length === 0) throw new Problem(`No tests match ${pattern}.`);
  const flags = ["--test", `--test-concurrency=${FILES_AT_ONCE}`, `--test-timeout=${TEST_TIMEOUT_MS}`];
  const env = { ...process.env, ...programs };
  await mustRun(pattern, process.execPath, [...flags, ...files], { ownGroup: true, cwd: ROOT, env });
}

/** Where the tests find the programs that no registry brings; without them CI fails at once. */
function testPrograms() {
  const found = {
    CHROMIUM_BIN: findChromium(),
    NGINX_BIN: findNginx(),
    LIGHTTPD_BIN: findLighttpd(),
    APACHE_BIN: findApache()?.program ?? null,
    PHP_CGI_BIN: findPhpCgi(),
    UWSGI_BIN: findUwsgi(),
    SCHEMATHESIS_BIN: findSchemathesis(),
  };
  const missing = [];
  if (!found.CHROMIUM_BIN) missing.push(["the browser tests need Chromium or Chrome", "chromium"]);
  if (!found.NGINX_BIN) missing.push(["the tests against nginx need nginx", "nginx-light"]);
  for (const [name, program, debian] of ORIGINS) {
    if (!found[name]) missing.push([`the tests against ${program} need it`, debian]);
  }
  if (!found.SCHEMATHESIS_BIN) missing.push(["the test of the OpenAPI document needs Python 3 with venv", "python3-venv"]);
  for (const [what, debian] of missing) {
    const how = `Debian/Ubuntu: sudo apt-get install ${debian}; elsewhere: your system's package`;
    if (IN_CI) throw new Problem(`Not to be skipped in CI: ${what}. ${how}.`);
    skipped.push(`${what}. ${how}.`);
    console.warn(`WILL BE SKIPPED: ${skipped.at(-1)}`);
  }
  return Object.fromEntries(Object.entries(found).filter(([, path]) => path !== null));
}
