// Charges that the gate looks at again once the origin has answered.

import { read } from "./headers.js";
import { unsentMs } from "./upload.js";

// Sets the function that settles charges, and the number that stands for the time of a body that
// the caller has broken off. Each instance of the module registers its own.
export function setSettler(settle, brokenOffMs) {
  settler = settle;
  brokenOff = brokenOffMs;
}

let settler = () => "";
let brokenOff = 0;

// Has the charge settled where the response is one of the outcomes that `options` names. Returns a
// cookie to set, "" for none.
export function settleResponse(response, options, context, unsettled, upload) {
  const { status, headers } = response;
  const cacheStatus = options.settleOnCacheHit ? read(headers, "cf-cache-status") : "";
  const isNamed =
    options.settleOnAnyResponse ||
    (options.settleOnFailure && status >= 500) ||
    (options.settleOnNotModified && status === 304) ||
    cacheStatus !== "";
  if (!isNamed) return "";
  const cost = options.readsCost ? read(headers, "tollgate-cost") : "";
  return settle(context, unsettled, status, cost, cacheStatus, upload);
}

// The same where there is no response.
export function settleFailure(options, context, unsettled, upload) {
  if (options.settleOnFailure) settle(context, unsettled, 0, "", "", upload);
}

function settle(context, unsettled, status, cost, cacheStatus, upload) {
  const unsentForMs = upload.isBroken ? brokenOff : unsentMs(upload);
  try {
    return settler(context, unsettled, status, cost, cacheStatus, unsentForMs);
  } catch {
    // The instance that charged has panicked. Its memory is lost, but the response is not.
    return "";
  }
}
