// The memory of an isolate: what a runtime process has resident after the same requests, beside one
// with the bare Worker. The objects of accounts are elsewhere, as they are on Cloudflare.

import { join } from "node:path";
import { readFileSync } from "node:fs";
import { residentBytes, startRuntime } from "./runtime.mjs";
import { driveService, ORIGIN, PASS, remoteService } from "./services.mjs";
import { alone, COUNTED_PATH, JSON_HEADERS, writeTokens } from "./targets.mjs";

/** As many as an isolate remembers, of tokens and of accounts; each asks once. */
const ACCOUNTS = 4_096;
const TIMES = 2;
const AT_ONCE = 16;

/** Bytes after the first answer and after all, of each Worker and start: `{ name, first, last }`. */
export async function measureMemory(scene) {
  const root = scene.gates[scene.gate];
  const tokens = readFileSync(writeTokens(scene, "memory", "pro", ACCOUNTS), "latin1").split("\n");
  const results = [];
  const object = await startRuntime(join(scene.folder, "memory-objects"), [ORIGIN, driveService(scene, "drive", root)]);
  try {
    const address = `127.0.0.1:${object.ports.drive}`;
    const subjects = [
      ["pass", "pass-through", [ORIGIN, PASS]],
      ["js-cached-token", "js-cached-token", alone(scene, "js-cached-token")],
      ["gate", scene.gate, [ORIGIN, ...remoteService(scene, "gate", root, address)]],
    ];
    for (let time = 0; time < TIMES; time += 1) {
      for (const [service, name, services] of subjects) {
        const folder = join(scene.folder, `memory-${time}`, name);
        results.push({ name, ...(await measureOne(folder, service, services, tokens)) });
      }
    }
    return results;
  } finally {
    await object.stop();
  }
}

async function measureOne(folder, service, services, tokens) {
  const runtime = await startRuntime(folder, services);
  try {
    const url = `http://127.0.0.1:${runtime.ports[service]}${COUNTED_PATH}`;
    let sent = 0;
    const ask = async () => {
      const authorization = `Bearer ${tokens[sent++ % tokens.length]}`;
      const response = await fetch(url, { headers: { ...JSON_HEADERS, authorization } });
      await response.text();
      if (response.status !== 200) throw new Error(`${service} answers ${response.status}`);
    };
    await ask();
    const first = residentBytes(runtime.pid);
    const connection = async () => {
      while (sent < ACCOUNTS) await ask();
    };
    await Promise.all(Array.from({ length: AT_ONCE }, connection));
    return { first, last: residentBytes(runtime.pid), requests: sent };
  } finally {
    await runtime.stop();
  }
}
