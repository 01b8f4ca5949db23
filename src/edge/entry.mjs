// The Worker's entry. It calls the gate past the generated class and its proxies, which would be
// made anew for each request, and keeps a panic from taking the site down.

import Module from "../../build/index.js";

export { Ledger } from "../../build/index.js";

const { handle, handle_origin_failure, handle_panic, handle_scheduled } = Module.prototype;

export default {
  fetch(request, env, context) {
    // The last resort where the operator chose it: whatever breaks, the platform asks the origin.
    if (env.ON_MISCONFIGURED === "pass") context.passThroughOnException();
    let answer;
    recover();
    try {
      answer = handle(request, env, context);
    } catch (error) {
      return afterPanic(error, request, env);
    }
    if (answer instanceof Response) return answer;
    // An array holds a promise that Rust has yet to keep, and can't keep if it panics.
    if (Array.isArray(answer)) return watched(answer[0], request, env);
    return answer.catch((error) => handle_origin_failure(request, env, String(error)));
  },

  scheduled(_, env) {
    recover();
    return handle_scheduled(env);
  },
};

// What the generated code knows about the module's instance.
const state = globalThis.__worker_init_state;
const CRASH_CHECK_MS = 250;

// A panic leaves the promises of every request in flight unkept. Each request looks after itself,
// since the runtime lets no request wait for another's promise.
function watched(promise, request, env) {
  const { instanceId } = state;
  return new Promise((resolve, reject) => {
    const check = () => {
      recover();
      if (state.instanceId !== instanceId) {
        resolve(afterPanic(new Error("the gate was restarted"), request, env));
      } else {
        timer = setTimeout(check, CRASH_CHECK_MS);
      }
    };
    let timer = setTimeout(check, CRASH_CHECK_MS);
    const settle = (then) => (value) => {
      clearTimeout(timer);
      then(value);
    };
    promise.then(settle(resolve), settle(reject));
  });
}

// After a panic the next call into the module makes a new instance. Whoever notices first says so
// to all others, once: the generated code would replace the new instance too, and lose the requests
// that are in flight there.
function recover() {
  if (!state.criticalError) return;
  state.criticalError = false;
  state.instanceId += 1;
}

// A new instance of the module answers as the operator chose: pass, or 503.
function afterPanic(error, request, env) {
  recover();
  return handle_panic(request, env, String(error));
}
