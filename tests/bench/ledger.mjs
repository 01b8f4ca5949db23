// The load that one ledger object takes: the messages of many isolates of one account, to a runtime that has
// nothing but that object.
//
// The messages are real ones. A built gate is loaded whose every account is, for the purpose, the
// same object in another process: each account's conversation with it is that of one isolate with
// the ledger of a busy account. Calls a second follow from the CPU time of that process, since the
// gate and the load need the machine's other core to make them; a bench Worker that takes the
// messages and the HTTP between the two processes are in it.

import { join } from "node:path";
import { load } from "./load.mjs";
import { cpuTimeUs, startRuntime } from "./runtime.mjs";
import { driveService, ORIGIN, remoteService } from "./services.mjs";
import { COUNTED_PATH, JSON_HEADERS, writeTokens } from "./targets.mjs";

/** Isolates that serve the account; a gate remembers 4,096 accounts. */
const ISOLATES = [400, 4_000];
const SLICES = 5;

/**
 * Measures each number of isolates: `{ isolates, slices }`, a slice as `{ cpu_us, requests,
 * rows_written, rows_read }`.
 */
export async function measureLedger(scene, options) {
  const results = [];
  for (const isolates of ISOLATES) results.push({ isolates, slices: await measureOne(scene, isolates, options) });
  return results;
}

async function measureOne(scene, isolates, { generator, seconds, connections }) {
  const folder = join(scene.folder, `ledger-${isolates}`);
  const root = scene.gates[scene.gate];
  const tokensFile = writeTokens(scene, `ledger-${isolates}`, "pro", isolates);
  const object = await startRuntime(join(folder, "object"), [ORIGIN, driveService(scene, "drive", root, "ONE")]);
  try {
    const address = `127.0.0.1:${object.ports.drive}`;
    const gate = await startRuntime(join(folder, "gate"), [ORIGIN, ...remoteService(scene, "gate", root, address)]);
    try {
      const url = `http://127.0.0.1:${gate.ports.gate}${COUNTED_PATH}`;
      const slices = [];
      let offset = 0;
      for (let slice = -1; slice < SLICES; slice += 1) {
        const before = await counted(object);
        const report = await load({ generator, url, headers: JSON_HEADERS, tokensFile, offset, seconds: 2 * seconds, connections });
        const after = await counted(object);
        if (report.failed > 0 || report.refused > 0) throw new Error(`the ledger's gate: ${JSON.stringify(report)}`);
        offset += report.requests;
        // The first slice makes each isolate known.
        if (slice >= 0) slices.push(Object.fromEntries(Object.keys(after).map((figure) => [figure, after[figure] - before[figure]])));
      }
      return slices;
    } finally {
      await gate.stop();
    }
  } finally {
    await object.stop();
  }
}

async function counted({ pid, ports }) {
  const counts = await (await fetch(`http://127.0.0.1:${ports.drive}/`)).json();
  const { calls, rows_written, rows_read } = counts.account ?? { calls: 0, rows_written: 0, rows_read: 0 };
  return { cpu_us: cpuTimeUs(pid), requests: calls, rows_written, rows_read };
}
