// Answers what the gate answered once: status, headers and body are bindings of this Worker.
// With LOG it writes a line as the gate does.

let answer;

export default {
  fetch(request, env) {
    answer ??= { status: env.STATUS, headers: env.HEADERS, body: env.BODY };
    if (env.LOG) log(request, answer.status);
    return new Response(answer.body, { status: answer.status, headers: answer.headers });
  },
};

let requests = 0;

function log(request, status) {
  const { host, pathname } = new URL(request.url);
  const { method } = request;
  requests += 1;
  const at = new Date().toISOString();
  console.log(
    JSON.stringify({
      event: "denied", at, cause: "quota-exhausted", status, route: "/api/**", method, host, path: pathname, support_id: `0123abcd-${requests}`,
    }),
  );
}
