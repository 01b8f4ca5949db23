// The lines that `npm start` prints when all is up, and the tokens for them. The rest of the guide stands on the
// demo's front page.

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { mint, READERS } from "../www/demo/readers.mjs";
import { firstSteps } from "../www/demo/steps.mjs";

/** Mints a token for each reader, and one that is over, into files that the lines below read. */
export async function writeTokens(folder, keys) {
  const write = (name, text) => writeFileSync(join(folder, `${name}.token`), text, { mode: 0o600 });
  for (const name of Object.keys(READERS)) write(name, await mint(keys.login, name));
  write("expired", await mint(keys.login, "alice", { expires: "-1h" }));
  write("admin", keys.stored.adminToken);
}

/**
 * The text, for a gate at `gateUrl`, an origin behind it and a provider beside it, with their files in
 * `folder`. `logs` are the paths of what the provider and the gate write.
 */
export function guide({ logs, ...addresses }) {
  const { gateUrl, originUrl, providerUrl } = addresses;
  const steps = firstSteps(addresses).map(({ what, command }) => `  # ${what}\n  ${command}`);
  return `
The gate is at ${gateUrl}/ in front of a demo site (${originUrl}).
Open it in a browser: its front page has a line to paste for each kind of answer. For a start, in this folder:

${steps.join("\n")}

The pretend payment provider is at ${providerUrl}/, its traffic in ${logs.provider}.
The gate's own log is in ${logs.gate}. A changed line of code is built and served again by itself.
Ctrl-C ends everything. Records and counters are forgotten at the next start.`;
}
