// npm run bench: measures the built Worker; arguments reach tests/bench/run.mjs. Then what leases
// cost and save, by simulation; `npm run bench -- --only NAME` leaves that out.

import { build } from "./build.mjs";
import { mustRun, script } from "./process.mjs";
import { ROOT } from "./setup.mjs";

await script(async () => {
  await build("release");
  const args = ["tests/bench/run.mjs", ...process.argv.slice(2)];
  await mustRun("the benchmark", process.execPath, args, { cwd: ROOT, ownGroup: true });
  if (args.includes("--only")) return;
  const figures = ["test", "--release", "--test", "simulation", "--", "--ignored", "figures", "--nocapture"];
  await mustRun("the simulation", "cargo", figures, { cwd: ROOT, ownGroup: true });
});
