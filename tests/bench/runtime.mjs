// Starts `workerd` with a configuration of our own, and ends it. Everything listens on the loopback
// on a port that the system picks.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import workerdPackage from "workerd";

const workerd = workerdPackage.default ?? workerdPackage;

const COMPATIBILITY_DATE = "2026-07-01";

/**
 * Writes a configuration into `folder` and starts `workerd` with it.
 *
 * `services` are `{ name, modules, bindings, objects, listens }`: modules as `{ name, file | code
 * }`, bindings as `{ name, text | json | service | object }`, objects the class names of
 * SQLite-backed Durable Objects. A service with an `address` and nothing else is a server there.
 * Resolves when all sockets listen, with the port of each service that does.
 */
export async function startRuntime(folder, services) {
  const startedAt = performance.now();
  const child = spawn(workerd, ["serve", writeConfig(folder, services), "--control-fd=3"], {
    stdio: ["ignore", "ignore", "pipe", "pipe"],
  });
  // The runtime ends with the benchmark, for any reason.
  const kill = () => child.kill("SIGKILL");
  running.add(kill);
  let complaints = "";
  child.stderr.setEncoding("utf8").on("data", (text) => (complaints = (complaints + text).slice(-4_000)));
  const ended = once(child, "close");
  const stop = async () => {
    running.delete(kill);
    kill();
    await ended;
  };
  const expected = services.filter((service) => service.listens).length;
  try {
    const ports = await listening(child, expected, () => complaints);
    return { pid: child.pid, ports, startedAt, complaints: () => complaints, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Ends every runtime at once. */
export function killRuntimes() {
  for (const kill of running) kill();
}

const running = new Set();
process.once("exit", killRuntimes);

/**
 * CPU time of a process so far, user and system, in microseconds: to the nanosecond where the
 * kernel has `schedstat`, else in ticks of a hundredth of a second.
 */
export function cpuTimeUs(pid) {
  if (HAS_SCHEDSTAT) return nanosecondsOf(pid) / 1_000;
  const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * US_PER_TICK;
}

const HAS_SCHEDSTAT = existsSync("/proc/self/schedstat");
const US_PER_TICK = 10_000;

// `schedstat` is that of a single thread. One that has ended keeps the time that was last seen.
function nanosecondsOf(pid) {
  const threads = (threadsOf[pid] ??= new Map());
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    try {
      const text = readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "latin1");
      threads.set(thread, Number(text.split(" ")[0]));
    } catch (error) {
      if (error.code !== "ENOENT" && error.code !== "ESRCH") throw error;
    }
  }
  return [...threads.values()].reduce((sum, ns) => sum + ns, 0);
}

const threadsOf = {};

/** The memory of a process that is resident, in bytes. */
export function residentBytes(pid) {
  const [, kilobytes] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "latin1"));
  return Number(kilobytes) * 1_024;
}

function listening(child, expected, complaints) {
  return new Promise((resolve, reject) => {
    const ports = {};
    let text = "";
    child.stdio[3].setEncoding("utf8").on("data", (chunk) => {
      const lines = (text + chunk).split("\n");
      text = lines.pop();
      for (const line of lines) {
        const message = JSON.parse(line);
        if (message.event === "listen") ports[message.socket] = message.port;
      }
      if (Object.keys(ports).length === expected) resolve(ports);
    });
    child.once("error", reject);
    child.once("exit", () => reject(new Error(`workerd did not start: ${complaints()}`)));
  });
}

function writeConfig(folder, services) {
  mkdirSync(folder, { recursive: true });
  mkdirSync(join(folder, "objects"), { recursive: true });
  const sockets = services.filter((service) => service.listens);
  const text = `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "objects", disk = (path = ${quoted(join(folder, "objects"))}, writable = true)),
    ${services.map((service) => serviceText(folder, service)).join(",\n    ")}
  ],
  sockets = [
    ${sockets.map(({ name }) => `(name = ${quoted(name)}, address = "127.0.0.1:0", http = (), service = ${quoted(name)})`).join(",\n    ")}
  ]
);
`;
  const path = join(folder, "config.capnp");
  writeFileSync(path, text);
  return path;
}

function serviceText(folder, { name, address, modules, bindings = [], objects = [] }) {
  if (address !== undefined) return `(name = ${quoted(name)}, external = (address = ${quoted(address)}, http = ()))`;
  const namespaces = objects.map(
    (className) => `(className = ${quoted(className)}, uniqueKey = ${quoted(`${name}-${className}`)}, enableSql = true)`,
  );
  const storage =
    objects.length === 0
      ? ""
      : `, durableObjectNamespaces = [${namespaces.join(", ")}], durableObjectStorage = (localDisk = "objects")`;
  return `(name = ${quoted(name)}, worker = (
      modules = [${modules.map((module) => moduleText(folder, name, module)).join(", ")}],
      compatibilityDate = "${COMPATIBILITY_DATE}",
      bindings = [${bindings.map(bindingText).join(", ")}]${storage}))`;
}

function moduleText(folder, service, { name, file, code }) {
  const copy = join(service, name);
  mkdirSync(join(folder, copy, ".."), { recursive: true });
  if (file === undefined) writeFileSync(join(folder, copy), code);
  else cpSync(file, join(folder, copy));
  const kind = name.endsWith(".wasm") ? "wasm" : "esModule";
  return `(name = ${quoted(name)}, ${kind} = embed ${quoted(copy)})`;
}

function bindingText({ name, text, json, service, object }) {
  const start = `(name = ${quoted(name)}, `;
  if (text !== undefined) return `${start}text = ${quoted(text)})`;
  if (json !== undefined) return `${start}json = ${quoted(JSON.stringify(json))})`;
  if (service !== undefined) return `${start}service = ${quoted(service)})`;
  return `${start}durableObjectNamespace = ${quoted(object)})`;
}

// A string of Cap'n Proto's text format: JSON's escapes but for \u, which no text of ours needs.
function quoted(text) {
  return JSON.stringify(text);
}
