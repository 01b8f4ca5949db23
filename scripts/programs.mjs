// Programs that only the tests need, and that no package registry brings.

import { existsSync, readdirSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

/** Path of a Chromium or Chrome, or `null`. `CHROMIUM_BIN` overrides the search. */
export function findChromium() {
  return find(process.env.CHROMIUM_BIN, [
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
  ]);
}

/** Path of nginx, or `null`. `NGINX_BIN` overrides the search. */
export function findNginx() {
  return find(process.env.NGINX_BIN, ["nginx", "/usr/sbin/nginx", "/opt/homebrew/bin/nginx"]);
}

/** Path of lighttpd, or `null`. `LIGHTTPD_BIN` overrides the search. */
export function findLighttpd() {
  return find(process.env.LIGHTTPD_BIN, ["lighttpd", "/usr/sbin/lighttpd", "/opt/homebrew/bin/lighttpd"]);
}

/** Path of Apache and of the folder of its modules, or `null`. `APACHE_BIN` overrides the search. */
export function findApache() {
  const program = find(process.env.APACHE_BIN, ["apache2", "/usr/sbin/apache2", "httpd", "/usr/sbin/httpd"]);
  const modules = APACHE_MODULES.find((folder) => existsSync(join(folder, "mod_cgi.so")));
  return program && modules ? { program, modules } : null;
}

const APACHE_MODULES = [
  "/usr/lib/apache2/modules",
  "/usr/lib64/httpd/modules",
  "/usr/lib/httpd/modules",
  "/usr/libexec/apache2",
  "/opt/homebrew/lib/httpd/modules",
];

/** Path of PHP's FastCGI server, or `null`. `PHP_CGI_BIN` overrides the search. */
export function findPhpCgi() {
  return find(process.env.PHP_CGI_BIN, ["php-cgi", "/opt/homebrew/bin/php-cgi"]);
}

/** Path of uWSGI with Python in it, or `null`. `UWSGI_BIN` overrides the search. */
export function findUwsgi() {
  return find(process.env.UWSGI_BIN, ["uwsgi", "/usr/bin/uwsgi", "/opt/homebrew/bin/uwsgi"]);
}

/** What asks an API all that its OpenAPI document allows, and more. */
export const SCHEMATHESIS_VERSION = "4.32.5";

/** Path of the Schemathesis that setup.mjs has installed, or `null`. */
export function findSchemathesis() {
  const folder = fileURLToPath(new URL("../.tools/schemathesis", import.meta.url));
  const library = join(folder, "lib");
  const pythons = existsSync(library) ? readdirSync(library) : [];
  const installed = `site-packages/schemathesis-${SCHEMATHESIS_VERSION}.dist-info`;
  const isThere = pythons.some((python) => existsSync(join(library, python, installed)));
  return isThere ? join(folder, "bin/schemathesis") : null;
}

function find(override, candidates) {
  if (override) return existsSync(override) ? override : null;
  const folders = (process.env.PATH ?? "").split(delimiter);
  for (const candidate of candidates) {
    const places = candidate.startsWith("/") ? [candidate] : folders.map((dir) => join(dir, candidate));
    const found = places.find((place) => existsSync(place));
    if (found) return found;
  }
  return null;
}
