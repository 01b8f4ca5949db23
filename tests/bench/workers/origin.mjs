// The origin behind every gate: the least that can be served.

export default {
  fetch() {
    return new Response("ok");
  },
};
