// nginx, configured in a temporary directory. Where it is not installed, `startNginxOrigin` returns
// `null`, and the caller says that it was not run.
import { spawn } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";

import { findNginx } from "../../../scripts/programs.mjs";
import { endProcess, freePort, untilListening, writeTree } from "./tree.mjs";

/** Starts it; returns `{ url, port, stop() }`, or `null` where nginx is not installed. */
export async function startNginxOrigin({ mergeSlashes = true } = {}) {
  const program = findNginx();
  if (program === null) return null;
  const tree = await writeTree();
  const port = await freePort();
  const file = join(tree.root, "nginx.conf");
  await writeFile(file, configuration(tree, port, mergeSlashes));
  const child = spawn(program, ["-p", tree.root, "-e", join(tree.root, "error.log"), "-c", file], {
    stdio: "ignore",
  });
  await untilListening(port);
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    async stop() {
      await endProcess(child);
      await tree.remove();
    },
  };
}

// Run as root, the workers must stay root to read the temporary directory.
function configuration({ root, site }, port, mergeSlashes) {
  const user = process.getuid?.() === 0 ? "user root;" : "";
  return `
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
      default_type text/plain;
      server {
        listen 127.0.0.1:${port};
        merge_slashes ${mergeSlashes ? "on" : "off"};
        root ${site};
        index index.html;
        add_header x-origin nginx always;
        add_header x-origin-target $request_uri always;
      }
    }
  `;
}
