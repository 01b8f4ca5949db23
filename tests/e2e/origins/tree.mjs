// The site that every origin serves: one protected file and open ones, in a directory of its own.
import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import http from "node:http";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Stands in every protected answer and in no other. */
export const SECRET = "protected-content-4f1c";
/** Stands in every open file. */
export const OPEN = "open-content-9a27";

/** Writes the site to a new temporary directory; returns `{ root, remove() }`. */
export async function writeTree() {
  const root = await mkdtemp(join(tmpdir(), "tollgate-origin-"));
  await mkdir(join(root, "site/premium"), { recursive: true });
  await mkdir(join(root, "site/open"), { recursive: true });
  await writeFile(join(root, "site/premium/secret.txt"), `${SECRET}\n`);
  await writeFile(join(root, "site/premium/index.html"), `${SECRET}\n`);
  await writeFile(join(root, "site/open/page.txt"), `${OPEN}\n`);
  await writeFile(join(root, "site/index.html"), `${OPEN}\n`);
  return { root, site: join(root, "site"), remove: () => rm(root, { recursive: true, force: true }) };
}

/** A CGI script that answers with its variables, `NAME=value` in lines. */
const ECHO_SCRIPT = `#!/bin/sh
printf 'Content-Type: text/plain\\r\\n\\r\\n'
exec env
`;

/** Writes `env.cgi` beside the open and the protected files. */
export async function writeEchoScripts(tree) {
  for (const folder of ["open", "premium"]) {
    const path = join(tree.site, folder, "env.cgi");
    await writeFile(path, ECHO_SCRIPT);
    await chmod(path, 0o755);
  }
}

/** Waits until something accepts connections on `port`; throws after `timeoutMs`. */
export async function untilListening(port, timeoutMs = 10_000) {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const accepted = await new Promise((resolve) => {
      const socket = net.connect(port, "127.0.0.1");
      socket.once("connect", () => (socket.destroy(), resolve(true)));
      socket.once("error", () => resolve(false));
    });
    if (accepted) return;
    if (Date.now() > deadline) throw new Error(`nothing listens on port ${port}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

/** Waits until the server of `tree` listens; returns `{ url, port, echo, stop() }`. */
export async function runningOrigin(tree, port, children, echo) {
  await untilListening(port);
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    echo,
    async stop() {
      for (const child of children) await endProcess(child);
      await tree.remove();
    },
  };
}

/** Ends `child` and waits until it is gone. */
export async function endProcess(child) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGTERM");
  await gone;
}

/**
 * Sends a request whose target stands on the wire exactly as given, which `fetch` would not do, and
 * returns `{ status, headers, body }`; status 0 where the other side hung up without an answer.
 */
export function sendRaw(port, target, { method = "GET", host = "site.test", headers = {}, timeoutMs = 10_000 } = {}) {
  return new Promise((resolve, reject) => {
    const request = http.request({
      agent: false,
      host: "127.0.0.1",
      port,
      method,
      path: target,
      headers: { host, connection: "close", ...headers },
      timeout: timeoutMs,
    });
    request.on("timeout", () => request.destroy(new Error(`no answer to ${target}`)));
    request.on("error", (error) => {
      if (error.code === "ECONNRESET") resolve({ status: 0, headers: {}, body: "" });
      else reject(error);
    });
    request.on("response", (response) => {
      const chunks = [];
      response.on("data", (chunk) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () => {
        const body = Buffer.concat(chunks).toString("latin1");
        resolve({ status: response.statusCode, headers: response.headers, body });
      });
    });
    request.end();
  });
}
