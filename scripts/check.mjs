// npm run check: what can be said about the code without running it.

import { existsSync } from "node:fs";
import { join } from "node:path";
import { mustRun, script } from "./process.mjs";
import { ROOT } from "./setup.mjs";

await script(async () => {
  const deny = ["--", "-D", "warnings"];
  await mustRun("cargo fmt --check", "cargo", ["fmt", "--check"]);
  await mustRun("clippy", "cargo", ["clippy", "--all-targets", ...deny]);
  // The Worker as it is shipped, and with the panic drills.
  const wasm = ["clippy", "--lib", "--target", "wasm32-unknown-unknown"];
  await mustRun("clippy for WASM", "cargo", [...wasm, ...deny]);
  await mustRun("clippy for WASM with drills", "cargo", [...wasm, "--features", "drills", ...deny]);
  if (existsSync(join(ROOT, "src/bin/tollgate.rs"))) {
    const command = ["run", "--quiet", "--features", "cli", "--bin", "tollgate", "--"];
    await mustRun("tollgate check", "cargo", [...command, "check", "wrangler.toml"]);
  }
  console.log("check: all good");
});
