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

// Sends the request on: to a service binding, or to a URL by the global fetch. Bodies stream both
// ways. The headers in `owned` (a set of lower-case names) are removed from what came in,
// `setLines` are set ("name\nvalue…"; an empty value removes), `responseLines` are set on the
// response. The deadline is for the response's headers only, so that streams may last. Of the
// answer to a preflight only the CORS part is kept. `charge` is what the request cost ("" for
// nothing); on one of the `occasions` the gate looks at it again, and may say what cookie to set.
export function forward(
  request, service, url, owned, setLines, responseLines, deadlineMs, isPreflight, context, charge,
  occasions,
) {
  const { method, body } = request;
  const headers = changedHeaders(request.headers, owned, setLines);
  const init = { method, headers, redirect: "manual" };
  const send = (target) => {
    return service === undefined ? fetch(target, init) : service.fetch(target, init);
  };
  let answer;
  if (body === null) {
    answer = within(send(url), deadlineMs);
  } else if (method === "GET" || method === "HEAD") {
    // Search clients send it. Only a copy of the request, its method untouched, may keep it.
    delete init.method;
    answer = within(send(new Request(url, request)), deadlineMs);
  } else {
    answer = uploaded(request, init, () => send(url), deadlineMs);
  }
  if (isPreflight) return answer.then(preflightAnswer);
  if (charge !== "" && occasions !== 0) {
    const settled = (response) => {
      const cookie = settle(response, context, charge, occasions);
      return decorated(response, responseLines, cookie);
    };
    const failed = (error) => {
      // The origin may have done its work by then, so who breaks off pays all the same.
      const isTheirs = String(error).includes(BROKEN_UPLOAD);
      if (occasions & FAILED && !isTheirs) settleWith(context, charge, 0, "", "");
      throw error;
    };
    return answer.then(settled, failed);
  }
  if (responseLines === "") return answer;
  return answer.then((response) => decorated(response, responseLines));
}

// Who settles a charge: each instance of the module says so of itself.
export function setSettler(settle) {
  settler = settle;
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

// The text of a request's body, at most `maxBytes` of it, within the deadline.
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

let settler = () => "";

// What `visitor.rs` calls it.
const BOT_CATEGORY = ":bot-category";

async function signature(key, text) {
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const bytes = Uint8Array.from(atob(key), (one) => one.charCodeAt(0));
  const imported = await crypto.subtle.importKey("raw", bytes, algorithm, false, ["sign"]);
  const signed = await crypto.subtle.sign("HMAC", imported, new TextEncoder().encode(text));
  return `v1,${btoa(String.fromCharCode(...new Uint8Array(signed)))}`;
}

// The same bits as in `origin.rs`.
const FAILED = 1;
const NOT_MODIFIED = 2;
const CACHE_HIT = 4;
const ALWAYS = 8;
const PAGE = 16;

// Has the charge looked at where this response is one of the occasions. Returns a cookie to set, ""
// for none.
function settle(response, context, charge, occasions) {
  const { status, headers } = response;
  const cacheStatus = occasions & CACHE_HIT ? read(headers, "cf-cache-status") : "";
  const isOccasion =
    (occasions & FAILED && status >= 500) ||
    (occasions & NOT_MODIFIED && status === 304) ||
    cacheStatus !== "" ||
    occasions & (ALWAYS | PAGE);
  if (!isOccasion) return "";
  const cost = occasions & ALWAYS ? read(headers, "tollgate-cost") : "";
  return settleWith(context, charge, status, cost, cacheStatus);
}

function settleWith(...answer) {
  try {
    return settler(...answer);
  } catch {
    // The instance that charged has panicked: what it held is lost, and the response is not.
    return "";
  }
}

async function boundedText(body, maxBytes) {
  const chunks = [];
  let bytes = 0;
  for await (const chunk of body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > maxBytes) throw new Error(`more than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return new Blob(chunks).text();
}

function read(headers, name) {
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
function within(promise, deadlineMs) {
  return new Promise((resolve, reject) => {
    const late = () => reject(new Error(`no answer within ${deadlineMs} ms`));
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

// The same for a request whose body streams. The clock runs once the last of it is under way: an
// upload may last as long as a stream. A small body counts as sent at once, since the pipe costs
// more than it is worth there.
function uploaded(request, init, send, deadlineMs) {
  const length = request.headers.get("content-length");
  if (length !== null && Number(length) <= SMALL_BODY_BYTES) {
    init.body = request.body;
    return within(send(), deadlineMs);
  }
  const abort = new AbortController();
  let timer;
  let isAnswered = false;
  const start = () => {
    const late = () => abort.abort(new Error(`no answer within ${deadlineMs} ms`));
    if (!isAnswered) timer = setTimeout(late, deadlineMs);
  };
  const stop = () => {
    isAnswered = true;
    clearTimeout(timer);
  };
  const pipe =
    length === null ? new IdentityTransformStream() : new FixedLengthStream(BigInt(length));
  // An aborted pipe would end like a whole body, and the origin take half an upload for all of it.
  const piped = request.body.pipeTo(pipe.writable, { preventAbort: true });
  piped.then(start, () => abort.abort(new Error(BROKEN_UPLOAD)));
  init.body = pipe.readable;
  init.signal = abort.signal;
  return send().finally(stop);
}

const SMALL_BODY_BYTES = 64 * 1024;

// Told from an origin that fails: this is the caller's doing. `glue.rs` knows it by the same words.
const BROKEN_UPLOAD = "the body of the request broke off";

function changedHeaders(original, owned, setLines) {
  const headers = new Headers(original);
  for (const name of original.keys()) if (owned.has(name)) headers.delete(name);
  if (setLines !== "") setAll(headers, setLines);
  return headers;
}

function setAll(headers, lines) {
  const parts = lines.split("\n");
  for (let at = 0; at + 1 < parts.length; at += 2) {
    if (parts[at + 1] === "") headers.delete(parts[at]);
    else if (parts[at] === SET_COOKIE) headers.append(SET_COOKIE, parts[at + 1]);
    else headers.set(parts[at], parts[at + 1]);
  }
}

function preflightAnswer(response) {
  response.body?.cancel();
  const ofCors = ([name]) =>
    name.startsWith("access-control-") || name === "vary" || name === "allow";
  const headers = [...response.headers].filter(ofCors);
  return new Response(null, { status: response.status, headers });
}

function decorated(response, lines, cookie = "") {
  const { status, body, webSocket, headers } = response;
  // A WebSocket's 101 stays as it is, unless its reader has to be told what it has used.
  if (status === 101 && cookie === "") return response;
  const copy =
    status === 101
      ? new Response(null, { status, webSocket, headers })
      : new Response(body, response);
  setAll(copy.headers, lines);
  if (cookie !== "") copy.headers.append(SET_COOKIE, cookie);
  return copy;
}

// The one header that a response has several of: the origin's own stay.
const SET_COOKIE = "Set-Cookie";
