// To the origin and back, on JavaScript's side of the border: the request with other headers, its
// body as it streams, the deadline, and changes to the response. No decisions here either.

import { NoAnswerInTime, read, SET_COOKIE, setAll, within } from "./glue.js";

// Sends the request on: to a service binding, or to a URL by the global fetch. Bodies stream both
// ways. Headers of the kinds in `removed` (a sum of bits) are taken off the request, `setLines` are
// set on it ("name\nvalue…"; an empty value removes), `responseLines` are set on the response. The
// platform keeps a URL's answer only where `isCached`. The deadline is for the response's headers
// only, so that streams may last. A preflight takes no body along, and of its answer only the CORS
// part is kept. `charge` is the request's cost ("" for none); on one of the `occasions` the gate
// looks at it again, and may return a cookie to set.
export function forward(
  request, service, url, removed, setLines, responseLines, isCached, deadlineMs, isPreflight,
  context, charge, occasions,
) {
  const { method, body } = request;
  const isRead = method === "GET" || method === "HEAD";
  const headers = changedHeaders(request.headers, removed, setLines);
  const init = { method, headers, redirect: "manual" };
  // The platform keeps only answers to GET and HEAD, and this option adds headers.
  if (isRead && !isCached && service === undefined) init.cache = "no-store";
  const send = (target) => {
    return service === undefined ? fetch(target, init) : service.fetch(target, init);
  };
  if (isPreflight) return within(send(url), deadlineMs).then(preflightAnswer);
  let answer;
  let upload = NO_UPLOAD;
  if (body === null) {
    answer = within(send(url), deadlineMs);
  } else {
    upload = { begunAt: Date.now(), isWhole: false, isBroken: false };
    // Search clients send a body with GET. Only a copy of the request, its method untouched, may
    // keep it.
    if (isRead) delete init.method;
    const sendCopy = () => send(new Request(url, request));
    answer = isRead
      ? watched(request, upload, sendCopy, deadlineMs)
      : uploaded(request, upload, init, () => send(url), deadlineMs);
  }
  if (charge !== "" && occasions !== 0) {
    const settled = (response) => {
      const cookie = settle(response, context, charge, occasions, upload);
      return decorated(response, responseLines, cookie);
    };
    const failed = (error) => {
      if (occasions & FAILED) settleWith(context, charge, 0, "", "", unsentMs(upload));
      throw error;
    };
    return answer.then(settled, failed);
  }
  if (responseLines === "") return answer;
  return answer.then((response) => decorated(response, responseLines));
}

// Sets the function that settles charges. Each instance of the module registers its own.
export function setSettler(settle) {
  settler = settle;
}

// The same for the function that returns the kind of a header.
export function setHeaderKinds(kindOf) {
  judge = kindOf;
  kinds.clear();
}

let settler = () => "";
let judge = () => 0;

// The same bits as in `origin.rs`.
const FAILED = 1;
const NOT_MODIFIED = 2;
const CACHE_HIT = 4;
const ALWAYS = 8;
const PAGE = 16;

// Has the charge looked at where this response is one of the occasions. Returns a cookie to set, ""
// for none.
function settle(response, context, charge, occasions, upload) {
  const { status, headers } = response;
  const cacheStatus = occasions & CACHE_HIT ? read(headers, "cf-cache-status") : "";
  const isOccasion =
    (occasions & FAILED && status >= 500) ||
    (occasions & NOT_MODIFIED && status === 304) ||
    cacheStatus !== "" ||
    occasions & (ALWAYS | PAGE);
  if (!isOccasion) return "";
  const cost = occasions & ALWAYS ? read(headers, "tollgate-cost") : "";
  return settleWith(context, charge, status, cost, cacheStatus, unsentMs(upload));
}

function settleWith(...answer) {
  try {
    return settler(...answer);
  } catch {
    // The instance that charged has panicked. Its memory is lost, but the response is not.
    return "";
  }
}

// Sends a request with a body, within a deadline for the answer. The clock runs once the last of
// the body is under way: an upload may last as long as a stream. `upload` keeps its progress.
//
// A body that has come with its request goes on in one piece, which costs less than a stream.
async function uploaded(request, upload, init, send, deadlineMs) {
  const length = request.headers.get("content-length");
  if (length === null || Number(length) > ONE_READ_BYTES) {
    return piped(request.body, upload, length, init, send, deadlineMs);
  }
  const reader = request.body.getReader();
  const { value = NO_BYTES } = await reader.read().catch(() => brokenOff(upload));
  if (value.byteLength === Number(length)) {
    upload.isWhole = true;
    init.body = value;
    return within(send(), deadlineMs);
  }
  reader.releaseLock();
  return piped(request.body, upload, length, init, send, deadlineMs, value);
}

// The size of one read by the runtime.
const ONE_READ_BYTES = 4096;
const NO_BYTES = new Uint8Array(0);

// The same through a pipe, of a body whose `first` bytes were read already.
function piped(body, upload, length, init, send, deadlineMs, first) {
  const abort = new AbortController();
  // The runtime doesn't hand on the very error that a request was aborted with.
  let failure;
  const giveUp = (why) => {
    failure = why;
    abort.abort(why);
  };
  let timer;
  let isAnswered = false;
  const whole = () => {
    upload.isWhole = true;
    const late = () => giveUp(new NoAnswerInTime(deadlineMs));
    if (!isAnswered) timer = setTimeout(late, deadlineMs);
  };
  // A pipe breaks at both ends alike. Only where the origin's has failed, the request fails with
  // it.
  const broken = () => {
    if (isAnswered) return;
    upload.isBroken = true;
    giveUp(new BrokenUpload());
  };
  const stop = () => {
    isAnswered = true;
    clearTimeout(timer);
  };
  const answered = (response) => {
    stop();
    return response;
  };
  const failed = (error) => {
    stop();
    throw failure ?? error;
  };
  const pipe =
    length === null ? new IdentityTransformStream() : new FixedLengthStream(BigInt(length));
  init.body = pipe.readable;
  init.signal = abort.signal;
  const answer = send().then(answered, failed);
  if (first !== undefined) {
    const writer = pipe.writable.getWriter();
    writer.write(first).catch(() => {});
    writer.releaseLock();
  }
  // An aborted pipe would end like a whole body, and the origin take half an upload for all of it.
  const ended = () => setTimeout(broken, FAILS_TOGETHER_MS);
  body.pipeTo(pipe.writable, { preventAbort: true }).then(whole, ended);
  return answer;
}

// Time for the other end of a broken pipe to fail too.
const FAILS_TOGETHER_MS = 10;

// The same for a body that can't be looked at on its way, only at a copy of it. A large one is not
// copied, since the copy would have to be kept: it never counts as sent in full.
function watched(request, upload, send, deadlineMs) {
  const length = request.headers.get("content-length");
  if (length === null || Number(length) > COPIED_BYTES) {
    upload.isBroken = true;
    return within(send(), deadlineMs);
  }
  const copy = request.clone();
  const answer = send();
  const whole = copy.arrayBuffer().then(
    () => (upload.isWhole = true),
    () => brokenOff(upload),
  );
  // A failure for want of a body counts as a broken upload, even if the origin notices first.
  const failed = (error) => whole.then(() => Promise.reject(error));
  const inTime = whole.then(() => within(answer, deadlineMs));
  return Promise.race([answer.catch(failed), inTime]);
}

const COPIED_BYTES = 64 * 1024;

function brokenOff(upload) {
  upload.isBroken = true;
  throw new BrokenUpload();
}

// The caller, and not the origin, has broken the connection off.
export class BrokenUpload extends Error {
  constructor() {
    super("the body of the request broke off");
  }
}

// For how long a body has been on its way, 0 where all of it has come.
function unsentMs({ begunAt, isWhole, isBroken }) {
  if (isBroken) return BROKEN_OFF;
  return isWhole ? 0 : Date.now() - begunAt;
}

const NO_UPLOAD = { isWhole: true };
// The same number as in `afterwards.rs`.
const BROKEN_OFF = 0xffffffff;

function changedHeaders(original, removed, setLines) {
  const headers = new Headers(original);
  for (const name of original.keys()) if (kindOf(name) & removed) headers.delete(name);
  if (setLines !== "") setAll(headers, setLines);
  return headers;
}

// Asks the gate once for each name, since a look into a map costs less. Most callers send the same
// few dozen. Many made-up names only empty the map, so that names are asked about again.
function kindOf(name) {
  let kind = kinds.get(name);
  if (kind === undefined) {
    kind = judge(name);
    if (kinds.size >= MAX_KINDS) kinds.clear();
    kinds.set(name, kind);
  }
  return kind;
}

const kinds = new Map();
const MAX_KINDS = 512;

function preflightAnswer(response) {
  response.body?.cancel();
  const ofCors = ([name]) =>
    name.startsWith("access-control-") || name === "vary" || name === "allow";
  const headers = [...response.headers].filter(ofCors);
  return new Response(null, { status: response.status, headers });
}

function decorated(response, lines, cookie = "") {
  const { status, body, webSocket, headers } = response;
  // A WebSocket's 101 stays as it is, unless its reader needs a cookie with the new count.
  if (status === 101 && cookie === "") return response;
  const copy =
    status === 101
      ? new Response(null, { status, webSocket, headers })
      : new Response(body, response);
  setAll(copy.headers, lines);
  if (cookie !== "") copy.headers.append(SET_COOKIE, cookie);
  return copy;
}
