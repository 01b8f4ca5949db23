// node scripts/with-tools.mjs <script> [arguments]: installs what is missing, then runs
// scripts/<script>.mjs with the right Node and environment. Every `npm run` goes through here.

import { join } from "node:path";
import { Problem, run, script } from "./process.mjs";
import { ROOT, setup } from "./setup.mjs";

/** What the scripts need beyond npm packages. */
const NEEDS = {
  bench: { rust: true },
  build: { rust: true },
  check: { rust: true, lints: true },
  deploy: { rust: true },
  modules: { rust: true },
  start: { rust: true },
  test: { rust: true, lints: true, fuzz: true },
  "test-long": { rust: true },
};

await script(async () => {
  const [name, ...args] = process.argv.slice(2);
  if (!Object.hasOwn(NEEDS, name ?? "")) {
    throw new Problem(`Usage: node scripts/with-tools.mjs <${Object.keys(NEEDS).join("|")}> [arguments]`);
  }
  const env = await setup(NEEDS[name]);
  return run(env.NODE, [join(ROOT, "scripts", `${name}.mjs`), ...args], { env });
});
