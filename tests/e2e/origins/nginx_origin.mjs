// nginx, configured in a temporary directory. Without an installation, `startNginxOrigin` returns
// `null`, and the caller reports that it was not run.
import { spawn } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";

import { findNginx } from "../../../scripts/programs.mjs";
import { freePort } from "../fixtures/ports.mjs";
import { runningOrigin, writeTree } from "./tree.mjs";

/** Starts it; returns `{ url, port, stop() }`, or `null` where nginx is not installed. */
export async function startNginxOrigin({ mergeSlashes = true } = {}) {
  const program = findNginx();
  if (program === null) return null;
  const tree = await writeTree();
  const port = await freePort();
  const child = await startNginx(program, tree, `
      default_type text/plain;
      server {
        listen 127.0.0.1:${port};
        merge_slashes ${mergeSlashes ? "on" : "off"};
        root ${tree.site};
        index index.html;
        add_header x-origin nginx always;
        add_header x-origin-target $request_uri always;
      }
  `);
  return runningOrigin(tree, port, [child]);
}

/** Starts nginx in the directory of `tree`, with `http` in its `http` block; returns the process. */
export async function startNginx(program, { root }, http) {
  const file = join(root, "nginx.conf");
  // Run as root, the workers must stay root to read the temporary directory.
  const user = process.getuid?.() === 0 ? "user root;" : "";
  await writeFile(file, `
    ${user}
    daemon off;
    worker_processes 1;
    pid ${root}/nginx.pid;
    error_log ${root}/error.log;
    events { worker_connections 256; }
    http {
      access_log off;
      client_body_temp_path ${root}/body;
      proxy_temp_path ${root}/proxy;
      fastcgi_temp_path ${root}/fastcgi;
      uwsgi_temp_path ${root}/uwsgi;
      scgi_temp_path ${root}/scgi;
      ${http}
    }
  `);
  return spawn(program, ["-p", root, "-e", join(root, "error.log"), "-c", file], { stdio: "ignore" });
}
