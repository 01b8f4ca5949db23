// npm run build: the Worker, built into build/. With --drills: into build-drills/, with the panic
// drills that the tests need. With --quick: into build-quick/, for `npm start`. Nothing is done where
// nothing has changed.

import { createHash } from "node:crypto";
import { existsSync, globSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { buildBindgen, finish, generate, take } from "./generate.mjs";
import { locked } from "./lock.mjs";
import { mustRun, output, Problem, script } from "./process.mjs";
import { ROOT } from "./setup.mjs";

/**
 * What each module may weigh, compressed. The gate is what every request goes through;
 * backstage is loaded by who needs it: operators, payment providers, the Durable Objects.
 */
const BUDGET_GZIP_BYTES = { gate: 300_000, backstage: 400_000 };

const TARGET = "wasm32-unknown-unknown";
const GATE = ["--no-default-features"];
const DRILLS = ["--features", "drills"];
/** Nobody waits for what backstage computes: it is built for size. */
const FOR_SIZE = { CARGO_PROFILE_RELEASE_OPT_LEVEL: "z" };

/**
 * Each variant: its folder, its profile in Cargo.toml, the features of both modules, and what backstage
 * is compiled with beyond the profile. Only build/ is ever deployed or measured: wrangler.toml names it.
 */
const VARIANTS = {
  release: { outDir: "build", profile: "release", gate: GATE, backstage: [], settings: FOR_SIZE },
  drills: { outDir: "build-drills", profile: "release", gate: [...GATE, ...DRILLS], backstage: DRILLS, settings: FOR_SIZE },
  // Both modules with the same settings: what they depend on is compiled once.
  quick: { outDir: "build-quick", profile: "quick", gate: GATE, backstage: [], settings: {} },
};

const ENTRY = "src/edge/entry.mjs";
/** The Worker's entry in front of the quick build. */
export const QUICK_ENTRY = "build-quick/entry.mjs";

/** Builds one variant: `release`, `drills` or `quick`. Needs the environment from `with-tools.mjs`. */
export async function build(variant = "release") {
  const { outDir, profile, gate, backstage, settings } = VARIANTS[variant];
  const modules = [
    { outDir, profile, features: gate, settings: {}, state: "__tollgate_gate_state" },
    { outDir: join(outDir, "backstage"), profile, features: backstage, settings, state: "__tollgate_backstage_state" },
  ];
  await locked(join(ROOT, ".tools/build.lock"), "building", () => buildModules(modules));
  if (variant === "quick") return writeEntry();
  reportSize(outDir, BUDGET_GZIP_BYTES.gate);
  reportSize(join(outDir, "backstage"), BUDGET_GZIP_BYTES.backstage);
}

/** Cargo compiles one module after the other. The first is finished while it compiles the second. */
async function buildModules(modules) {
  const outdated = modules.map((module) => ({ ...module, inputs: fingerprint(module) })).filter((module) => !isCurrent(module));
  if (outdated.length === 0) return;
  console.log(`Building ${modules[0].outDir}/ (a few minutes from nothing, less afterwards) …`);
  let besides = [buildBindgen()];
  for (const module of outdated) {
    mkdirSync(join(ROOT, module.outDir), { recursive: true });
    const [compiled] = await Promise.all([compile(module), ...besides]);
    // Taken away before cargo writes the other module to the same place.
    take(compiled, module.outDir);
    besides = [finishModule(module)];
  }
  await Promise.all(besides);
}

/** Compiles the crate and returns the path of the module. */
async function compile({ profile, features, settings }) {
  const args = ["build", "--quiet", "--lib", "--target", TARGET, "--profile", profile, ...features];
  // For the macros of wasm-bindgen: async functions need nothing beyond the crate `js-sys`.
  const env = { ...process.env, ...settings, WASM_BINDGEN_USE_JS_SYS: "1" };
  await mustRun("cargo build", "cargo", args, { cwd: ROOT, env });
  const metadata = output("cargo", ["metadata", "--no-deps", "--offline", "--format-version", "1"], { cwd: ROOT });
  return join(JSON.parse(metadata).target_directory, TARGET, profile, "tollgate.wasm");
}

async function finishModule({ outDir, profile, state, inputs }) {
  await generate(outDir);
  await finish(outDir, { state, optimise: profile === "release" });
  writeFileSync(stampPath(outDir), JSON.stringify({ inputs, wasm: wasmIdentity(outDir) }));
}

/** `npm start` is served from here, and changes of the entry reach it by the next build. */
function writeEntry() {
  const entry = readFileSync(join(ROOT, ENTRY), "utf8");
  writeFileSync(join(ROOT, QUICK_ENTRY), entry.replaceAll("../../build/", "./"));
}

/** Cargo would notice on its own that nothing changed; wasm-opt and esbuild would not. */
function isCurrent({ outDir, inputs }) {
  if (!existsSync(stampPath(outDir)) || !existsSync(join(ROOT, outDir, "index.js"))) return false;
  const stamp = JSON.parse(readFileSync(stampPath(outDir), "utf8"));
  return stamp.inputs === inputs && stamp.wasm === wasmIdentity(outDir);
}

function fingerprint({ profile, features, settings }) {
  const hash = createHash("sha256");
  const environment = ["RUSTFLAGS", "CARGO_BUILD_RUSTFLAGS", "RUSTUP_TOOLCHAIN"].map((name) => process.env[name]);
  hash.update(JSON.stringify([profile, features, settings, environment, output("rustc", ["-vV"])]));
  const patterns = ["src/**/*.*", "www/**/*.*", "Cargo.{toml,lock}", "askama.toml", "package-lock.json"];
  const own = ["scripts/{build,generate}.mjs", "scripts/shim.js", "scripts/bindgen/**/*.*"];
  const files = globSync([...patterns, ...own], { cwd: ROOT })
    // The demo site, the command line and the entry in JavaScript are not compiled in.
    .filter((path) => !/^(www\/demo|src\/bin)\//.test(path) && path !== ENTRY)
    .sort();
  for (const path of files) {
    hash.update(`\0${path}\0`).update(readFileSync(join(ROOT, path)));
  }
  return hash.digest("hex");
}

/** Tells a module that somebody else has built meanwhile; empty where there is none. */
function wasmIdentity(outDir) {
  const found = statSync(wasmPath(outDir), { throwIfNoEntry: false });
  return found ? `${found.size} ${found.mtimeMs}` : "";
}

function reportSize(outDir, budget) {
  const wasm = readFileSync(wasmPath(outDir));
  const packed = gzipSync(wasm, { level: 9 }).length;
  const kilobytes = (bytes) => `${(bytes / 1_000).toFixed(1)} KB`;
  console.log(
    `${outDir}/index_bg.wasm: ${kilobytes(wasm.length)}, ${kilobytes(packed)} gzip ` +
      `(budget ${kilobytes(budget)})`,
  );
  if (packed > budget) throw new Problem(`The module in ${outDir}/ is over its size budget.`);
}

const stampPath = (outDir) => join(ROOT, outDir, ".stamp");
const wasmPath = (outDir) => join(ROOT, outDir, "index_bg.wasm");

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const wanted = Object.keys(VARIANTS).find((name) => process.argv.includes(`--${name}`));
  await script(() => build(wanted));
}
