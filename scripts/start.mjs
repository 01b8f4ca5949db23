// npm start: the gate in front of a demo site, on this machine alone, with lines to try it out.
// PORT chooses another port than 8787. Ctrl-C ends everything.

import { createServer } from "node:net";
import { join } from "node:path";
import { demoKeys, FOLDER, writeGate } from "../www/demo/gate.mjs";
import { startOrigin } from "../www/demo/origin.mjs";
import { READERS } from "../www/demo/readers.mjs";
import { openShop, startShop } from "../www/demo/selling.mjs";
import { build } from "./build.mjs";
import { guide, writeTokens } from "./guide.mjs";
import { asked, end, Problem, script, start } from "./process.mjs";
import { ROOT } from "./setup.mjs";

const DEFAULT_PORT = 8787;
const READY_WITHIN_MS = 60_000;
const POLL_MS = 200;

await script(async () => {
  const port = wantedPort();
  const [originPort, providerPort] = await Promise.all([port + 1, port + 2].map(async (wanted) => ((await isFree(wanted)) ? wanted : 0)));
  if (!(await isFree(port))) {
    throw new Problem(`Port ${port} is in use. End what uses it, or choose another: PORT=9000 npm start`);
  }
  await build("release");
  const gateUrl = `http://127.0.0.1:${port}`;
  const keys = await demoKeys(ROOT);
  const setRecord = (account, record) => putRecord(gateUrl, keys.stored.adminToken, account, record);
  const origin = await startOrigin({
    port: originPort,
    loginKey: keys.login,
    assertionJwk: keys.assertionJwk,
    setRecord,
  });
  const { providerKey: apiKey, webhookSecret } = keys.stored;
  const provider = await startShop({ port: providerPort, apiKey, webhookSecret });
  const config = writeGate(ROOT, { gateUrl, originPort: origin.address().port, providerUrl: provider.url, keys });
  const gate = startGate(config, port);
  try {
    // The first of three: it answers, it fails, or the user has seen enough.
    const ended = Promise.race([gate.exited, asked]);
    if (!(await Promise.race([isReady(gateUrl), ended.then(() => false)]))) return await whyEnded(gate);
    for (const [name, { record }] of Object.entries(READERS)) {
      if (record) await setRecord(name, record());
    }
    await openShop(provider, gateUrl);
    await writeTokens(join(ROOT, FOLDER), keys);
    const originUrl = `http://127.0.0.1:${origin.address().port}`;
    console.log(guide({ gateUrl, originUrl, providerUrl: provider.url, folder: FOLDER }));
    await ended;
    return await whyEnded(gate);
  } finally {
    await end(gate);
    origin.closeAllConnections();
    origin.close();
    await provider.stop();
  }
});

function startGate(config, port) {
  const args = ["dev", "--config", config, "--ip", "127.0.0.1", "--port", String(port)];
  const quiet = ["--local", "--inspector-port", "0", "--show-interactive-dev-session=false"];
  const state = ["--persist-to", join(ROOT, FOLDER, "state")];
  return start("wrangler", [...args, ...quiet, ...state], { cwd: ROOT });
}

/** True as soon as the gate answers anything at all; its own health is for people to read. */
async function isReady(gateUrl) {
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
  throw new Problem(`wrangler dev did not answer within ${READY_WITHIN_MS / 1_000} s; see its messages above.`);
}

async function whyEnded(gate) {
  const early = await Promise.race([gate.exited, asked]);
  if (early !== undefined) throw new Problem(`wrangler dev ended on its own (exit code ${early.code}).`);
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
