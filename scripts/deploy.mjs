// npm run deploy: builds the Worker and hands it to wrangler. `npm run deploy -- --dry-run` does
// everything but the upload, offline too; other arguments reach wrangler as they are.

import { build } from "./build.mjs";
import { run, script } from "./process.mjs";
import { ROOT } from "./setup.mjs";

await script(async () => {
  await build("release");
  const args = process.argv.slice(2);
  // wrangler may ask which account to use; there its questions need the terminal.
  return run("wrangler", ["deploy", ...args], { cwd: ROOT, stdio: "inherit" });
});
