// PHP by FastCGI behind nginx. One script gets every request, as the routers of frameworks do, and
// finds the file by the address as it was sent.
import { spawn } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";

import { findNginx, findPhpCgi } from "../../../scripts/programs.mjs";
import { endProcess, freePort, untilListening, writeTree } from "./tree.mjs";

/** Starts it; returns `{ url, port, echo, stop() }`, or `null` where it or nginx is not installed. */
export async function startPhpOrigin() {
  const [nginx, php] = [findNginx(), findPhpCgi()];
  if (nginx === null || php === null) return null;
  const tree = await writeTree();
  const [port, phpPort] = [await freePort(), await freePort()];
  await writeFile(join(tree.root, "router.php"), ROUTER);
  const file = join(tree.root, "nginx.conf");
  await writeFile(file, configuration(tree, port, phpPort));
  const env = { ...process.env, PHP_FCGI_CHILDREN: "2" };
  const children = [
    spawn(php, ["-n", "-b", `127.0.0.1:${phpPort}`], { stdio: "ignore", env }),
    spawn(nginx, ["-p", tree.root, "-e", join(tree.root, "error.log"), "-c", file], { stdio: "ignore" }),
  ];
  await untilListening(phpPort);
  await untilListening(port);
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    echo: "env.php",
    async stop() {
      for (const child of children) await endProcess(child);
      await tree.remove();
    },
  };
}

const ROUTER = `<?php
header("Content-Type: text/plain");
$path = rawurldecode(explode("?", $_SERVER["REQUEST_URI"])[0]);
if (str_ends_with($path, "/env.php")) {
    foreach ($_SERVER as $name => $value) if (is_string($value)) echo "$name=$value\\n";
    exit;
}
$site = $_SERVER["DOCUMENT_ROOT"];
$file = str_contains($path, "\\0") ? false : realpath($site . $path);
if ($file !== false && is_dir($file)) $file .= "/index.html";
if ($file === false || !str_starts_with($file, $site) || !is_file($file)) {
    http_response_code(404);
    exit("not found\\n");
}
readfile($file);
`;

function configuration({ root, site }, port, phpPort) {
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
      # Left to PHP, where nginx itself would drop the names with signs in them.
      ignore_invalid_headers off;
      underscores_in_headers on;
      server {
        listen 127.0.0.1:${port};
        location / {
          fastcgi_pass 127.0.0.1:${phpPort};
          fastcgi_param SCRIPT_FILENAME ${root}/router.php;
          fastcgi_param DOCUMENT_ROOT ${site};
          fastcgi_param REQUEST_METHOD $request_method;
          fastcgi_param REQUEST_URI $request_uri;
          fastcgi_param QUERY_STRING $query_string;
          fastcgi_param CONTENT_TYPE $content_type;
          fastcgi_param CONTENT_LENGTH $content_length;
        }
      }
    }
  `;
}
