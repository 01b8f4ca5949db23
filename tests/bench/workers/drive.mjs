// In front of a built gate's classes: every message goes to one and the same object, and a GET says
// what was counted of all of them. CLASS names the binding.

import { counts } from "./counts.mjs";

export default {
  fetch(request, env) {
    if (request.method === "GET") return Response.json(counts);
    const namespace = env[env.CLASS];
    return namespace.get(namespace.idFromName("account")).fetch(request);
  },
};
