// The OpenAPI document: it is valid in itself, agrees with the code and the guide, and the gate
// answers by it to all that it allows, and to much that it does not.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { openApiDocument } from "../../src/edge/openapi.js";
import { ADMIN_TOKEN, GATE_SECRET, issuerVar, makeIssuer, ROOT, startGate, startOrigin } from "./harness.mjs";

const SCHEMATHESIS_BIN = process.env.SCHEMATHESIS_BIN;
const METHODS = ["get", "put", "post", "delete"];

let origin, issuer, gate;

const vars = (more = {}) => ({
  ROUTES: [{ match: "/**", meter: "api" }],
  PLANS: [{ id: "pro", quotas: [{ meter: "api", limit: 1_000, per: "month" }] }],
  ISSUERS: [issuerVar(issuer)],
  ADMIN_TOKEN,
  GATE_SECRET,
  LOG: "faults",
  ...more,
});

before(async () => {
  origin = await startOrigin((_, response) => response.end("ok"));
  issuer = await makeIssuer();
  gate = await startGate({ origin, vars: vars() });
});
after(async () => {
  await gate?.stop();
  await origin?.stop();
});

const read = (name) => readFileSync(join(ROOT, name), "utf8");
const document = JSON.parse(openApiDocument("/_tollgate/", "0.0.0"));

/** Every operation of the document: `GET admin/…`, and the operation itself. */
const operations = Object.entries(document.paths).flatMap(([path, item]) =>
  METHODS.filter((method) => method in item).map((method) => ({
    name: `${method.toUpperCase()} ${path.slice(1)}`, path, item, operation: item[method],
  })),
);

/** What `#/components/…` refers to. */
function resolved(node) {
  if (node?.$ref === undefined) return node;
  const found = node.$ref.slice(2).split("/").reduce((at, part) => at?.[part], document);
  assert.notEqual(found, undefined, node.$ref);
  return found;
}

function everyNode(node, visit) {
  if (node === null || typeof node !== "object") return;
  visit(node);
  for (const inner of Object.values(node)) everyNode(inner, visit);
}

describe("the document", () => {
  test("is served to everybody, with the prefix and the version of this gate", async () => {
    const { version } = JSON.parse(read("package.json"));
    for (const [PREFIX, server] of [["/_tollgate/", "/_tollgate"], ["/internal/gate", "/internal/gate"]]) {
      const via = PREFIX === "/_tollgate/" ? gate : await startGate({ origin, vars: vars({ PREFIX, ADMIN_TOKEN: undefined }) });
      try {
        const response = await via.fetch(`${server}/admin/openapi.json`);
        assert.equal(response.status, 200);
        assert.equal(response.headers.get("content-type"), "application/json");
        const { openapi, info, servers, paths } = await response.json();
        assert.deepEqual([openapi, info.version, servers], ["3.1.0", version, [{ url: server }]]);
        assert.deepEqual(Object.keys(paths), Object.keys(document.paths));
        const head = await via.fetch(`${server}/admin/openapi.json`, { method: "HEAD" });
        assert.deepEqual([head.status, await head.text()], [200, ""]);
      } finally {
        if (via !== gate) await via.stop();
      }
    }
  });

  test("refers to nothing that isn't there, and has nothing that nothing refers to", () => {
    const used = new Set();
    everyNode(document, (node) => {
      if (node.$ref === undefined) return;
      resolved(node);
      used.add(node.$ref);
    });
    for (const kind of ["parameters", "responses", "schemas"]) {
      for (const name of Object.keys(document.components[kind])) assert.ok(used.has(`#/components/${kind}/${name}`), `${kind} ${name}`);
    }
  });

  test("says all that OpenAPI 3.1 asks for", () => {
    const ids = operations.map(({ operation }) => operation.operationId);
    assert.equal(new Set(ids).size, ids.length);
    for (const { name, path, item, operation } of operations) {
      const parameters = [...item.parameters, ...operation.parameters].map(resolved);
      const inPath = parameters.filter((one) => one.in === "path").map((one) => one.name);
      assert.deepEqual(inPath, [...path.matchAll(/\{(\w+)\}/g)].map(([, part]) => part), name);
      const keys = parameters.map((one) => `${one.in} ${one.name}`);
      assert.equal(new Set(keys).size, keys.length, name);
      for (const one of parameters) assert.ok(one.schema && one.description && (one.in !== "path" || one.required), `${name} ${one.name}`);
      assert.ok(operation.summary && operation.tags.length === 1, name);
      const answers = Object.entries(operation.responses);
      assert.ok(answers.some(([status]) => status.startsWith("2")), name);
      for (const [status, answer] of answers) {
        assert.match(status, /^[1-5]\d\d$/);
        assert.ok(resolved(answer).description, `${name} ${status}`);
      }
    }
    everyNode(document.components.schemas, ({ required, properties }) => {
      for (const field of required ?? []) if (properties) assert.ok(field in properties, field);
    });
  });

  test("says what the code says: every operation, its role, its query, its input and its output", () => {
    // Written down by `tests/admin/table.rs`, which holds it to the table of the code.
    const coded = JSON.parse(read("tests/admin/operations.json"));
    const told = operations.map(({ name, operation }) => {
      const query = operation.parameters.map(resolved).filter((one) => one.in === "query").map((one) => one.name);
      const [[, answer]] = Object.entries(operation.responses).filter(([status]) => status.startsWith("2"));
      const [input, output] = [operation.requestBody, resolved(answer)].map(schemaOf);
      const items = output?.properties?.items;
      return [operation.operationId, name, operation["x-role"], query, nameOf(input), nameOf(items?.items ?? output), items !== undefined];
    });
    assert.deepEqual(told, coded);
  });

  test("says what the guide says: every operation and its role", () => {
    const rows = [...read("docs/admin.md").matchAll(/^\| `([A-Z]+ admin\/[^`]+)` \| (\w+) \|/gm)].map(([, name, role]) => [name, role]);
    const told = operations.map(({ name, operation }) => [name, operation["x-role"] ?? "everybody"]);
    assert.deepEqual(rows.sort(), told.sort());
  });
});

const schemaOf = (body) => body?.content?.["application/json"].schema;
const nameOf = (schema) => schema?.$ref?.split("/").pop() ?? schema?.type ?? null;

test("the gate answers as the document says", { skip: SCHEMATHESIS_BIN ? false : "no SCHEMATHESIS_BIN", timeout: 150_000 }, async () => {
  const args = [
    "run", `${gate.url}/_tollgate/admin/openapi.json`, "--url", `${gate.url}/_tollgate`,
    "-H", `Authorization: Bearer ${ADMIN_TOKEN}`,
    "--phases", "examples,coverage,fuzzing", "--max-examples", "20", "--seed", "402", "--generation-database", "none",
    // A valid request may be refused for what came before: another one under its Idempotency-Key.
    "--checks", "all", "--exclude-checks", "positive_data_acceptance",
    // One at a time: more threads than one bring some versions of Python down.
    "--workers", "1", "--request-timeout", "10", "--no-color",
  ];
  const child = spawn(SCHEMATHESIS_BIN, args, { cwd: join(ROOT, ".tools"), stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text) => (said += text));
  const timer = setTimeout(() => child.kill("SIGKILL"), 120_000);
  const [code] = await once(child, "close");
  clearTimeout(timer);
  assert.equal(code, 0, said.slice(-8_000));
  // The document itself is asked for, and not tested.
  assert.match(said, new RegExp(`Tested: ${operations.length - 1}\\b`));
  assert.equal(gate.log().includes("panicked"), false);
});
