// Bodies, read as text with a bound.

import { within } from "./timing.js";

// The text of a request's body within the deadline; `BodyTooLong` where it has more than
// `maxBytes`.
export function readBody(request, maxBytes, deadlineMs) {
  return within(boundedText(request.body, maxBytes), deadlineMs);
}

export async function boundedText(body, maxBytes) {
  const chunks = [];
  let bytes = 0;
  for await (const chunk of body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > maxBytes) throw new BodyTooLong(maxBytes);
    chunks.push(chunk);
  }
  return new Blob(chunks).text();
}

// Rust tells it from other failures by its class.
export class BodyTooLong extends Error {
  constructor(maxBytes) {
    super(`more than ${maxBytes} bytes`);
  }
}
