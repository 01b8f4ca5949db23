// A Node server that reads paths in one of the ways in which Node applications do:
//   literal  `request.url` as it is
//   url      `new URL(request.url, base)`, then decoded and normalised, as static file servers do
//   express  split at `?`, decoded and normalised, in any case of letters, as Express with static
// files
import http from "node:http";
import { readFile } from "node:fs/promises";
import path from "node:path";

import { writeTree } from "./tree.mjs";

/** Starts it; returns `{ url, port, stop() }`. */
export async function startNodeOrigin({ habit = "express" } = {}) {
  const tree = await writeTree();
  const server = http.createServer(async (request, response) => {
    const name = NAMES[habit](request.url);
    const content = name === null ? null : await fileAt(tree.site, name);
    response.writeHead(content === null ? 404 : 200, {
      "content-type": "text/plain",
      "x-origin": `node-${habit}`,
      "x-origin-target": encodeURI(request.url),
    });
    response.end(content ?? "not found\n");
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address();
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await tree.remove();
    },
  };
}

/** How each habit gets from the request target to the name of a file; `null` where it refuses. */
const NAMES = {
  literal: (target) => target.split("?")[0],
  url: (target) => decoded(parsed(target)),
  express: (target) => decoded(target.split("?")[0])?.toLowerCase() ?? null,
};

/** The habits, for those who want to start each. */
export const NODE_HABITS = Object.keys(NAMES);

function parsed(target) {
  try {
    return new URL(target, "http://site.test").pathname;
  } catch {
    return null;
  }
}

function decoded(pathname) {
  if (pathname === null) return null;
  try {
    return path.posix.normalize(decodeURIComponent(pathname));
  } catch {
    return null;
  }
}

async function fileAt(site, name) {
  if (name.includes("\0")) return null;
  const file = path.join(site, name.endsWith("/") ? `${name}index.html` : name);
  if (!file.startsWith(site + path.sep)) return null;
  return readFile(file).catch(() => null);
}
