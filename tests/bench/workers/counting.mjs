// A built gate whose accounts are counted: `/counts` says how.

import gate from "./src/edge/entry.mjs";
import { counts } from "./counts.mjs";

export default {
  fetch(request, env, context) {
    if (new URL(request.url).pathname === "/counts") return Response.json(counts);
    return gate.fetch(request, env, context);
  },
};
