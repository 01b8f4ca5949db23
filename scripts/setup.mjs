// Brings the tools: npm packages and the WASM target. Tools that are there already are left alone,
// which takes well under a second. Runs on any Node from 20 on, without packages.

import { existsSync, readFileSync } from "node:fs";
import { delimiter, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { locked } from "./lock.mjs";
import { mustRun, output, Problem } from "./process.mjs";
import { findSchemathesis, SCHEMATHESIS_VERSION } from "./programs.mjs";

/** The project's folder. */
export const ROOT = resolve(fileURLToPath(import.meta.url), "../..");

const TOOLS = join(ROOT, ".tools");
const BIN = join(ROOT, "node_modules/.bin");
const TARGET = "wasm32-unknown-unknown";
const NODE_MINIMUM = [22, 12]; // wrangler's own minimum

/**
 * Installs what is missing and returns the environment for every further step.
 * `rust: false` leaves the Rust side out, `lints: true` adds rustfmt and clippy, `fuzz: true` what
 * asks the API all that its document allows.
 */
export async function setup({ rust = true, lints = false, fuzz = false } = {}) {
  process.chdir(ROOT);
  const env = environment();
  await locked(join(TOOLS, "setup.lock"), "installing tools", async () => {
    if (!packagesAreCurrent()) await installPackages(env);
    if (!rust) return;
    checkRust();
    await addTarget();
    if (lints) await addLints();
    if (fuzz) await installSchemathesis();
  });
  return { ...env, NODE: nodeFrom(env) };
}

/** The Node that wrangler needs: the project's own, or the running one where that is new enough. */
function nodeFrom(env) {
  for (const node of [join(BIN, "node"), process.execPath]) {
    const version = output(node, ["--version"], { env });
    const [major, minor] = (version ?? "v0.0").slice(1).split(".").map(Number);
    if (major > NODE_MINIMUM[0] || (major === NODE_MINIMUM[0] && minor >= NODE_MINIMUM[1])) return node;
  }
  throw new Problem(
    `Node ${NODE_MINIMUM.join(".")} or newer is needed, and the npm package \`node\` did not bring one here.\n` +
      "Install it from https://nodejs.org/ and try again.",
  );
}

function environment() {
  const own = { WRANGLER_SEND_METRICS: "false", CLOUDFLARE_CF_FETCH_ENABLED: "false" };
  const path = [BIN, process.env.PATH].join(delimiter);
  return { ...own, ...process.env, PATH: path };
}

// ---- npm packages

/** Compares contents, not times: a copied or freshly checked out folder must not fool it. */
function packagesAreCurrent() {
  const wanted = lockedPackages(join(ROOT, "package-lock.json"));
  const present = lockedPackages(join(ROOT, "node_modules/.package-lock.json"));
  if (wanted === null) throw new Problem("package-lock.json is missing or damaged.");
  return (
    present !== null &&
    Object.entries(wanted).every(([path, { version, optional }]) =>
      path === "" || (present[path] ? present[path].version === version : optional === true),
    )
  );
}

function lockedPackages(path) {
  try {
    return JSON.parse(readFileSync(path, "utf8")).packages;
  } catch {
    return null;
  }
}

async function installPackages(env) {
  console.log("Installing npm packages (about 500 MB; half a minute on a fast line) …");
  // If npm started us, its own script is the surest way to find it again.
  const npm = process.env.npm_execpath;
  const [command, first] = npm?.endsWith(".js") ? [process.execPath, [npm]] : ["npm", []];
  const args = [...first, "ci", "--no-audit", "--no-fund", "--include=dev", "--include=optional", "--loglevel=error"];
  // Not through our own PATH: what `npm ci` replaces must not be what runs it.
  const plain = { ...env, PATH: process.env.PATH };
  await mustRun("npm ci", command, args, { env: plain });
}

// ---- Rust

function checkRust() {
  const version = output("rustc", ["--version"])?.split(" ")[1];
  if (version === undefined || output("cargo", ["--version"]) === null) {
    throw new Problem(
      "Rust is missing: `rustc` and `cargo` were not found.\n" +
        "Install it from https://rustup.rs/ , open a new terminal and try again.",
    );
  }
  if (output("cc", ["--version"]) === null) {
    throw new Problem(
      "A C compiler (linker) is missing.\n" +
        "Debian/Ubuntu: sudo apt-get install build-essential    Fedora: sudo dnf install gcc    macOS: xcode-select --install",
    );
  }
  const wanted = /^rust-version = "(.+)"$/m.exec(readFileSync(join(ROOT, "Cargo.toml"), "utf8"))?.[1];
  if (wanted && version.localeCompare(wanted, "en", { numeric: true }) < 0) {
    throw new Problem(`Rust ${wanted} or newer is needed, this is ${version}.\nRun: rustup update stable`);
  }
}

async function addTarget() {
  const sysroot = output("rustc", ["--print", "sysroot"]);
  if (sysroot && existsSync(join(sysroot, "lib/rustlib", TARGET))) return;
  requireRustup(`the Rust target ${TARGET}`);
  console.log(`Adding the Rust target ${TARGET} (a few seconds) …`);
  await mustRun("rustup", "rustup", ["target", "add", TARGET]);
}

async function addLints() {
  const missing = [["rustfmt", "fmt"], ["clippy", "clippy"]]
    .filter(([, command]) => output("cargo", [command, "--version"]) === null)
    .map(([component]) => component);
  if (missing.length === 0) return;
  requireRustup(missing.join(" and "));
  console.log(`Adding ${missing.join(" and ")} to Rust (a few seconds) …`);
  await mustRun("rustup", "rustup", ["component", "add", ...missing]);
}

function requireRustup(what) {
  if (output("rustup", ["--version"]) !== null) return;
  throw new Problem(
    `${what} is missing, and without rustup it can't be added.\n` +
      "Install rustup from https://rustup.rs/ , or the package of your system that holds it.",
  );
}

// ---- Schemathesis

/** Into an environment of its own. Where that can't be, it is left out, and `npm test` says so. */
async function installSchemathesis() {
  if (findSchemathesis() !== null || output("python3", ["-c", "import venv, ensurepip"]) === null) return;
  console.log(`Installing schemathesis ${SCHEMATHESIS_VERSION} into .tools (half a minute, once) …`);
  const folder = join(TOOLS, "schemathesis");
  const args = ["install", "--quiet", "--disable-pip-version-check", `schemathesis==${SCHEMATHESIS_VERSION}`];
  try {
    await mustRun("python3 -m venv", "python3", ["-m", "venv", "--clear", folder]);
    await mustRun("pip install schemathesis", join(folder, "bin/pip"), args);
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    console.warn(error.message);
  }
}
