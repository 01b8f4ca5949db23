// To the origin and back: the request with other headers, its body as it streams, the deadline, and
// changes to the response. Decisions about them come from Rust.

import { SET_COOKIE, setAll, withoutKinds } from "./headers.js";
import { settleFailure, settleResponse } from "./settling.js";
import { within } from "./timing.js";
import { beginUpload, NO_UPLOAD, uploaded, watched } from "./upload.js";

// The options that requests of a route share. Rust makes them once, and sets them by name; a name
// that isn't here throws.
export class ForwardOptions {
  constructor() {
    // A service binding. Requests go to a URL where it is undefined.
    this.service = undefined;
    // The text before each target: scheme and host of the origin.
    this.base = "";
    // The kinds of headers that are taken off a request, a sum of bits.
    this.removedKinds = 0;
    // Whether the platform may keep a URL's answer.
    this.isCached = false;
    // The deadline is for the response's headers only, so that streams may last.
    this.deadlineMs = 0;
    // A preflight takes no body along, and of its answer only the CORS part is kept.
    this.isPreflight = false;
    // The outcomes on which a charge is settled.
    this.settleOnAnyResponse = false;
    this.settleOnCacheHit = false;
    this.settleOnFailure = false;
    this.settleOnNotModified = false;
    // Whether the origin's statement of the cost is read for it.
    this.readsCost = false;
    Object.seal(this);
  }
}

// Sends the request on: to a service binding, or to a URL by the global fetch. Bodies stream both
// ways. `head` is the target and the headers to set, "target\nname\nvalue…" (an empty value
// removes); `responseLines` are set on the response. `unsettled` is the request's charge, if
// it has one: on the outcomes that the options name the gate looks at it again, and may return a
// cookie to set.
export function forward(request, context, options, head, responseLines, unsettled) {
  const { method, body } = request;
  const { service, deadlineMs } = options;
  const isRead = method === "GET" || method === "HEAD";
  const parts = head.split("\n");
  // Joined as text: a URL parser would read `//host` in the path as another server.
  const url = options.base + parts[0];
  const headers = withoutKinds(request.headers, options.removedKinds);
  setAll(headers, parts, 1);
  const init = { method, headers, redirect: "manual" };
  // The platform keeps only answers to GET and HEAD, and this option adds headers.
  if (isRead && !options.isCached && service === undefined) init.cache = "no-store";
  const send = (target) => {
    return service === undefined ? fetch(target, init) : service.fetch(target, init);
  };
  if (options.isPreflight) return within(send(url), deadlineMs).then(preflightAnswer);
  let answer;
  let upload = NO_UPLOAD;
  if (body === null) {
    answer = within(send(url), deadlineMs);
  } else {
    upload = beginUpload();
    // Search clients send a body with GET. Only a copy of the request, its method untouched, may
    // keep it.
    if (isRead) delete init.method;
    const sendCopy = () => send(new Request(url, request));
    answer = isRead
      ? watched(request, upload, sendCopy, deadlineMs)
      : uploaded(request, upload, init, () => send(url), deadlineMs);
  }
  if (unsettled !== undefined) {
    const settled = (response) => {
      const cookie = settleResponse(response, options, context, unsettled, upload);
      return decorated(response, responseLines, cookie);
    };
    const failed = (error) => {
      settleFailure(options, context, unsettled, upload);
      throw error;
    };
    return answer.then(settled, failed);
  }
  if (responseLines === "") return answer;
  return answer.then((response) => decorated(response, responseLines));
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
  // A WebSocket's 101 stays as it is, unless its reader needs a cookie with the new count.
  if (status === 101 && cookie === "") return response;
  const copy =
    status === 101
      ? new Response(null, { status, webSocket, headers })
      : new Response(body, response);
  setAll(copy.headers, lines.split("\n"));
  if (cookie !== "") copy.headers.append(SET_COOKIE, cookie);
  return copy;
}
