// In front of a built gate's classes: hands each message to the object that the path names, or
// with ONE all of them to one. A GET says what was counted of all. CLASS names the binding.

import { counts } from "./counts.mjs";

export default {
  fetch(request, env) {
    if (request.method === "GET") return Response.json(counts);
    const namespace = env[env.CLASS];
    return namespace.get(namespace.idFromName(env.ONE ? "account" : new URL(request.url).pathname)).fetch(request);
  },
};
