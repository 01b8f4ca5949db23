// Starts `python_origin.py`, which is Python's http.server.
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

import { freePort } from "../fixtures/ports.mjs";
import { runningOrigin, writeTree } from "./tree.mjs";

/** Starts it; returns `{ url, port, stop() }`. */
export async function startPythonOrigin() {
  const tree = await writeTree();
  const port = await freePort();
  const script = fileURLToPath(new URL("python_origin.py", import.meta.url));
  const child = spawn("python3", ["-B", script, tree.site, String(port)], { stdio: "ignore" });
  return runningOrigin(tree, port, [child]);
}
