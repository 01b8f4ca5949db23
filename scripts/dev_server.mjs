// `wrangler dev` for the demo, with what it prints in a file as well as on the terminal.

import { createWriteStream } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { start } from "./process.mjs";
import { ROOT } from "./setup.mjs";

/** Requests of the pretend payment provider: its own log has them, with their answers. */
const PROVIDER_TRAFFIC = /\bPOST \S*\/_tollgate\/webhooks\//;

/**
 * Starts the gate by the configuration at `config`. What it prints goes to the file `log`; nothing of it
 * to the terminal before `show()`, and then all but the provider's traffic. `said()` is what there has
 * been until then, for people to read where the gate doesn't start.
 */
export function startDevServer({ config, port, state, log }) {
  const args = ["dev", "--config", config, "--ip", "127.0.0.1", "--port", String(port), "--persist-to", state];
  const quiet = ["--local", "--inspector-port", "0", "--show-interactive-dev-session=false"];
  const child = start("wrangler", [...args, ...quiet], { cwd: ROOT, stdio: ["ignore", "pipe", "pipe"] });
  const file = createWriteStream(join(ROOT, log));
  const before = [];
  let isShown = false;
  for (const [from, to] of [[child.stdout, process.stdout], [child.stderr, process.stderr]]) {
    createInterface({ input: from }).on("line", (line) => {
      file.write(`${line}\n`);
      if (!isShown) before.push(line);
      else if (!PROVIDER_TRAFFIC.test(line)) to.write(`${line}\n`);
    });
  }
  const show = () => {
    isShown = true;
    before.length = 0;
  };
  return { child, said: () => before.join("\n"), show };
}
