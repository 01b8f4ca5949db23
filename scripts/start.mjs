// npm start: the gate in front of a demo site, on this machine alone, with lines to try it out.
// PORT chooses another port than 8787. Ctrl-C ends everything. What it serves is a quick build.

import { createWriteStream } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { demoKeys, FOLDER, writeGate } from "../www/demo/gate.mjs";
import { startOrigin } from "../www/demo/origin.mjs";
import { READERS } from "../www/demo/readers.mjs";
import { openShop, startShop } from "../www/demo/selling.mjs";
import { allSteps } from "../www/demo/steps.mjs";
import { build, QUICK_ENTRY } from "./build.mjs";
import { startDevServer } from "./dev_server.mjs";
import { guide, writeTokens } from "./guide.mjs";
import { asked, end, Problem, script } from "./process.mjs";
import { ROOT } from "./setup.mjs";

const DEFAULT_PORT = 8787;
const READY_WITHIN_MS = 60_000;
const POLL_MS = 200;
/** What the gate prints, and what passes between it and the pretend payment provider. */
const LOGS = { gate: `${FOLDER}/gate.log`, provider: `${FOLDER}/provider.log` };

await script(async () => {
  const port = wantedPort();
  const [originPort, providerPort] = await Promise.all([port + 1, port + 2].map(async (wanted) => ((await isFree(wanted)) ? wanted : 0)));
  if (!(await isFree(port))) {
    throw new Problem(`Port ${port} is in use. End what uses it, or choose another: PORT=9000 npm start`);
  }
  await build("quick");
  const gateUrl = `http://127.0.0.1:${port}`;
  const keys = await demoKeys(ROOT);
  const setRecord = (account, record) => putRecord(gateUrl, keys.stored.adminToken, account, record);
  const { providerKey: apiKey, webhookSecret } = keys.stored;
  const traffic = createWriteStream(join(ROOT, LOGS.provider));
  const provider = await startShop({ port: providerPort, apiKey, webhookSecret, trace: (line) => traffic.write(`${line}\n`) });
  const around = { gateUrl, providerUrl: provider.url, folder: FOLDER };
  const origin = await startOrigin({
    port: originPort,
    loginKey: keys.login,
    assertionJwk: keys.assertionJwk,
    setRecord,
    guide: (originUrl) => ({ steps: allSteps({ ...around, originUrl }), providerUrl: provider.url }),
  });
  const served = { main: QUICK_ENTRY, command: "npm run build -- --quick" };
  const config = writeGate(ROOT, { gateUrl, originPort: origin.address().port, providerUrl: provider.url, keys, served });
  const gate = startDevServer({ config, port, state: join(ROOT, FOLDER, "state"), log: LOGS.gate });
  try {
    // The first of three: it answers, it fails, or the user has seen enough.
    const ended = Promise.race([gate.child.exited, asked]);
    if (!(await Promise.race([isReady(gate, gateUrl), ended.then(() => false)]))) return await whyEnded(gate);
    for (const [name, { record }] of Object.entries(READERS)) {
      if (record) await setRecord(name, record());
    }
    await openShop(provider, gateUrl);
    await writeTokens(join(ROOT, FOLDER), keys);
    console.log(guide({ ...around, originUrl: `http://127.0.0.1:${origin.address().port}`, logs: LOGS }));
    gate.show();
    await ended;
    return await whyEnded(gate);
  } finally {
    await end(gate.child);
    origin.closeAllConnections();
    origin.close();
    await provider.stop();
  }
});

/** True as soon as the gate answers anything at all; its own health is for people to read. */
async function isReady(gate, gateUrl) {
  const deadline = Date.now() + READY_WITHIN_MS;
  while (Date.now() < deadline) {
    try {
      const health = await fetch(`${gateUrl}/_tollgate/health`, { signal: AbortSignal.timeout(5_000) });
      const text = await health.text();
      if (!health.ok) console.warn(`The gate is up and not well (${health.status}):\n${text}`);
      return true;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }
  throw new Problem(`${gate.said()}\nwrangler dev did not answer within ${READY_WITHIN_MS / 1_000} s; see its messages above.`);
}

async function whyEnded(gate) {
  const early = await Promise.race([gate.child.exited, asked]);
  if (early !== undefined) throw new Problem(`${gate.said()}\nwrangler dev ended on its own (exit code ${early.code}).`);
}

async function putRecord(gateUrl, adminToken, account, record) {
  const url = `${gateUrl}/_tollgate/admin/accounts/-/${encodeURIComponent(account)}`;
  const headers = { authorization: `Bearer ${adminToken}`, "content-type": "application/json" };
  const response = await fetch(url, { method: "PUT", headers, body: JSON.stringify(record) });
  if (!response.ok) {
    throw new Problem(`The gate refused ${account}'s record (${response.status}): ${await response.text()}`);
  }
}

function wantedPort() {
  const port = Number(process.env.PORT ?? DEFAULT_PORT);
  if (!Number.isInteger(port) || port < 1 || port > 65_533) {
    throw new Problem(`PORT must be a number from 1 to 65533, not ${JSON.stringify(process.env.PORT)}.`);
  }
  return port;
}

function isFree(port) {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once("error", () => resolve(false));
    probe.listen(port, "127.0.0.1", () => probe.close(() => resolve(true)));
  });
}
