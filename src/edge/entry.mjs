// The Worker's entry. It calls the gate past the generated class and its proxies, which would be
// made anew for each request, and keeps a panic from taking the site down.
//
// There are two modules: the gate, which every request needs, and backstage, which is made ready
// when somebody comes for it: operators, payment providers, the clock and the Durable Objects.

import { DurableObject } from "cloudflare:workers";
import Gate from "../../build/index.js";

const gate = guarded(Gate.prototype, globalThis.__tollgate_gate_state);
const { handle, handle_origin_failure } = Gate.prototype;

export default {
  fetch(request, env, context) {
    // The last resort where the operator chose it: after any failure the platform asks the origin.
    if (env.ON_MISCONFIGURED === "pass") context.passThroughOnException();
    let answer;
    gate.recover();
    try {
      answer = handle(request, env, context);
    } catch (error) {
      return gate.afterPanic(error, request, env);
    }
    if (answer instanceof Response) return answer;
    if (answer === null) return ownEndpoint(request, env, context);
    // An array holds a promise that Rust has yet to keep, and can't keep if it panics.
    if (Array.isArray(answer)) return gate.watched(answer[0], request, env);
    return answer.catch((error) => handle_origin_failure(request, env, error));
  },

  async scheduled(_, env) {
    const { guard, prototype } = await backstage();
    guard.recover();
    return prototype.handle_scheduled(env);
  },
};

// A class of objects, which are in the hands of the class `name` of the module backstage. Once that
// is ready no message waits for it.
const inBackstage = (name) =>
  class extends DurableObject {
    constructor(state, env) {
      super(state, env);
      const make = ({ classes }) => (this.object = new classes[name](state, env));
      if (ready) make(ready);
      else this.made = backstage().then(make);
    }

    // Answers a message: with a reply, or with an error that is returned and not thrown.
    answer(message) {
      if (this.object) return this.object.answer(message);
      return this.made.then((object) => object.answer(message));
    }
  };

// A class whose objects have alarms.
const wokenInBackstage = (name) =>
  class extends inBackstage(name) {
    alarm() {
      if (this.object) return this.object.alarm();
      return this.made.then((object) => object.alarm());
    }
  };

export class Ledger extends wokenInBackstage("Ledger") {}
export class Inbox extends wokenInBackstage("Inbox") {}
export class KeyDirectory extends inBackstage("KeyDirectory") {}
export class ReaderRegistry extends inBackstage("ReaderRegistry") {}
export class Settings extends inBackstage("Settings") {}

async function ownEndpoint(request, env, context) {
  const { guard, prototype } = await backstage();
  guard.recover();
  let answer;
  try {
    [answer] = prototype.handle_own(request, env, context);
  } catch (error) {
    return guard.afterPanic(error, request, env);
  }
  return guard.watched(answer, request, env);
}

// The second module. Not kept in a promise of ours: one request may not wait for another's.
let ready;
async function backstage() {
  if (ready) return ready;
  const { default: Backstage, ...classes } = await import("../../build/backstage/index.js");
  const { prototype } = Backstage;
  const guard = guarded(prototype, globalThis.__tollgate_backstage_state);
  ready ??= { classes, prototype, guard };
  return ready;
}

const CRASH_CHECK_MS = 250;

// Sees a module through a panic. `state` is what its generated code knows of its instance.
function guarded({ handle_panic }, state) {
  // After a panic the next call into the module makes a new instance. Whoever notices first says so
  // to all others, once: the generated code would replace the new instance too, and lose the
  // requests that are in flight there.
  const recover = () => {
    if (!state.criticalError) return;
    state.criticalError = false;
    state.instanceId += 1;
  };

  // A new instance of the module answers as the operator chose: pass, or 503.
  const afterPanic = (error, request, env) => {
    recover();
    return handle_panic(request, env, String(error));
  };

  // A panic leaves the promises of every request in flight unkept. Each request looks after itself,
  // since the runtime lets no request wait for another's promise.
  const watched = (promise, request, env) => {
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
      const answered = (then) => (value) => {
        clearTimeout(timer);
        then(value);
      };
      promise.then(answered(resolve), answered(reject));
    });
  };
  return { recover, afterPanic, watched };
}
