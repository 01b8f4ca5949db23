// The pretend provider's API: the calls of Stripe's that the gate makes, and some more that help to
// look at what is there. Strict where Stripe is: keys, versions, unknown and missing parameters.

import { BadParameter, readForm } from "./form.mjs";
import { API_VERSION, list } from "./shapes.mjs";

const DEFAULT_LIMIT = 10;
const MAX_LIMIT = 100;
const PAGE = ["limit", "starting_after", "ending_before", "expand[#]"];
const FORM = "application/x-www-form-urlencoded";

class ApiError extends Error {
  constructor(status, error) {
    super(error.message);
    Object.assign(this, { status, error: { type: "invalid_request_error", ...error } });
  }
}

const noSuch = (what, id, param = "id") =>
  new ApiError(param === "id" ? 404 : 400, { code: "resource_missing", message: `No such ${what}: '${id}'`, param });

/** The calls, by method and path; `{id}` stands for one part. */
const CALLS = [
  ["POST", "/v1/billing_portal/sessions", { allowed: ["customer", "return_url", "locale", "configuration"], required: ["customer"] }, openPortal],
  [
    "POST",
    "/v1/checkout/sessions",
    {
      allowed: ["mode", "line_items[#][price]", "line_items[#][quantity]", "customer", "customer_email", "client_reference_id", "metadata[*]", "success_url", "cancel_url", "subscription_data[metadata][*]", "subscription_data[trial_period_days]", "locale"],
      required: ["mode", "line_items", "success_url"],
    },
    openCheckout,
  ],
  ["GET", "/v1/checkout/sessions/{id}", {}, ({ store }, { id }) => store.checkouts.get(id)?.session ?? thrown(noSuch("checkout.session", id))],
  ["POST", "/v1/customers", { allowed: ["email", "name", "metadata[*]"] }, ({ life }, form) => life.createCustomer(form)],
  ["GET", "/v1/customers/{id}", { allowed: ["expand[#]"] }, ({ store }, { id }) => store.customers.get(id) ?? thrown(noSuch("customer", id))],
  ["GET", "/v1/customers", { allowed: [...PAGE, "email"] }, ({ store }, form) => page([...store.customers.values()], form, "/v1/customers")],
  ["GET", "/v1/subscriptions", { allowed: [...PAGE, "customer", "status", "price"] }, listSubscriptions],
  ["GET", "/v1/subscriptions/{id}", { allowed: ["expand[#]"] }, ({ store }, { id }) => store.subscriptions.get(id) ?? thrown(noSuch("subscription", id))],
  ["GET", "/v1/invoices", { allowed: [...PAGE, "customer", "subscription", "status"] }, listInvoices],
  ["GET", "/v1/invoices/{id}", { allowed: ["expand[#]"] }, ({ store }, { id }) => store.invoices.get(id) ?? thrown(noSuch("invoice", id))],
  ["GET", "/v1/payment_intents/{id}", { allowed: ["expand[#]"] }, ({ store }, { id }) => store.intents.get(id) ?? thrown(noSuch("payment_intent", id))],
  ["GET", "/v1/charges/{id}", { allowed: ["expand[#]"] }, ({ store }, { id }) => store.charges.get(id) ?? thrown(noSuch("charge", id))],
  ["GET", "/v1/disputes/{id}", { allowed: ["expand[#]"] }, ({ store }, { id }) => store.disputes.get(id) ?? thrown(noSuch("dispute", id))],
  ["GET", "/v1/payment_intents", { allowed: [...PAGE, "customer"] }, listIntents],
  ["GET", "/v1/prices", { allowed: [...PAGE, "lookup_keys[#]", "active", "product", "type"] }, listPrices],
  ["GET", "/v1/prices/{id}", {}, ({ store }, { id }) => store.prices.get(id) ?? thrown(noSuch("price", id))],
  ["GET", "/v1/entitlements/active_entitlements", { allowed: [...PAGE, "customer"], required: ["customer"] }, listEntitlements],
  ["GET", "/v1/events", { allowed: [...PAGE, "delivery_success", "type", "types[#]", "created[gt]", "created[gte]", "created[lt]", "created[lte]"] }, listEvents],
  ["GET", "/v1/events/{id}", {}, ({ store }, { id }) => store.events.find((one) => one.id === id) ?? thrown(noSuch("event", id))],
];

/** Returns a function from a request and its body to `{ status, headers, value }`. */
export function makeApi({ store, life, apiKey }) {
  const answered = new Map();
  let requests = 0;
  return (request, url, body) => {
    requests += 1;
    const headers = { "request-id": `req_pretend${requests}`, "stripe-version": API_VERSION };
    try {
      authorize(request, apiKey);
      const value = once(answered, request, url, body, () => call({ store, life }, request, url, body));
      return { status: 200, headers, value };
    } catch (error) {
      const known = error instanceof BadParameter ? new ApiError(400, { code: error.code, param: error.param, message: error.message }) : error;
      if (!(known instanceof ApiError)) throw error;
      return { status: known.status, headers, value: { error: known.error } };
    }
  };
}

function authorize(request, apiKey) {
  const sent = request.headers.authorization;
  if (!sent) throw new ApiError(401, { message: "You did not provide an API key." });
  if (sent !== `Bearer ${apiKey}`) throw new ApiError(401, { message: "Invalid API Key provided: sk_test_****" });
  const version = request.headers["stripe-version"] ?? API_VERSION;
  if (version !== API_VERSION) throw new ApiError(400, { message: `Invalid Stripe API version: ${version}` });
}

/** The same key and the same request get the same answer; another request under it is refused. */
function once(answered, request, url, body, make) {
  const key = request.headers["idempotency-key"];
  if (request.method !== "POST" || key === undefined) return make();
  if (key.length > 255) throw new ApiError(400, { message: "Idempotency keys have at most 255 characters." });
  const asked = `${url.pathname}\n${body}`;
  const before = answered.get(key);
  if (before && before.asked !== asked) {
    throw new ApiError(400, { type: "idempotency_error", message: "Keys for idempotent requests can only be used with the same parameters they were first used with." });
  }
  const value = before?.value ?? structuredClone(make());
  answered.set(key, { asked, value });
  return value;
}

function call(here, request, url, body) {
  const { method } = request;
  for (const [ofMethod, path, rules, answer] of CALLS) {
    const id = match(path, url.pathname);
    if (ofMethod !== method || id === null) continue;
    if (method === "POST" && (request.headers["content-type"] ?? "").split(";")[0].trim() !== FORM) {
      throw new ApiError(400, { message: `The body has to be ${FORM}.` });
    }
    const form = readForm(method === "POST" ? body : url.search.slice(1), rules);
    return answer(here, id === "" ? form : { ...form, id });
  }
  throw new ApiError(404, { message: `Unrecognized request URL (${method}: ${url.pathname}).` });
}

/** The part that `{id}` stands for; "" where the path has none, null where it does not fit. */
function match(pattern, path) {
  if (!pattern.includes("{id}")) return pattern === path ? "" : null;
  const start = pattern.slice(0, pattern.indexOf("{id}"));
  const rest = path.slice(start.length);
  return path.startsWith(start) && /^\w+$/.test(rest) ? rest : null;
}

function openPortal({ store, life }, form) {
  if (!exists(store, form.customer)) throw noSuch("customer", form.customer, "customer");
  if (form.return_url) mustBeAddress(form.return_url, "return_url");
  return life.openPortal(form);
}

function openCheckout({ store, life }, form) {
  if (form.mode !== "subscription") throw new ApiError(400, { message: "Only subscriptions are sold here.", param: "mode" });
  if (form.customer && !exists(store, form.customer)) throw noSuch("customer", form.customer, "customer");
  if (form.customer && form.customer_email) throw new ApiError(400, { message: "You may only specify one of these parameters: customer, customer_email.", param: "customer" });
  for (const { price, quantity } of form.line_items) {
    if (!store.prices.has(price)) throw noSuch("price", price, "line_items[0][price]");
    if (!/^[1-9]\d*$/.test(quantity ?? "")) throw new ApiError(400, { message: "Quantity is required.", param: "line_items[0][quantity]" });
  }
  mustBeAddress(form.success_url.replace("{CHECKOUT_SESSION_ID}", "x"), "success_url");
  if (form.cancel_url) mustBeAddress(form.cancel_url, "cancel_url");
  return life.openCheckout(form);
}

function mustBeAddress(text, param) {
  const isGood = URL.canParse(text) && ["http:", "https:"].includes(new URL(text).protocol);
  if (!isGood) throw new ApiError(400, { code: "url_invalid", message: "Not a valid URL", param });
}

function mustBeKnown(store, customer) {
  if (customer !== undefined && !store.customers.has(customer)) throw noSuch("customer", customer, "customer");
}

const exists = (store, customer) => store.customers.has(customer) && !store.customers.get(customer).deleted;

function listSubscriptions({ store }, form) {
  mustBeKnown(store, form.customer);
  const { customer, status, price } = form;
  const isWanted = (one) => (status === "all" ? true : status === undefined ? one.status !== "canceled" : one.status === status);
  const all = [...store.subscriptions.values()].filter((one) => (!customer || one.customer === customer) && (!price || one.items.data[0].price.id === price) && isWanted(one));
  return page(all.reverse(), form, "/v1/subscriptions");
}

function listInvoices({ store }, form) {
  mustBeKnown(store, form.customer);
  const { customer, subscription, status } = form;
  const of = (one) => one.parent.subscription_details.subscription;
  const all = [...store.invoices.values()].filter((one) => (!customer || one.customer === customer) && (!subscription || of(one) === subscription) && (!status || one.status === status));
  return page(all.reverse(), form, "/v1/invoices");
}

function listIntents({ store }, form) {
  mustBeKnown(store, form.customer);
  const all = [...store.intents.values()].filter((one) => !form.customer || one.customer === form.customer);
  return page(all.reverse(), form, "/v1/payment_intents");
}

function listPrices({ store }, form) {
  const { lookup_keys = null, product } = form;
  const all = [...store.prices.values()].filter((one) => (lookup_keys === null || lookup_keys.includes(one.lookup_key)) && (!product || one.product === product));
  return page(all, form, "/v1/prices");
}

function listEntitlements({ store, life }, form) {
  if (!exists(store, form.customer)) throw noSuch("customer", form.customer, "customer");
  return page(life.entitlementsOf(form.customer), form, "/v1/entitlements/active_entitlements");
}

function listEvents({ store }, form) {
  const { delivery_success, type, types = type ? [type] : null, created = {} } = form;
  const isTaken = (one) => one.pending_webhooks === 0;
  const all = store.events.filter((one) => {
    if (delivery_success !== undefined && isTaken(one) !== (delivery_success === "true")) return false;
    if (types !== null && !types.includes(one.type)) return false;
    const { gt = -1, gte = 0, lt = Infinity, lte = Infinity } = created;
    return one.created > Number(gt) && one.created >= Number(gte) && one.created < Number(lt) && one.created <= Number(lte);
  });
  return page(all.reverse(), form, "/v1/events");
}

/** A page of `all`, as `limit` and `starting_after` ask for. */
function page(all, { limit = String(DEFAULT_LIMIT), starting_after }, url) {
  if (!/^\d{1,3}$/.test(limit) || Number(limit) < 1 || Number(limit) > MAX_LIMIT) {
    throw new ApiError(400, { code: "parameter_invalid_integer", message: `This value must be from 1 to ${MAX_LIMIT}.`, param: "limit" });
  }
  const at = starting_after === undefined ? 0 : all.findIndex(({ id }) => id === starting_after) + 1;
  if (starting_after !== undefined && at === 0) throw noSuch("object", starting_after, "starting_after");
  const some = all.slice(at, at + Number(limit));
  return list(some, url, at + some.length < all.length);
}

function thrown(error) {
  throw error;
}
