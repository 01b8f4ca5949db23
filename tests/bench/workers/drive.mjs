// In front of a built gate's classes: hands each message to the object that the path names, or
// with ONE all of them to one. A GET says what was counted of all. CLASS names the binding.

import { counts } from "./counts.mjs";

export default {
  async fetch(request, env) {
    if (request.method === "GET") return Response.json(counts);
    const namespace = env[env.CLASS];
    const { pathname, searchParams } = new URL(request.url);
    const object = namespace.get(namespace.idFromName(env.ONE ? "account" : pathname));
    if (!searchParams.has("method")) return object.fetch(request);
    const reply = await object.answer(await request.bytes());
    if (reply instanceof Error) return new Response(reply.message, { status: 500 });
    return new Response(reply);
  },
};
