// npm run build: the Worker, built into build/. With --drills: into build-drills/, with the panic
// drills that the tests need. Nothing is done where nothing has changed.

import { createHash } from "node:crypto";
import { existsSync, globSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { locked } from "./lock.mjs";
import { mustRun, output, Problem, script } from "./process.mjs";
import { ROOT } from "./setup.mjs";

/**
 * What each module may weigh, compressed. The gate is what every request goes through;
 * backstage is loaded by who needs it: operators, payment providers, the Durable Objects.
 */
const BUDGET_GZIP_BYTES = { gate: 300_000, backstage: 360_000 };

const GATE = ["--no-default-features"];
const VARIANTS = {
  release: { outDir: "build", gate: GATE, backstage: [] },
  // Never deployed: wrangler.toml names build/ alone.
  drills: { outDir: "build-drills", gate: [...GATE, "--features", "drills"], backstage: ["--features", "drills"] },
};

/** Nobody waits for what backstage computes: it is built for size. */
const FOR_SIZE = { CARGO_PROFILE_RELEASE_OPT_LEVEL: "z" };

/** Builds one variant, `release` or `drills`. Needs the environment from `with-tools.mjs`. */
export async function build(variant = "release") {
  const { outDir, gate, backstage } = VARIANTS[variant];
  await locked(join(ROOT, ".tools/build.lock"), "building", async () => {
    // The gate first: worker-build empties its folder.
    await buildModule(outDir, gate, {});
    await buildModule(join(outDir, "backstage"), backstage, FOR_SIZE);
  });
  reportSize(outDir, BUDGET_GZIP_BYTES.gate);
  reportSize(join(outDir, "backstage"), BUDGET_GZIP_BYTES.backstage);
}

async function buildModule(outDir, features, settings) {
  const inputs = fingerprint([...features, JSON.stringify(settings)]);
  if (isCurrent(outDir, inputs)) return;
  console.log(`Building ${outDir}/ (a minute or two from nothing, seconds afterwards) …`);
  // The order matters to worker-build: its own options, the path, then cargo's.
  const args = ["--release", "--out-dir", outDir, ".", ...features];
  const env = { ...process.env, ...settings };
  await mustRun("worker-build", process.env.WORKER_BUILD_BIN, args, { cwd: ROOT, env });
  setNamesAside(outDir);
  keepStateApart(outDir);
  writeFileSync(stampPath(outDir), JSON.stringify({ inputs, wasm: wasmIdentity(outDir) }));
}

/** What generated code knows of its instance stands in a global: each module has its own. */
function keepStateApart(outDir) {
  const path = join(ROOT, outDir, "index.js");
  const name = outDir.endsWith("backstage") ? "__tollgate_backstage_state" : "__tollgate_gate_state";
  const generated = readFileSync(path, "utf8");
  if (!generated.includes(GENERATED_STATE)) {
    throw new Problem(
      `${outDir}/index.js has no ${GENERATED_STATE}: worker-build generates other code than ` +
        "scripts/build.mjs expects, and the two modules would share their state.",
    );
  }
  writeFileSync(path, generated.replaceAll(GENERATED_STATE, `globalThis.${name}`));
}

const GENERATED_STATE = "globalThis.__worker_init_state";

/** Cargo would notice on its own that nothing changed; wasm-opt and esbuild would not. */
function isCurrent(outDir, inputs) {
  if (!existsSync(stampPath(outDir)) || !existsSync(join(ROOT, outDir, "index.js"))) return false;
  const stamp = JSON.parse(readFileSync(stampPath(outDir), "utf8"));
  return stamp.inputs === inputs && stamp.wasm === wasmIdentity(outDir);
}

function fingerprint(features) {
  const hash = createHash("sha256");
  const settings = ["RUSTFLAGS", "CARGO_BUILD_RUSTFLAGS", "RUSTUP_TOOLCHAIN"].map((name) => process.env[name]);
  hash.update(JSON.stringify([features, settings, output("rustc", ["-vV"])]));
  const patterns = ["src/**/*.*", "www/**/*.*", "Cargo.{toml,lock}", "askama.toml", "package-lock.json"];
  const files = globSync([...patterns, "scripts/build.mjs"], { cwd: ROOT })
    // The demo site, the command line and the entry in JavaScript are not compiled in.
    .filter((path) => !/^(www\/demo|src\/bin)\//.test(path) && path !== "src/edge/entry.mjs")
    .sort();
  for (const path of files) {
    hash.update(`\0${path}\0`).update(readFileSync(join(ROOT, path)));
  }
  return hash.digest("hex");
}

/** Leaves the names of functions to a copy that is never uploaded: a tenth of what is loaded. */
function setNamesAside(outDir) {
  const wasm = readFileSync(wasmPath(outDir));
  writeFileSync(join(ROOT, outDir, "index_bg.named.wasm"), wasm);
  writeFileSync(wasmPath(outDir), withoutNames(wasm));
}

/** A module without its `name` section; else byte for byte, so that offsets in traces stay right. */
function withoutNames(wasm) {
  const kept = [wasm.subarray(0, HEADER_BYTES)];
  let at = HEADER_BYTES;
  while (at < wasm.length) {
    const [size, content] = leb128(wasm, at + 1);
    const end = content + size;
    const [nameLength, name] = leb128(wasm, content);
    const isNames = wasm[at] === CUSTOM && wasm.toString("latin1", name, name + nameLength) === "name";
    if (!isNames) kept.push(wasm.subarray(at, end));
    at = end;
  }
  return Buffer.concat(kept);
}

const HEADER_BYTES = 8;
const CUSTOM = 0;

/** An unsigned number as WebAssembly writes it, and where it ends. */
function leb128(bytes, start) {
  let number = 0;
  let at = start;
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[at++];
    number += (byte & 0x7f) << shift;
    if (byte < 0x80) return [number, at];
  }
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
  await script(() => build(process.argv.includes("--drills") ? "drills" : "release"));
}
