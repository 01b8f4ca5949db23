// Timers, deadlines, and work after the response.

export function pause(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

// Lets work go on after the response.
export function waitUntil(context, promise) {
  context?.waitUntil?.(promise);
}

// The outcome of a promise if it has one within the deadline, else `NoAnswerInTime`. A timer costs
// less than an abort signal, which the runtime has to watch and sweep up. A late fetch ends with
// its request.
export function within(promise, deadlineMs) {
  return new Promise((resolve, reject) => {
    const late = () => reject(new NoAnswerInTime(deadlineMs));
    const timer = setTimeout(late, deadlineMs);
    const inTime = (then) => (value) => {
      clearTimeout(timer);
      then(value);
    };
    promise.then(inTime(resolve), inTime(reject));
  });
}

// Rust tells it from other failures by its class.
export class NoAnswerInTime extends Error {
  constructor(deadlineMs) {
    super(`no answer within ${deadlineMs} ms`);
    this.deadlineMs = deadlineMs;
  }
}
