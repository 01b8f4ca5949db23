// The OpenAPI document of the operators' API (OpenAPI 3.1), by hand. It is JavaScript, so that it
// costs no WebAssembly. `tests/e2e/openapi.test.mjs` holds it against the routes that the code
// knows and against what the gate answers; `docs/admin.md` tells the same with examples.

// The document, as JSON, of a gate whose own endpoints are below `prefix`.
export function openApiDocument(prefix, version) {
  return JSON.stringify({
    openapi: "3.1.0",
    info: {
      title: "Tollgate operators' API",
      version,
      summary: "Accounts, credits, API keys, revocations, billing events and customers.",
      license: { name: "MIT OR Apache-2.0", identifier: "MIT OR Apache-2.0" },
    },
    servers: [{ url: prefix.replace(/\/$/, "") }],
    security: [{ operator: [] }],
    tags: ["accounts", "keys", "billing", "document"].map((name) => ({ name })),
    paths: paths(),
    components: { securitySchemes, parameters, responses, schemas },
  });
}

const ACCOUNT = "/admin/accounts/{tenant}/{account}";
const CUSTOMER = "/admin/customers/{provider}/{customer}";
const EVENT = "/admin/events/{provider}/{event}";

function paths() {
  const [account, key, customer, event] = [
    ["tenant", "account"],
    ["tenant", "account", "key"],
    ["provider", "customer"],
    ["provider", "event"],
  ];
  return {
    "/admin/openapi.json": at([], {
      get: {
        ...read("readDocument", "document", "This document.", { type: "object" }, null),
        description: "Open to everybody.",
        "x-role": null,
        security: [],
        responses: { 200: json("This document.", { type: "object" }) },
      },
    }),
    "/admin/accounts": at([], {
      get: list("listAccounts", "accounts", "Accounts by name.", "AccountSummary", [
        "status", "plan", "prefix",
      ]),
    }),
    [ACCOUNT]: at(account, {
      get: read("readAccount", "accounts", "An account's record.", "Record"),
      put: write("putAccount", "accounts", "Replace what the operator owns of the record. " +
        "`subscriptions`, `customers`, `purchases`, `disputes` and `keys` are ignored and stay.",
        "admin", "Record", { 200: ["The record as it is kept.", "Record"] }),
    }),
    [`${ACCOUNT}/audit`]: at(account, {
      get: list("listAudit", "accounts", "Every write, the last first.", "AuditEntry"),
    }),
    [`${ACCOUNT}/credits`]: at(account, {
      get: list("listCredits", "accounts", "Every pack, what expires first first.", "Pack"),
      post: write("addCredits", "accounts", "Add a pack. The same id is added once.", "support",
        "NewPack", { 200: ["The pack.", "Pack"] }, [409]),
    }),
    [`${ACCOUNT}/keys`]: at(account, {
      get: list("listKeys", "keys", "API keys, without their secrets.", "Key", [], [404]),
      post: write("addKey", "keys", "Make an API key. Its secret is shown this once.", "support",
        "NewKey", { 201: ["The key with its secret; without where it is sent again.", "MadeKey"] },
        [404, 409]),
    }),
    [`${ACCOUNT}/keys/{key}`]: at(key, {
      delete: write("revokeKey", "keys", "Revoke a key, for good.", "support", null,
        { 204: ["It is revoked."] }, [404]),
    }),
    [`${ACCOUNT}/keys/{key}/rotate`]: at(key, {
      post: write("rotateKey", "keys", "Make a key in the place of one, which works on for a while.",
        "support", "Rotation", { 201: ["The new key with its secret.", "MadeKey"] }, [404, 409]),
    }),
    [`${ACCOUNT}/reread`]: at(account, {
      post: write("reread", "billing", "Read its customers again from their providers.", "support",
        null, { 200: ["How many were read, and the record then.", "Reread"] }, [404, 502]),
    }),
    [`${ACCOUNT}/revocations`]: at(account, {
      post: write("revoke", "accounts", "Revoke a token by its id, or all that were issued before.",
        "support", "Revocation", { 200: ["The record.", "Record"] }, [409]),
    }),
    [`${ACCOUNT}/subscriptions`]: at(account, {
      get: list("listSubscriptions", "billing", "Subscriptions, each judged for itself.",
        "JudgedSubscription", [], [404]),
    }),
    [`${ACCOUNT}/usage`]: at(account, {
      get: read("readUsage", "accounts", "What its callers see.", "Usage", ["usagePlan", "member"]),
    }),
    "/admin/conflicts": at([], {
      get: list("listConflicts", "billing", "Customers for whom several accounts are named.", "Customer"),
    }),
    [CUSTOMER]: at(customer, {
      get: read("readCustomer", "billing", "Which account a customer is, and which are named for it.",
        "Customer"),
      put: write("putCustomer", "billing", "Say which account a customer is.", "support",
        "CustomerAccount", { 200: ["It, and how many waiting events that released.", "Linked"] },
        [404]),
    }),
    "/admin/events": at([], {
      get: list("listEvents", "billing", "Billing events, the last to come first.", "Event", [
        "state", "eventProvider",
      ]),
    }),
    [EVENT]: at(event, {
      get: read("readEvent", "billing", "An event with what its provider sent.", "EventDetail"),
    }),
    [`${EVENT}/retry`]: at(event, {
      post: write("retryEvent", "billing", "Try an event again at once.", "support", null,
        { 200: ["The event as it stands.", "Event"] }, [404]),
    }),
    "/admin/outage": at([], {
      get: read("readOutage", "billing", "Whether a payment provider is down.", "Outage", null),
    }),
  };
}

function at(parts, operations) {
  return { parameters: parts.map((name) => ref("parameters", name)), ...operations };
}

function read(operationId, tag, summary, schema, query = []) {
  const found = { 200: json(summary, typeof schema === "string" ? ref("schemas", schema) : schema) };
  return operation(operationId, tag, summary, "read", query ?? [], found, query ? [404] : []);
}

function list(operationId, tag, summary, schema, query = [], more = []) {
  const page = {
    type: "object",
    required: ["items", "next_cursor"],
    additionalProperties: false,
    properties: {
      items: { type: "array", items: ref("schemas", schema) },
      next_cursor: { type: ["string", "null"], description: "`cursor` of the next page." },
    },
  };
  const found = { 200: json(summary, page) };
  return operation(operationId, tag, summary, "read", [...query, "limit", "cursor"], found, more);
}

function write(operationId, tag, summary, role, body, found, more = []) {
  const answers = Object.entries(found).map(([status, [description, schema]]) => [
    status,
    schema === undefined ? { description } : json(description, ref("schemas", schema)),
  ]);
  const refused = [403, 413, 415, 422, ...more];
  const made = operation(
    operationId, tag, summary, role, ["idempotencyKey"], Object.fromEntries(answers), refused,
  );
  const content = body && { "application/json": { schema: ref("schemas", body) } };
  return body === null ? made : { ...made, requestBody: { required: true, content } };
}

// Every operation may be asked wrongly (400), without a token (401), or while something of ours is
// out of reach (503).
function operation(operationId, tag, summary, role, query, found, refused) {
  const problems = [400, 401, ...refused, 503].map((status) => [status, ref("responses", status)]);
  return {
    operationId,
    tags: [tag],
    summary,
    description: `Takes the role \`${role}\`.`,
    "x-role": role,
    parameters: query.map((name) => ref("parameters", name)),
    responses: { ...found, ...Object.fromEntries(problems) },
  };
}

function json(description, schema) {
  return { description, content: { "application/json": { schema } } };
}

function ref(kind, name) {
  return { $ref: `#/components/${kind}/${name}` };
}

const securitySchemes = {
  operator: { type: "http", scheme: "bearer", description: "ADMIN_TOKEN, or one of ADMIN_TOKENS." },
};

const text = { type: "string" };
// Each part has at most 256 bytes, of which `%2F` and `%25` are one.
const accountName = {
  type: "string",
  minLength: 1,
  maxLength: 2 * 3 * 256 + 1,
  pattern: "^[^/\\u0000-\\u001f\\u007f-\\u009f]+(/[^/\\u0000-\\u001f\\u007f-\\u009f]+)?$",
  description: "`acme/alice`, or `alice` without tenants. At most 256 bytes before and behind the slash.",
};
const name = { type: "string", minLength: 1, maxLength: 200, pattern: "^[^\\u0000-\\u001f\\u007f-\\u009f]+$" };
const time = { type: "string", format: "date-time" };
const whole = { type: "integer", minimum: 0 };
const flag = { type: "boolean" };
const texts = { type: "array", items: text };
const orNull = (schema) => ({ ...schema, type: [schema.type, "null"] });
const object = (properties, required = [], more = {}) => ({
  type: "object", additionalProperties: false, required, properties, ...more,
});

const PROVIDERS = ["stripe", "paddle", "lemonsqueezy", "standard"];
const STATUSES = ["none", "trialing", "incomplete", "active", "past_due", "unpaid", "paused", "ended"];
const STATES = ["received", "applied", "waiting", "ignored", "failed"];
const FAILURES = [
  "card_expired", "card_data", "authentication_required", "insufficient_funds", "declined",
  "try_later", "merchant", "provider_outage",
];
const MAX_UNITS = 2 ** 53 - 1;

const inPath = (named, description, schema = { ...text, minLength: 1 }) => ({
  name: named, in: "path", required: true, description, schema,
});
const inQuery = (named, description, schema) => ({ name: named, in: "query", description, schema });

const parameters = {
  tenant: inPath("tenant", "The tenant; `-` where there are none."),
  account: inPath("account", "The account, percent-encoded."),
  key: inPath("key", "The id of an API key."),
  provider: inPath("provider", "The payment provider.", { type: "string", enum: PROVIDERS }),
  customer: inPath("customer", "The provider's id of the customer."),
  event: inPath("event", "The provider's id of the event."),
  limit: inQuery("limit", "Entries of a page.", { type: "integer", minimum: 1, maximum: 100, default: 20 }),
  cursor: inQuery("cursor", "`next_cursor` of the page before.", { ...text, minLength: 1 }),
  status: inQuery("status", "Accounts in this status.", { type: "string", enum: STATUSES }),
  plan: inQuery("plan", "Accounts on this plan.", { ...text, minLength: 1 }),
  prefix: inQuery("prefix", "Accounts whose name, `tenant/account`, begins so.", { ...text, minLength: 1 }),
  state: inQuery("state", "Events in this state.", { type: "string", enum: STATES }),
  eventProvider: inQuery("provider", "Events of this provider.", { type: "string", enum: PROVIDERS }),
  usagePlan: inQuery("plan", "The plan, where tokens name it.", { ...text, minLength: 1 }),
  member: inQuery("member", "Whose own quotas are meant.", { ...text, minLength: 1 }),
  idempotencyKey: {
    name: "Idempotency-Key", in: "header",
    description: "The same request under the same key is done once within 24 hours.",
    schema: { type: "string", minLength: 1, maxLength: 255, pattern: "^[!-~]([ -~]*[!-~])?$" },
  },
};

const refusal = (description) => ({
  description,
  content: { "application/problem+json": { schema: ref("schemas", "Problem") } },
});

const responses = {
  400: refusal("What is wrong with the request, by name. Nothing was done."),
  401: {
    ...refusal("No operator's token."),
    headers: { "WWW-Authenticate": { schema: text, description: "`Bearer`" } },
  },
  403: refusal("The operator's role does not reach so far."),
  404: refusal("There is no such thing."),
  409: refusal("It can't be done as things stand; the detail says why."),
  413: refusal("The body is larger than 64 KB."),
  415: refusal("The body is something else than JSON."),
  422: refusal("The Idempotency-Key came with another request before."),
  502: refusal("A payment provider did not answer, or not as it should."),
  503: refusal("The ledger, the inbox or the configuration is out of order; nothing may have been done."),
};

const subscription = {
  plan: orNull({ ...text, description: "Id of a plan." }),
  add_ons: texts,
  status: { type: "string", enum: STATUSES },
  cycle_anchor: orNull(time),
  current_period_ends_at: orNull(time),
  trial_ends_at: orNull(time),
  ends_at: orNull(time),
  payment_failed_at: orNull(time),
  payment_failure: { type: ["string", "null"], enum: [...FAILURES, null] },
};
const failure = object({ at: time, reason: subscription.payment_failure }, ["at"]);
const provider = { type: "string", enum: PROVIDERS };
const payment = object({ at: time, provider, id: text }, ["at", "provider", "id"]);
const billed = {
  provider, id: text, customer: orNull(text), ...subscription,
  paid_at: orNull(time), paid_until: orNull(time),
  told: object({
    at: time, status: subscription.status, current_period_ends_at: orNull(time),
    ends_at: orNull(time), is_in_doubt: flag,
  }, ["at"]),
  failures: { type: "array", items: failure }, by_address: flag,
  payments: { type: "array", items: payment },
};
const customer = {
  provider, id: text, deleted_at: orNull(time), entitlements: texts, entitlements_at: orNull(time),
  partial_entitlements: texts, partial_at: orNull(time), decline: failure,
};
const recordKey = {
  id: text, name: orNull(name), member: orNull(name), scopes: texts, created_at: orNull(time),
  expires_at: orNull(time), revoked_at: orNull(time), replaces: orNull(text),
};
const key = { ...recordKey, prefix: { ...text, description: "What the key begins with." } };
const pack = {
  id: name, units: { type: "integer", minimum: 1, maximum: MAX_UNITS },
  expires_at: orNull({ ...time, description: "A time to come; left out: never." }),
};
const event = {
  id: text, provider, type: text, received_at: time, occurred_at: time, customer: orNull(text),
  account: orNull(text), state: { type: "string", enum: STATES }, reason: orNull(text), attempts: whole,
};
const link = {
  provider, customer: text, account: orNull(text), at: orNull(time), actor: orNull(text),
  decided: { ...flag, description: "Whether an operator says so: no event changes that." },
  conflict: { ...flag, description: "Whether several accounts are named, and nobody has decided." },
  named: { type: "array", items: object({ account: text, at: time }, ["account", "at"]) },
};

const schemas = {
  Problem: object(
    { type: { const: "about:blank" }, title: text, status: { type: "integer" }, detail: text, instance: text },
    ["type", "title", "status", "detail", "instance"],
    { description: "Problem details (RFC 9457)." },
  ),
  Record: object({
    ...subscription, entitlements: texts, suspended: flag,
    limits: { type: "object", additionalProperties: { ...whole, maximum: MAX_UNITS } },
    tokens_revoked_before: orNull(time), revoked_tokens: texts,
    subscriptions: { type: "array", items: object(billed, ["provider", "id"]) },
    customers: { type: "array", items: object(customer, ["provider", "id"]) },
    purchases: { type: "array", items: payment },
    disputes: {
      type: "array",
      items: object({
        provider, id: text, at: time, is_open: flag, subscription: orNull(text), payments: texts,
      }, ["provider", "id", "at"]),
    },
    keys: { type: "array", items: object(recordKey, ["id"]) },
  }),
  AccountSummary: object({
    account: text, plan: orNull(text), status: subscription.status, cause: orNull(text),
    updated_at: time,
  }, ["account", "plan", "status", "cause", "updated_at"]),
  AuditEntry: object({ at: time, actor: text, action: text, detail: {} }, ["at", "actor", "action", "detail"]),
  NewPack: object(pack, ["id", "units"]),
  Pack: object({ ...pack, left: whole, added_at: time }, ["id", "units", "left", "added_at", "expires_at"]),
  NewKey: object({
    name: orNull(name), member: orNull(name), expires_at: pack.expires_at,
    scopes: { type: ["array", "null"], minItems: 1, maxItems: 50, items: name, description: "At most these entitlements; left out: all." },
  }),
  Key: object(key, ["id", "prefix", "created_at"]),
  MadeKey: object({ ...key, secret: orNull({ ...text, description: "The key itself." }), note: text }, ["id", "prefix", "created_at", "secret"]),
  Rotation: object({ overlap_s: { type: "integer", minimum: 0, maximum: 2_592_000 } }, ["overlap_s"]),
  Revocation: {
    oneOf: [object({ token_id: name }, ["token_id"]), object({ issued_before: { ...time, description: "A time that has come." } }, ["issued_before"])],
  },
  Reread: object({ read: whole, record: { anyOf: [ref("schemas", "Record"), { type: "null" }] } }, ["read", "record"]),
  JudgedSubscription: object({
    ...billed, standing: object({ access: flag, cause: orNull(text) }, ["access", "cause"]),
  }, ["status", "standing"], { description: "Without `provider` and `id`: the operator's own." }),
  Usage: { type: "object", required: ["plan", "notices", "quotas", "credits", "credits_left"] },
  CustomerAccount: object({ account: accountName }, ["account"]),
  Customer: object(link, Object.keys(link)),
  Linked: object({ ...link, released: whole }, [...Object.keys(link), "released"]),
  Event: object(event, Object.keys(event)),
  EventDetail: object({ ...event, body: orNull(text) }, [...Object.keys(event), "body"]),
  Outage: object({
    declared: flag, detected: flag, providers: { type: "array", items: provider }, since: orNull(time),
    failing_customers: whole, succeeding_customers: whole, window_s: whole,
  }, ["declared", "detected", "providers", "since", "failing_customers", "succeeding_customers", "window_s"]),
};
