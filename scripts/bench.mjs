// npm run bench: measures the built Worker; arguments reach tests/bench/run.mjs.

import { build } from "./build.mjs";
import { run, script } from "./process.mjs";
import { ROOT } from "./setup.mjs";

await script(async () => {
  await build("release");
  const args = ["tests/bench/run.mjs", ...process.argv.slice(2)];
  return run(process.execPath, args, { cwd: ROOT, ownGroup: true });
});
