// How the pretend provider's API can go wrong.

import { setTimeout as pause } from "node:timers/promises";

const MEGABYTE = 1_048_576;

/** What `faults.set` knows, beside `works`. */
export const FAULTS = {
  slow: "answers, and takes its time",
  hangs: "takes the question and never answers",
  down: "closes the connection",
  fails: "500",
  overloaded: "503, without a body that says why",
  rate_limited: "429",
  unauthorized: "401: the key is wrong",
  malformed: "200, and JSON that breaks off",
  page: "200, and a page for people instead of JSON",
  wrong: "200, and JSON that is something else",
  hostile: "200, and an address that is none of a web page",
  huge: "200, and far too much",
};

const apiError = (message, type = "api_error") => JSON.stringify({ error: { message, type } });

/** The switch: `set(mode, { ms, times, path })` for all requests, the next `times`, or those to `path`. */
export function makeFaults() {
  let fault = { mode: "works" };
  return {
    get mode() {
      return fault.mode;
    },
    set(mode, { ms = 1_000, times = Infinity, path = null } = {}) {
      if (mode !== "works" && !Object.hasOwn(FAULTS, mode)) throw new Error(`no such fault: ${mode}`);
      fault = { mode, ms, times, path };
    },
    /** What goes wrong with a request to `path`: `works` where nothing does. */
    next(path) {
      const { mode, ms, times } = fault;
      if (mode === "works" || (fault.path !== null && fault.path !== path)) return { mode: "works" };
      fault.times = times - 1;
      if (fault.times <= 0) fault = { mode: "works" };
      return { mode, ms };
    },
  };
}

/** Makes a request go wrong; true where it still is to be answered as usual. */
export async function goWrong({ mode, ms }, response) {
  const json = (status, body) => {
    response.writeHead(status, { "content-type": "application/json" }).end(body);
    return false;
  };
  switch (mode) {
    case "works":
      return true;
    case "slow":
      await pause(ms, undefined, { ref: false });
      return !response.destroyed;
    case "hangs":
      return false;
    case "down":
      response.destroy();
      return false;
    case "fails":
      return json(500, apiError("An unknown error occurred"));
    case "overloaded":
      response.writeHead(503, { "content-type": "text/plain" }).end("upstream connect error");
      return false;
    case "rate_limited":
      return json(429, apiError("Request rate limit exceeded.", "invalid_request_error"));
    case "unauthorized":
      return json(401, apiError("Invalid API Key provided: sk_test_****", "invalid_request_error"));
    case "malformed":
      return json(200, `{"id": "bps_1", "object": "billing_portal.session", "url": "http`);
    case "page":
      response.writeHead(200, { "content-type": "text/html" }).end("<!doctype html><title>Maintenance</title><p>Back soon.");
      return false;
    case "wrong":
      return json(200, JSON.stringify({ object: "list", data: "none", url: 17, has_more: "perhaps", deleted: [] }));
    case "hostile":
      return json(200, JSON.stringify({ id: "bps_1", object: "billing_portal.session", url: "javascript:alert(document.domain)" }));
    default:
      return json(200, JSON.stringify({ url: "http://127.0.0.1/".padEnd(9 * MEGABYTE, "a") }));
  }
}
