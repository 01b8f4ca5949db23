// npm run check: what can be said about the code and the configuration without running the gate.

import { fileURLToPath } from "node:url";
import { mustRun, script } from "./process.mjs";
import { ROOT } from "./setup.mjs";

/** Format, lints of all that is built (native, both modules, the gate with drills), configuration. */
export async function check() {
  await cargo("cargo fmt --check", "fmt", "--check");
  await cargo("cargo fmt --check for scripts/bindgen", "fmt", "--check", "--manifest-path", "scripts/bindgen/Cargo.toml");
  await clippy("clippy", "--all-targets", "--features", "cli");
  await clippy("clippy for backstage's WASM", ...WASM);
  await clippy("clippy for the gate's WASM", ...WASM, "--no-default-features");
  await clippy("clippy for the gate's WASM with drills", ...WASM, "--no-default-features", "--features", "drills");
  const command = ["run", "--quiet", "--features", "cli", "--bin", "tollgate", "--"];
  await cargo("tollgate check", ...command, "check", "wrangler.toml");
}

const WASM = ["--lib", "--target", "wasm32-unknown-unknown"];

function clippy(name, ...what) {
  return cargo(name, "clippy", ...what, "--", "-D", "warnings");
}

function cargo(name, ...args) {
  return mustRun(name, "cargo", args, { ownGroup: true, cwd: ROOT });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await script(async () => {
    await check();
    console.log("check: all good");
  });
}
