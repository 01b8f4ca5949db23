// The facts and preferences of a request. Each header that is read costs, so no others are.

import { read } from "./headers.js";

// The facts that the gate decides by, one a line; header values can't hold line breaks. `captured`
// are the headers that credentials stand in and those that visitors are told apart by, "" for none.
export function readRequest(request, captured) {
  const { headers, method } = request;
  let lines = `${method}\n${request.url}\n`;
  if (method === "OPTIONS") lines += read(headers, "origin");
  lines += "\n";
  if (method === "OPTIONS") lines += read(headers, "access-control-request-method");
  lines += "\n";
  if (method !== "GET") lines += read(headers, "upgrade");
  for (const name of captured) {
    if (name === "") lines += "\n";
    else if (name === BOT_CATEGORY) lines += `\n${request.cf?.verifiedBotCategory ?? ""}`;
    else lines += `\n${read(headers, name)}`;
  }
  return lines;
}

// Its name in `src/gate/captured.rs`; a test compares the two.
const BOT_CATEGORY = ":bot-category";

// The caller's preferences for an answer, one a line. The last matters only to pages of other
// sites.
export function readPreferences(request) {
  const { headers } = request;
  const origin = read(headers, "origin");
  const site = origin === "" ? "" : read(headers, "sec-fetch-site");
  return `${read(headers, "accept")}\n${origin}\n${read(headers, "sec-fetch-mode")}\n${site}`;
}
