// lighttpd with mod_cgi, configured in a temporary directory. It makes one variable of all headers
// whose names differ in signs alone: `Tollgate.Account` is `Tollgate-Account` to its scripts.
import { spawn } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";

import { findLighttpd } from "../../../scripts/programs.mjs";
import { freePort } from "../fixtures/ports.mjs";
import { runningOrigin, writeEchoScripts, writeTree } from "./tree.mjs";

/** Starts it; returns `{ url, port, echo, stop() }`, or `null` where it is not installed. */
export async function startLighttpdOrigin() {
  const program = findLighttpd();
  if (program === null) return null;
  const tree = await writeTree();
  const port = await freePort();
  await writeEchoScripts(tree);
  const file = join(tree.root, "lighttpd.conf");
  await writeFile(file, configuration(tree, port));
  const child = spawn(program, ["-D", "-f", file], { stdio: "ignore" });
  return runningOrigin(tree, port, [child], "env.cgi");
}

function configuration({ root, site }, port) {
  return `
    server.modules = ( "mod_cgi" )
    server.document-root = "${site}"
    server.bind = "127.0.0.1"
    server.port = ${port}
    server.errorlog = "${root}/error.log"
    server.upload-dirs = ( "${root}" )
    index-file.names = ( "index.html" )
    mimetype.assign = ( "" => "text/plain" )
    cgi.assign = ( ".cgi" => "" )
  `;
}
