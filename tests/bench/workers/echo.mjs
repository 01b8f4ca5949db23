// An origin that says which headers reached it.

export default {
  fetch(request) {
    return Response.json(Object.fromEntries(request.headers));
  },
};
