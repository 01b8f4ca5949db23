// npm run modules: prints the modules of the crate, each with its imports, and fails where two
// import each other or one imports from a layer that is not below its own.

import { mustRun, script } from "./process.mjs";
import { ROOT } from "./setup.mjs";

await script(async () => {
  const args = ["test", "--quiet", "--test", "layers", "--", "--nocapture", "--test-threads=1"];
  await mustRun("the graph of modules", "cargo", args, { cwd: ROOT, ownGroup: true });
});
