// From a module that cargo has compiled to what a Worker can import: `index.js` and `index_bg.wasm`.

import { copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { mustRun, Problem } from "./process.mjs";
import { ROOT } from "./setup.mjs";

/** A small program in Rust around the crate `wasm-bindgen-cli-support`. */
const BINDGEN = { manifest: "scripts/bindgen/Cargo.toml", lock: "scripts/bindgen/Cargo.lock", target: ".tools/bindgen" };

/**
 * What `wasm-opt` does, in this order, chosen by what is left after gzip. First goes what the `worker`
 * crate exports for features that nothing here uses. Inlining a function into its only caller makes the
 * module smaller and the compressed module larger, by 5 %. `--low-memory-unused`: the first KiB of memory
 * holds no data. `--reorder-functions-by-name`: similar instances of a function come into the 32 KB that
 * gzip looks back.
 */
const OPTIMISATIONS = [
  "--remove-exports=*containerstartupoptions*",
  "--remove-exports=*intounderlying*",
  "--remove-exports=*minifyconfig*",
  "--remove-exports=*r2range*",
  "-Os",
  "--one-caller-inline-max-function-size=30",
  "--low-memory-unused",
  "--reorder-functions-by-name",
];

/** What rustc and wasm-bindgen use of WebAssembly. Not all features: `wasm-opt` would use newer ones too. */
const WASM_FEATURES = [
  "mutable-globals",
  "sign-ext",
  "nontrapping-float-to-int",
  "bulk-memory",
  "multivalue",
  "reference-types",
  "exception-handling",
].map((feature) => `--enable-${feature}`);

/** Compiles the program that generates JavaScript; next to nothing where that has been done. */
export async function buildBindgen() {
  checkVersions();
  const args = ["build", "--quiet", "--locked", "--manifest-path", BINDGEN.manifest, "--target-dir", BINDGEN.target];
  await mustRun("compiling scripts/bindgen", "cargo", args, { cwd: ROOT });
}

/** Both read and write the same format, which changes with each version. */
function checkVersions() {
  const wanted = lockedCrate("Cargo.lock", "wasm-bindgen");
  const present = lockedCrate(BINDGEN.lock, "wasm-bindgen-cli-support");
  if (wanted === present) return;
  throw new Problem(
    `Cargo.lock has wasm-bindgen ${wanted}, ${BINDGEN.lock} has wasm-bindgen-cli-support ${present}: they must be the same.\n` +
      `Write "=${wanted}" into ${BINDGEN.manifest}, then run: cargo update --manifest-path ${BINDGEN.manifest} wasm-bindgen-cli-support`,
  );
}

function lockedCrate(lock, name) {
  const text = readFileSync(join(ROOT, lock), "utf8");
  const version = new RegExp(`^name = "${name}"\nversion = "(.+)"$`, "m").exec(text)?.[1];
  if (!version) throw new Problem(`${lock} does not name the crate ${name}.`);
  return version;
}

/** Copies the module `compiled` to where `generate` and `finish` work on it: `outDir`/.tmp. */
export function take(compiled, outDir) {
  const folder = stagingPath(outDir);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  copyFileSync(compiled, join(folder, COMPILED));
}

const COMPILED = "compiled.wasm";

/** Generates the JavaScript for the module that was taken. */
export async function generate(outDir) {
  const folder = stagingPath(outDir);
  await mustRun("generating JavaScript", join(ROOT, BINDGEN.target, "debug/bindgen"), [join(folder, COMPILED), folder]);
}

/**
 * Makes the rest of it and puts it into `outDir`. `state` is the global variable that the module keeps
 * what it knows of its instance in. With `optimise` it is made small, and the names of functions go to a
 * copy that is never uploaded.
 */
export async function finish(outDir, { state, optimise }) {
  const folder = stagingPath(outDir);
  const wasm = join(folder, "index_bg.wasm");
  if (optimise) {
    const args = [wasm, "-o", wasm, ...OPTIMISATIONS, ...WASM_FEATURES, "--debuginfo"];
    await mustRun("wasm-opt", "wasm-opt", args, { cwd: ROOT });
    setNamesAside(folder);
  }
  await bundle(folder);
  keepStateApart(join(folder, "index.js"), state);
  for (const name of ["index_bg.named.wasm", "index_bg.wasm", "index.js"]) {
    if (existsSync(join(folder, name))) renameSync(join(folder, name), join(ROOT, outDir, name));
  }
  rmSync(folder, { recursive: true });
}

/** Puts the shim in front of the generated code, and all of it into one file. */
async function bundle(folder) {
  const generated = readFileSync(join(folder, "index.js"), "utf8");
  writeFileSync(join(folder, "shim.js"), shimFor(generated));
  const external = ["--external:./index_bg.wasm", "--external:cloudflare:*"];
  const output = ["--minify", "--outfile=index.js", "--allow-overwrite", "--log-level=warning"];
  await mustRun("esbuild", "esbuild", [...external, "--format=esm", "--bundle", "./shim.js", ...output], { cwd: folder });
  // The file's ending decides how it is imported; wrangler's bundler doesn't know the word.
  const bundled = readFileSync(join(folder, "index.js"), "utf8");
  writeFileSync(join(folder, "index.js"), bundled.replaceAll("import source ", "import "));
}

/** Functions become methods of the entrypoint, classes survive the instance that they were made in. */
function shimFor(generated) {
  const exported = (kind) => [...generated.matchAll(new RegExp(`^export ${kind} (\\w+)`, "gm"))].map(([, name]) => name);
  const functions = exported("(?:async )?function").filter((name) => !OWN_FUNCTIONS.includes(name));
  const handlers = functions.map((name) => `Entrypoint.prototype.${name} = exports.${name};\n`);
  const classes = exported("class").map((name) => `export const ${name} = new Proxy(exports.${name}, classProxyHooks);\n`);
  const shim = readFileSync(join(ROOT, "scripts/shim.js"), "utf8");
  return shim.replace("$HANDLERS", () => handlers.join("")) + classes.join("");
}

/** The shim calls these itself. */
const OWN_FUNCTIONS = ["__wbg_reset_state", "__worker_init_state"];

/** What generated code knows of its instance stands in a global: each module has its own. */
function keepStateApart(path, state) {
  const generated = readFileSync(path, "utf8");
  if (!generated.includes(GENERATED_STATE)) {
    throw new Problem(
      `${path} has no ${GENERATED_STATE}: the crate \`worker\` brings other code than ` +
        "scripts/generate.mjs expects, and the two modules would share their state.",
    );
  }
  writeFileSync(path, generated.replaceAll(GENERATED_STATE, `globalThis.${state}`));
}

const GENERATED_STATE = "globalThis.__worker_init_state";

/** Leaves the names of functions to a copy that is never uploaded: a tenth of what is loaded. */
function setNamesAside(folder) {
  const path = join(folder, "index_bg.wasm");
  const wasm = readFileSync(path);
  writeFileSync(join(folder, "index_bg.named.wasm"), wasm);
  writeFileSync(path, withoutNames(wasm));
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

const stagingPath = (outDir) => join(ROOT, outDir, ".tmp");
