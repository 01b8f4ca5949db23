// Programs that only the tests need, and that no package registry brings.

import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";

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
