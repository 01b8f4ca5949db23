// The gate's own answers and headers, captured before anything is measured, so that the Workers
// which repeat them do exactly as much.

import { join } from "node:path";
import { ECHO, ORIGIN, PASS } from "./services.mjs";
import { startRuntime } from "./runtime.mjs";

// Each target whose answer a constant Worker repeats, by the name of that answer.
const CAPTURED = { quota: "refuse", offer: "offer", page: "page" };

// The runtime's server sets these itself.
const OF_THE_SERVER = new Set(["host", "connection", "content-encoding", "content-length", "date", "transfer-encoding"]);

/** The first gate's answers, each `{ status, headers, body }`. */
export async function captureAnswers(scene, gateServices) {
  const runtime = await startRuntime(join(scene.folder, "capture"), [ORIGIN, ...gateServices]);
  try {
    const answers = {};
    for (const [name, suffix] of Object.entries(CAPTURED)) {
      const target = targetOf(scene, suffix);
      const response = await askWarm(runtime, target);
      const body = await response.text();
      if (response.status !== target.status) throw new Error(`${target.name}: ${response.status} ${body}`);
      const headers = Object.fromEntries([...response.headers].filter(([header]) => !OF_THE_SERVER.has(header)));
      answers[name] = { status: response.status, headers, body };
    }
    return answers;
  } finally {
    await runtime.stop();
  }
}

/**
 * What the first gate sets for a counted request that passes: `{ request, response }`, the headers
 * that the origin and the caller see through it, and not through a bare pass-through.
 */
export async function captureHeaders(scene, gateServices) {
  const gate = gateServices.find(({ name }) => name === scene.gate);
  const runtime = await startRuntime(join(scene.folder, "capture-headers"), [ECHO, PASS, gate]);
  try {
    const target = targetOf(scene, "hot");
    const through = async (service) => {
      const response = await askWarm(runtime, { ...target, service });
      const headers = [...response.headers].filter(([header]) => !OF_THE_SERVER.has(header));
      return { request: await response.json(), response: Object.fromEntries(headers) };
    };
    const bare = await through("pass");
    const gated = await through(target.service);
    const set = {};
    for (const side of ["request", "response"]) {
      set[side] = Object.fromEntries(Object.entries(gated[side]).filter(([name, value]) => !OF_THE_SERVER.has(name) && bare[side][name] !== value));
    }
    if (set.request["tollgate-account"] === undefined || set.response.ratelimit === undefined) {
      throw new Error(`the gate sets other headers than expected: ${JSON.stringify(set)}`);
    }
    return set;
  } finally {
    await runtime.stop();
  }
}

async function askWarm(runtime, { service, path, headers, warmUp = 0 }) {
  const url = `http://127.0.0.1:${runtime.ports[service]}${path}`;
  for (let requests = 0; requests < warmUp; requests += 1) {
    await (await fetch(url, { headers })).text();
  }
  return fetch(url, { headers });
}

function targetOf({ gate, targets }, suffix) {
  return targets.find(({ name }) => name === `${gate}-${suffix}`);
}
