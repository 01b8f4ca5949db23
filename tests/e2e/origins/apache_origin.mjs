// Apache 2.4 with mod_cgi, configured in a temporary directory.
import { spawn } from "node:child_process";
import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { findApache } from "../../../scripts/programs.mjs";
import { freePort } from "../fixtures/ports.mjs";
import { runningOrigin, writeEchoScripts, writeTree } from "./tree.mjs";

/** Starts it; returns `{ url, port, echo, stop() }`, or `null` where it is not installed. */
export async function startApacheOrigin() {
  const found = findApache();
  if (found === null) return null;
  const tree = await writeTree();
  const port = await freePort();
  await writeEchoScripts(tree);
  // Its workers give up being root, and must read the directory all the same.
  await chmod(tree.root, 0o755);
  const file = join(tree.root, "httpd.conf");
  await writeFile(file, configuration(tree, port, found.modules));
  const child = spawn(found.program, ["-f", file, "-DFOREGROUND"], { stdio: "ignore" });
  return runningOrigin(tree, port, [child], "env.cgi");
}

// Not prefork, which ends by ending all of its process group: the tests too.
const MODULES = ["mpm_event", "unixd", "authz_core", "dir", "mime", "cgi"];

/** Some of them are compiled in, which of them differs. */
function loading(name, modules) {
  return `<IfModule !mod_${name}.c>
      LoadModule ${name}_module "${modules}/mod_${name}.so"
    </IfModule>`;
}

function configuration({ root, site }, port, modules) {
  const user = process.getuid?.() === 0 ? "User nobody\nGroup nogroup" : "";
  return `
    ServerRoot "${root}"
    ServerName site.test
    Listen 127.0.0.1:${port}
    PidFile "${root}/httpd.pid"
    ErrorLog "${root}/error.log"
    ${MODULES.map((name) => loading(name, modules)).join("\n    ")}
    ${user}
    DocumentRoot "${site}"
    DirectoryIndex index.html
    TypesConfig /dev/null
    AddHandler cgi-script .cgi
    <Directory "${site}">
      Options +ExecCGI
      Require all granted
    </Directory>
  `;
}
