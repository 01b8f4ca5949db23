// What is cheaper or only possible on JavaScript's side of the border. No decisions here: each
// function does one thing that `src/edge/*.rs` asks for. Strings cross in one piece, since every
// crossing costs (docs/performance.md).

// What the gate decides by, one a line; header values can't hold line breaks. `carriers` are the
// headers that credentials stand in, "" for none. Each header that is read costs, so no others are.
export function readRequest(request, carriers) {
  const { headers, method } = request;
  let lines = `${method}\n${request.url}\n`;
  lines += method === "OPTIONS" ? `${read(headers, "origin")}\n${read(headers, "access-control-request-method")}` : "\n";
  for (const name of carriers) lines += name === "" ? "\n" : `\n${read(headers, name)}`;
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
  return new Response(body === "" ? null : body, { status, headers: record(headerLines) });
}

// Sends the request on: to a service binding, or to a URL by the global fetch. Bodies stream both
// ways. `ownedHeaders` are removed from what came in, `setLines` are set ("name\nvalue…"; an empty
// value removes), `responseLines` are set on the response. The deadline is for the response's
// headers only, so that streams may last. Of the answer to a preflight only the CORS part is kept.
export function forward(
  request, service, url, ownedHeaders, setLines, responseLines, deadlineMs, isPreflight,
) {
  const headers = changedHeaders(request.headers, ownedHeaders, setLines);
  const abort = new AbortController();
  const late = () => abort.abort(new Error(`no answer within ${deadlineMs} ms`));
  let timer;
  let isAnswered = false;
  // The clock runs once the request is sent: an upload may last as long as a stream.
  const start = () => {
    if (!isAnswered) timer = setTimeout(late, deadlineMs);
  };
  const stop = () => {
    isAnswered = true;
    clearTimeout(timer);
  };
  const { method, body } = request;
  const init = { method, headers, redirect: "manual", signal: abort.signal };
  let target = url;
  if (body === null) start();
  else if (method !== "GET" && method !== "HEAD") init.body = bodyOf(request, start, abort);
  else {
    // Search clients send it. Only a copy of the request, its method untouched, may keep it.
    target = new Request(url, request);
    delete init.method;
    start();
  }
  const sent = service === undefined ? fetch(target, init) : service.fetch(target, init);
  const arrived = (response) => {
    stop();
    if (isPreflight) return preflightAnswer(response);
    return responseLines === "" ? response : decorated(response, responseLines);
  };
  return sent.then(arrived, (error) => {
    stop();
    throw error;
  });
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

// The text of a request's body, at most `maxBytes` of it, within the deadline.
export function readBody(request, maxBytes, deadlineMs) {
  return within(boundedText(request.body, maxBytes), deadlineMs);
}

// Asks the ledger of an account, within the deadline.
export async function askLedger(namespace, account, message, deadlineMs) {
  const stub = namespace.get(namespace.idFromName(account));
  const response = await stub.fetch("https://ledger/", {
    method: "POST",
    body: message,
    signal: AbortSignal.timeout(deadlineMs),
  });
  const text = await response.text();
  if (response.status !== 200) throw new Error(text || `status ${response.status}`);
  return text;
}

// Runs `work` as one transaction of the object's storage: a throw undoes all of it.
export function inTransaction(storage, work) {
  return storage.transactionSync(work);
}

// Asks a rate-limit binding whether `key` is within its rate, within the deadline.
export async function limitBurst(limiter, key, deadlineMs) {
  const { success } = await within(limiter.limit({ key }), deadlineMs);
  return success;
}

export function pause(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

async function within(promise, deadlineMs) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`nothing within ${deadlineMs} ms`)), deadlineMs);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
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

// As one object, which the runtime takes in faster than pairs. No name stands twice in an answer.
function record(lines) {
  const parts = lines.split("\n");
  const record = {};
  for (let at = 0; at + 1 < parts.length; at += 2) record[parts[at]] = parts[at + 1];
  return record;
}

function pairs(lines) {
  const parts = lines.split("\n");
  const pairs = [];
  for (let at = 0; at + 1 < parts.length; at += 2) pairs.push([parts[at], parts[at + 1]]);
  return pairs;
}

// The body of a request; `whenSent` is called when the last of it is under way. A small one counts
// as sent, since the pipe costs more than it is worth there.
function bodyOf(request, whenSent, abort) {
  const length = request.headers.get("content-length");
  if (length !== null && Number(length) <= SMALL_BODY_BYTES) {
    whenSent();
    return request.body;
  }
  const isChunked = length === null;
  const pipe = isChunked ? new IdentityTransformStream() : new FixedLengthStream(BigInt(length));
  // An aborted pipe would end like a whole body, and the origin take half an upload for all of it.
  const piped = request.body.pipeTo(pipe.writable, { preventAbort: true });
  piped.then(whenSent, (error) => abort.abort(error));
  return pipe.readable;
}

const SMALL_BODY_BYTES = 64 * 1024;

function changedHeaders(original, ownedHeaders, setLines) {
  const headers = new Headers(original);
  // The runtime takes the origin's `100 Continue` for its response.
  headers.delete("expect");
  for (const name of ownedHeaders) headers.delete(name);
  if (setLines !== "") setAll(headers, setLines);
  return headers;
}

function setAll(headers, lines) {
  for (const [name, value] of pairs(lines)) {
    if (value === "") headers.delete(name);
    else headers.set(name, value);
  }
}

function preflightAnswer(response) {
  response.body?.cancel();
  const ofCors = ([name]) =>
    name.startsWith("access-control-") || name === "vary" || name === "allow";
  const headers = [...response.headers].filter(ofCors);
  return new Response(null, { status: response.status, headers });
}

function decorated(response, lines) {
  // A WebSocket's 101 can't be made anew without its socket.
  if (response.status === 101) return response;
  const copy = new Response(response.body, response);
  setAll(copy.headers, lines);
  return copy;
}
