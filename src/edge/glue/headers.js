// Headers on both sides of the gate: read, set, and taken off by kind.

export function read(headers, name) {
  return headers.get(name) ?? "";
}

// Sets headers from the parts of "name\nvalue\nname\nvalue", from the part `at` on. An empty value
// removes the header.
export function setAll(headers, parts, at = 0) {
  for (let name = at; name + 1 < parts.length; name += 2) {
    const value = parts[name + 1];
    if (value === "") headers.delete(parts[name]);
    else if (parts[name] === SET_COOKIE) headers.append(SET_COOKIE, value);
    else headers.set(parts[name], value);
  }
}

// The one header that a response has several of: the origin's own stay.
export const SET_COOKIE = "Set-Cookie";

// A copy of headers without those of the kinds in `removed`, a sum of bits.
export function withoutKinds(original, removed) {
  const headers = new Headers(original);
  for (const name of original.keys()) if (kindOf(name) & removed) headers.delete(name);
  return headers;
}

// Sets the function that returns the kind of a header, one of those bits. Each instance of the
// module registers its own.
export function setHeaderKinds(kindOf) {
  judge = kindOf;
  kinds.clear();
}

let judge = () => 0;

// Asks the gate once for each name, since a look into a map costs less. Most callers send the same
// few dozen. Many made-up names only empty the map, so that names are asked about again.
function kindOf(name) {
  let kind = kinds.get(name);
  if (kind === undefined) {
    kind = judge(name);
    if (kinds.size >= MAX_KINDS) kinds.clear();
    kinds.set(name, kind);
  }
  return kind;
}

const kinds = new Map();
const MAX_KINDS = 512;
