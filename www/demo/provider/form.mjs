// Form-encoded parameters as Stripe reads them, `a[b][0][c]=…`, read strictly: what is not allowed
// there, comes twice or is badly encoded is refused, so that a client's mistakes are seen.

/** A parameter that the API refuses; `code` is Stripe's. */
export class BadParameter extends Error {
  constructor(code, param, message) {
    super(message);
    Object.assign(this, { code, param });
  }
}

/**
 * Reads `text`. `allowed` names the parameters, as `line_items[#][price]` (any number) or
 * `metadata[*]` (any name); `required` those that must be there.
 */
export function readForm(text, { allowed = [], required = [] }) {
  const result = {};
  const seen = new Set();
  for (const [name, value] of pairs(text)) {
    const [first, ...rest] = name.split(/\[|\]\[|\]$/).filter((part, index, all) => index < all.length - 1 || part !== "");
    const path = [first, ...rest];
    const pattern = allowed.find((one) => fits(one, path));
    if (!pattern) throw new BadParameter("parameter_unknown", name, `Received unknown parameter: ${name}`);
    if (seen.has(name)) throw new BadParameter("parameter_invalid", name, `Received ${name} twice.`);
    if (value === "") throw new BadParameter("parameter_invalid_empty", name, `You passed an empty string for '${name}'.`);
    seen.add(name);
    put(result, path, value);
  }
  for (const name of required) {
    if (![...seen].some((other) => other === name || other.startsWith(`${name}[`))) {
      throw new BadParameter("parameter_missing", name, `Missing required param: ${name}.`);
    }
  }
  return result;
}

function* pairs(text) {
  for (const pair of text.split("&").filter((one) => one !== "")) {
    const at = pair.indexOf("=");
    if (at < 1) throw new BadParameter("parameter_invalid", pair, "Every parameter has a name and a value.");
    yield [decode(pair.slice(0, at)), decode(pair.slice(at + 1))];
  }
}

function decode(text) {
  if (/[^\x21-\x7e]/.test(text)) throw new BadParameter("parameter_invalid", null, "A form is ASCII; everything else is percent-encoded.");
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    throw new BadParameter("parameter_invalid", null, "A percent-encoding is broken.");
  }
}

function fits(pattern, path) {
  const parts = pattern.split(/[[\]]+/).filter((part) => part !== "");
  if (parts.length !== path.length) return false;
  return parts.every((part, index) => part === path[index] || (part === "*" && path[index] !== "") || (part === "#" && /^\d*$/.test(path[index])));
}

function put(result, path, value) {
  const last = path.at(-1);
  let at = result;
  for (const [index, part] of path.slice(0, -1).entries()) {
    const isList = /^\d*$/.test(path[index + 1]);
    at = at[part] ??= isList ? [] : {};
  }
  if (Array.isArray(at)) at.push(value);
  else Object.defineProperty(at, last, { value, enumerable: true, writable: true, configurable: true });
}
