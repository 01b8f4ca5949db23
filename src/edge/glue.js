// What is cheaper or only possible on JavaScript's side of the border. No decisions here: each
// function does one thing that `src/edge/*.rs` asks for. Strings cross in one piece, since every
// crossing costs (docs/performance.md).

// What the gate decides by, one a line; header values can't hold line breaks. `carriers` are the
// headers that credentials stand in and what is asked of visitors, "" for none. Each header that is
// read costs, so no others are.
export function readRequest(request, carriers) {
  const { headers, method } = request;
  let lines = `${method}\n${request.url}\n`;
  if (method === "OPTIONS") lines += read(headers, "origin");
  lines += "\n";
  if (method === "OPTIONS") lines += read(headers, "access-control-request-method");
  lines += "\n";
  if (method !== "GET") lines += read(headers, "upgrade");
  for (const name of carriers) {
    if (name === "") lines += "\n";
    else if (name === BOT_CATEGORY) lines += `\n${request.cf?.verifiedBotCategory ?? ""}`;
    else lines += `\n${read(headers, name)}`;
  }
  return lines;
}

// How the caller wants an answer, one a line. The last one matters only to pages of other sites.
export function readPreferences(request) {
  const { headers } = request;
  const origin = read(headers, "origin");
  const site = origin === "" ? "" : read(headers, "sec-fetch-site");
  return `${read(headers, "accept")}\n${origin}\n${read(headers, "sec-fetch-mode")}\n${site}`;
}

// A response from a status, headers as "name\nvalue\nname\nvalue", and a body ("" for none).
export function makeResponse(status, headerLines, body) {
  return new Response(body === "" ? null : body, { status, headers: headersOf(headerLines) });
}

// Lets work go on after the response.
export function waitUntil(context, promise) {
  context?.waitUntil?.(promise);
}

// The text at a URL, at most `maxBytes` of it, within the deadline. No redirects: only the
// configured host is asked.
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

// Calls the API of a payment provider, within the deadline. Answers "status\nbody", with at most
// `maxBytes` of the body. No redirects, for the same reason.
export async function callApi(method, url, headerLines, body, deadlineMs, maxBytes) {
  const headers = new Headers({ accept: "application/json", "user-agent": "Tollgate" });
  setAll(headers, headerLines);
  const response = await fetch(url, {
    method,
    headers,
    ...(body === "" ? {} : { body }),
    redirect: "manual",
    signal: AbortSignal.timeout(deadlineMs),
  });
  return `${response.status}\n${await boundedText(response.body, maxBytes)}`;
}

// Posts a webhook (Standard Webhooks), signed with each of the keys (base64, apart by spaces), and
// returns the status. No redirects, for the same reason.
export async function postWebhook(url, keys, id, timestamp, body, deadlineMs) {
  const text = `${id}.${timestamp}.${body}`;
  const signatures = await Promise.all(keys.split(" ").map((key) => signature(key, text)));
  const response = await fetch(url, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      "user-agent": "Tollgate",
      "webhook-id": id,
      "webhook-timestamp": timestamp,
      "webhook-signature": signatures.join(" "),
    },
    body,
    redirect: "manual",
    signal: AbortSignal.timeout(deadlineMs),
  });
  await response.body?.cancel();
  return String(response.status);
}

// The text of a request's body within the deadline; `BodyTooLong` where it has more than
// `maxBytes`.
export function readBody(request, maxBytes, deadlineMs) {
  return within(boundedText(request.body, maxBytes), deadlineMs);
}

// Asks the ledger of an account, within the deadline.
export function askLedger(namespace, account, message, deadlineMs) {
  return within(tellLedger(namespace, account, message), deadlineMs);
}

// Runs `work` as one transaction of the object's storage: a throw undoes all of it.
export function inTransaction(storage, work) {
  return storage.transactionSync(work);
}

// Has an object woken at a time. Nobody waits for it: it is kept together with what was written
// before.
export function wakeAt(storage, atMs) {
  try {
    storage.setAlarm(Number(atMs)).catch((error) => console.error(error));
  } catch (error) {
    console.error(error);
  }
}

// Runs a query of the object's database. The columns of every row come back one after another.
export function runQuery(sql, query, values) {
  return [...sql.exec(query, ...values).raw()].flat();
}

// Asks a rate-limit binding whether `key` is within its rate, within the deadline.
export async function limitBurst(limiter, key, deadlineMs) {
  const { success } = await within(limiter.limit({ key }), deadlineMs);
  return success;
}

// Random bytes as base64url.
export function randomText(bytes) {
  const random = crypto.getRandomValues(new Uint8Array(bytes));
  const text = btoa(String.fromCharCode(...random));
  return text.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

// What anything thrown says. Rust's own way brings the printing of floating-point numbers along.
export function textOf(value) {
  return String(value);
}

export function pause(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

// Its name in `captured.rs`.
const BOT_CATEGORY = ":bot-category";

async function signature(key, text) {
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const bytes = Uint8Array.from(atob(key), (one) => one.charCodeAt(0));
  const imported = await crypto.subtle.importKey("raw", bytes, algorithm, false, ["sign"]);
  const signed = await crypto.subtle.sign("HMAC", imported, new TextEncoder().encode(text));
  return `v1,${btoa(String.fromCharCode(...new Uint8Array(signed)))}`;
}

// Failures that Rust tells apart, by their class. All others are only for the log.
export class BodyTooLong extends Error {
  constructor(maxBytes) {
    super(`more than ${maxBytes} bytes`);
  }
}

export class NoAnswerInTime extends Error {
  constructor(deadlineMs) {
    super(`no answer within ${deadlineMs} ms`);
    this.deadlineMs = deadlineMs;
  }
}

async function boundedText(body, maxBytes) {
  const chunks = [];
  let bytes = 0;
  for await (const chunk of body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > maxBytes) throw new BodyTooLong(maxBytes);
    chunks.push(chunk);
  }
  return new Blob(chunks).text();
}

export function read(headers, name) {
  return headers.get(name) ?? "";
}

// Headers by their text. Making them is most of what an answer costs, and a flood of refusals says
// the same again and again; the runtime takes an existing object as it is.
function headersOf(lines) {
  let headers = known.get(lines);
  if (headers === undefined) {
    headers = new Headers();
    setAll(headers, lines);
    if (known.size >= MAX_KNOWN) known.clear();
    known.set(lines, headers);
  }
  return headers;
}

const known = new Map();
const MAX_KNOWN = 64;

// What a promise comes to, if it does within the deadline. A timer costs less than an abort signal,
// which the runtime has to watch and sweep up; what a late fetch still holds ends with its request.
export function within(promise, deadlineMs) {
  return new Promise((resolve, reject) => {
    const late = () => reject(new NoAnswerInTime(deadlineMs));
    const timer = setTimeout(late, deadlineMs);
    const settle = (then) => (value) => {
      clearTimeout(timer);
      then(value);
    };
    promise.then(settle(resolve), settle(reject));
  });
}

async function tellLedger(namespace, account, message) {
  const stub = namespace.get(namespace.idFromName(account));
  const response = await stub.fetch("https://ledger/", { method: "POST", body: message });
  const text = await response.text();
  if (response.status !== 200) throw new Error(text || `status ${response.status}`);
  return text;
}

export function setAll(headers, lines) {
  const parts = lines.split("\n");
  for (let at = 0; at + 1 < parts.length; at += 2) {
    if (parts[at + 1] === "") headers.delete(parts[at]);
    else if (parts[at] === SET_COOKIE) headers.append(SET_COOKIE, parts[at + 1]);
    else headers.set(parts[at], parts[at + 1]);
  }
}

// The one header that a response has several of: the origin's own stay.
export const SET_COOKIE = "Set-Cookie";
