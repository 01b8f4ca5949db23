// A WSGI application in uWSGI, which hands out the path once decoded.
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

import { findUwsgi } from "../../../scripts/programs.mjs";
import { freePort } from "../fixtures/ports.mjs";
import { runningOrigin, writeTree } from "./tree.mjs";

/** Starts it; returns `{ url, port, echo, stop() }`, or `null` where it is not installed. */
export async function startUwsgiOrigin() {
  const program = findUwsgi();
  if (program === null) return null;
  const tree = await writeTree();
  const port = await freePort();
  const script = fileURLToPath(new URL("uwsgi_origin.py", import.meta.url));
  const options = ["--plugins", "python3", "--http-socket", `127.0.0.1:${port}`, "--wsgi-file", script];
  // Without this, SIGTERM means to load everything again.
  const rest = ["--pyargv", tree.site, "--die-on-term", "--disable-logging"];
  const env = { ...process.env, PYTHONDONTWRITEBYTECODE: "1" };
  const child = spawn(program, [...options, ...rest], { stdio: "ignore", env });
  return runningOrigin(tree, port, [child], "env");
}
