// The least a Worker in front of an origin can do.

export default {
  fetch(request, env) {
    return env.SITE.fetch(request);
  },
};
