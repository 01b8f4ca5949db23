// PHP by FastCGI behind nginx. One script gets every request, as the routers of frameworks do, and
// finds the file by the address as it was sent.
import { spawn } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";

import { findNginx, findPhpCgi } from "../../../scripts/programs.mjs";
import { freePort } from "../fixtures/ports.mjs";
import { startNginx } from "./nginx_origin.mjs";
import { runningOrigin, untilListening, writeTree } from "./tree.mjs";

/** Starts it; returns `{ url, port, echo, stop() }`, or `null` where it or nginx is not installed. */
export async function startPhpOrigin() {
  const [nginx, php] = [findNginx(), findPhpCgi()];
  if (nginx === null || php === null) return null;
  const tree = await writeTree();
  const [port, phpPort] = [await freePort(), await freePort()];
  await writeFile(join(tree.root, "router.php"), ROUTER);
  const env = { ...process.env, PHP_FCGI_CHILDREN: "2" };
  const children = [
    spawn(php, ["-n", "-b", `127.0.0.1:${phpPort}`], { stdio: "ignore", env }),
    await startNginx(nginx, tree, `
      # Left to PHP, where nginx itself would drop the names with signs in them.
      ignore_invalid_headers off;
      underscores_in_headers on;
      server {
        listen 127.0.0.1:${port};
        location / {
          fastcgi_pass 127.0.0.1:${phpPort};
          fastcgi_param SCRIPT_FILENAME ${tree.root}/router.php;
          fastcgi_param DOCUMENT_ROOT ${tree.site};
          fastcgi_param REQUEST_METHOD $request_method;
          fastcgi_param REQUEST_URI $request_uri;
          fastcgi_param QUERY_STRING $query_string;
          fastcgi_param CONTENT_TYPE $content_type;
          fastcgi_param CONTENT_LENGTH $content_length;
        }
      }
    `),
  ];
  await untilListening(phpPort);
  return runningOrigin(tree, port, children, "env.php");
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
