// Requests with a body on their way to the origin, and how far each of them has come.

import { NoAnswerInTime, within } from "./timing.js";

// The progress of an upload that begins now.
export function beginUpload() {
  return { begunAt: Date.now(), isWhole: false, isBroken: false };
}

// The progress of a request without a body.
export const NO_UPLOAD = { begunAt: 0, isWhole: true, isBroken: false };

// For how long a body has been on its way, 0 where all of it has come.
export function unsentMs({ begunAt, isWhole }) {
  return isWhole ? 0 : Date.now() - begunAt;
}

// Sends a request with a body, within a deadline for the answer. The clock runs once the last of
// the body is under way: an upload may last as long as a stream. `upload` keeps its progress.
//
// A body that has come with its request goes on in one piece, which costs less than a stream.
export async function uploaded(request, upload, init, send, deadlineMs) {
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
export function watched(request, upload, send, deadlineMs) {
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

// The caller, and not the origin, has broken the connection off. Rust tells it from other failures
// by its class.
export class BrokenUpload extends Error {
  constructor() {
    super("the body of the request broke off");
  }
}
