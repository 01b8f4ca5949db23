// Child processes that end when we end. Runs without npm packages.

import { spawn, spawnSync } from "node:child_process";

const children = new Set();
let endingWith = null;
let tellAsked;
const PARENT_CHECK_MS = 500;

/** An error that is the user's to fix: shown as a message, without a stack. */
export class Problem extends Error {}

/** Resolves when the user asked us to end: Ctrl-C, SIGTERM or a closed terminal. */
export const asked = new Promise((resolve) => {
  tellAsked = resolve;
});

/**
 * Starts a program that ends with us. `options` are those of `child_process.spawn`, and `ownGroup`:
 * then whatever the program itself has left running when it ends (a runtime, say) is ended too.
 */
export function start(command, args, { ownGroup = false, ...options } = {}) {
  watchSignals();
  // No stdin: nothing here asks questions.
  const stdio = ["ignore", "inherit", "inherit"];
  const child = spawn(command, args, { stdio, ...options, detached: ownGroup });
  child.ownGroup = ownGroup;
  child.exited = new Promise((resolve) => {
    child.once("error", (error) => resolve({ code: 127, signal: null, error }));
    child.once("exit", (code, signal) => resolve({ code, signal }));
  }).then(async (outcome) => {
    children.delete(child);
    if (ownGroup) await endRest(child);
    return outcome;
  });
  children.add(child);
  return child;
}

/** Runs a program to its end; resolves to its exit code (128 + n where signal n ended it). */
export async function run(command, args, options = {}) {
  const { code, signal, error } = await start(command, args, options).exited;
  if (error) throw new Problem(`Could not start ${command}: ${error.message}`);
  return code ?? (signal === "SIGINT" ? 130 : 143);
}

/** Like `run`, and any exit code but 0 is a `Problem`. `what` names the step for people. */
export async function mustRun(what, command, args, options = {}) {
  const code = await run(command, args, options);
  if (code !== 0) throw new Problem(`${what} failed (exit code ${code}).`);
}

/** What a short program prints on stdout, trimmed; `null` where it is missing or fails. */
export function output(command, args, options = {}) {
  const result = spawnSync(command, args, { encoding: "utf8", timeout: 30_000, ...options });
  return result.status === 0 ? result.stdout.trim() : null;
}

/** Ends a program: asks first, insists after `patience_ms`. */
export async function end(child, patience_ms = 5_000) {
  signal(child, "SIGTERM");
  const timer = setTimeout(() => signal(child, "SIGKILL"), patience_ms);
  await child.exited;
  clearTimeout(timer);
}

/** Runs a script's `main`: problems become one message and exit code 1. */
export async function script(main) {
  try {
    const code = await main();
    process.exitCode = endingWith ?? code ?? 0;
  } catch (error) {
    if (endingWith === null) {
      console.error(`\n${error instanceof Problem ? error.message : error.stack}`);
    }
    process.exitCode = endingWith ?? 1;
  }
  await Promise.all([...children].map((child) => end(child)));
}

function watchSignals() {
  if (watchSignals.done) return;
  watchSignals.done = true;
  const leave = (code) => {
    endingWith = code;
    tellAsked();
    for (const child of children) signal(child, "SIGTERM");
  };
  process.on("SIGINT", () => leave(130));
  process.on("SIGTERM", () => leave(143));
  process.on("SIGHUP", () => leave(129));
  // A SIGTERM to npm ends its shell and not us: a process without its parent leaves, too.
  const parent = process.ppid;
  const orphaned = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(orphaned);
    leave(143);
  }, PARENT_CHECK_MS).unref();
  // The last resort, where we end by an error of our own.
  process.on("exit", () => {
    for (const child of children) signal(child, "SIGTERM");
  });
}

/** Waits up to a second for what a program left running in its group, then kills it. */
async function endRest(child) {
  signal(child, "SIGTERM");
  for (let waited_ms = 0; waited_ms < 1_000; waited_ms += 50) {
    if (!signal(child, 0)) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  signal(child, "SIGKILL");
}

/** False where nobody is left to hear it. */
function signal(child, name) {
  if (child.pid === undefined) return false;
  try {
    return process.kill(child.ownGroup ? -child.pid : child.pid, name);
  } catch {
    return false;
  }
}
