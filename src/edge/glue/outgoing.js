// HTTP calls of the gate's own, each within a deadline. No redirects: only the configured host is
// asked.

import { boundedText } from "./body.js";
import { setAll } from "./headers.js";

// The text at a URL, at most `maxBytes` of it.
export async function fetchText(url, deadlineMs, maxBytes) {
  const response = await fetch(url, {
    headers: { accept: "application/json" },
    redirect: "manual",
    signal: AbortSignal.timeout(deadlineMs),
  });
  if (response.status !== 200) {
    await response.body?.cancel();
    throw new Error(`status ${response.status}`);
  }
  return boundedText(response.body, maxBytes);
}

// Calls the API of a payment provider. Answers "status\nbody", with at most `maxBytes` of the body.
export async function callApi(method, url, headerLines, body, deadlineMs, maxBytes) {
  const headers = new Headers({ accept: "application/json", "user-agent": "Tollgate" });
  setAll(headers, headerLines.split("\n"));
  const response = await fetch(url, {
    method,
    headers,
    ...(body === "" ? {} : { body }),
    redirect: "manual",
    signal: AbortSignal.timeout(deadlineMs),
  });
  return `${response.status}\n${await boundedText(response.body, maxBytes)}`;
}
