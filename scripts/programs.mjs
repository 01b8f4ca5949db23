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
