// npm run test:long: tests that take too long for every change. Each prints the seed of a failure.

import { mustRun, script } from "./process.mjs";
import { ROOT } from "./setup.mjs";

/** Tests with the numbers that they are run with here; a variable that is set goes before. */
const LONG = [
  { name: "Days of ordinary and hostile payments", args: ["--test", "inbox", "days"], env: { TOLLGATE_DAYS: "200" } },
  { name: "Schedules of ledgers and leases", args: ["--test", "simulation", "every_rule"], env: { TOLLGATE_SCHEDULES: "200000" } },
];

await script(async () => {
  for (const { name, args, env } of LONG) {
    console.log(`\n── ${name}: ${Object.entries(env).map(([variable, value]) => `${variable}=${process.env[variable] ?? value}`).join(" ")} ──`);
    const all = { ...env, ...process.env };
    await mustRun(name, "cargo", ["test", "--release", ...args], { ownGroup: true, cwd: ROOT, env: all });
  }
  console.log("\nAll long tests passed.");
});
