// The floor of this runtime for what the gate does to a request that passes, and no check at all:
// copies the headers without those in the gate's name, sets the same identity headers for the
// origin, and the same fields on the response. REQUEST and RESPONSE are what the gate set,
// captured when the benchmark starts.

let onRequest;
let onResponse;

export default {
  async fetch(request, env) {
    onRequest ??= Object.entries(env.REQUEST);
    onResponse ??= Object.entries(env.RESPONSE);
    const headers = new Headers(request.headers);
    for (const name of request.headers.keys()) if (name.startsWith("tollgate-")) headers.delete(name);
    for (const [name, value] of onRequest) headers.set(name, value);
    const response = await env.SITE.fetch(request.url, { method: request.method, headers, redirect: "manual" });
    const changed = new Response(response.body, response);
    for (const [name, value] of onResponse) changed.headers.set(name, value);
    return changed;
  },
};
