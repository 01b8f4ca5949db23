// The gate's own responses.

import { setAll } from "./headers.js";

// A response from a status, headers as "name\nvalue\nname\nvalue", and a body ("" for none).
export function makeResponse(status, headerLines, body) {
  return new Response(body === "" ? null : body, { status, headers: headersOf(headerLines) });
}

// Headers by their text. Making them is most of what an answer costs, and a flood of refusals says
// the same again and again; the runtime takes an existing object as it is.
function headersOf(lines) {
  let headers = known.get(lines);
  if (headers === undefined) {
    headers = new Headers();
    setAll(headers, lines.split("\n"));
    if (known.size >= MAX_KNOWN) known.clear();
    known.set(lines, headers);
  }
  return headers;
}

const known = new Map();
const MAX_KNOWN = 64;
