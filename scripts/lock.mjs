// One run at a time for the steps that write to the project folder, so that `npm start` and
// `npm test` beside each other don't install or build into the same place.

import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

const POLL_MS = 250;

/** Holds the lock file `path` while `work` runs. A holder that died is noticed and replaced. */
export async function locked(path, what, work) {
  mkdirSync(dirname(path), { recursive: true });
  let told = false;
  while (!tryLock(path)) {
    if (!told) console.log(`Another run is busy (${what}); waiting for it …`);
    told = true;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  const release = () => rmSync(path, { force: true });
  process.once("exit", release);
  try {
    return await work();
  } finally {
    process.removeListener("exit", release);
    release();
  }
}

function tryLock(path) {
  // Written aside and linked, so that nobody ever reads a lock without its holder's id.
  const mine = `${path}.${process.pid}`;
  writeFileSync(mine, String(process.pid));
  try {
    linkSync(mine, path);
    return true;
  } catch (error) {
    if (error.code !== "EEXIST") throw error;
    removeIfDead(path);
    return false;
  } finally {
    rmSync(mine, { force: true });
  }
}

function removeIfDead(path) {
  const holder = holderOf(path);
  if (holder === null || alive(holder)) return;
  // Moved before it is judged: another waiter may have replaced it in the meantime.
  const aside = `${path}.stale.${process.pid}`;
  try {
    renameSync(path, aside);
    if (holderOf(aside) !== holder) linkSync(aside, path);
  } catch (error) {
    if (!["ENOENT", "EEXIST"].includes(error.code)) throw error;
  }
  rmSync(aside, { force: true });
}

function holderOf(path) {
  try {
    return Number(readFileSync(path, "utf8"));
  } catch {
    return null;
  }
}

function alive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
}
