// A gate as a good engineer writes it in an afternoon: `jose` for the token, one Durable Object per
// account for the quotas, identity headers for the origin. With METER it counts, without it only
// checks the token. With REMEMBER it keeps verified tokens until they expire, in a bounded map.

import { DurableObject } from "cloudflare:workers";
import { createLocalJWKSet, jwtVerify } from "jose";

const OWNED_HEADERS = ["tollgate-account", "tollgate-plan", "tollgate-entitlements"];
const MAX_REMEMBERED = 4096;

// One quota is one row and one statement. Several are one row, too: all counters as JSON, since
// each row written costs the same, however much is in it.
export class Counter extends DurableObject {
  constructor(state, env) {
    super(state, env);
    this.sql = state.storage.sql;
    this.sql.exec("CREATE TABLE IF NOT EXISTS counter (period TEXT PRIMARY KEY, used INTEGER NOT NULL)");
    this.sql.exec("CREATE TABLE IF NOT EXISTS counters (id INTEGER PRIMARY KEY CHECK (id = 1), used TEXT NOT NULL)");
  }

  spend(period, limit) {
    const [row] = this.sql.exec(
      "INSERT INTO counter VALUES (?, 1) ON CONFLICT (period) DO UPDATE SET used = used + 1 WHERE used < ? RETURNING used",
      period,
      limit,
    );
    return row === undefined ? null : limit - row.used;
  }

  spendAll(quotas) {
    const [row] = this.sql.exec("SELECT used FROM counters");
    const before = row === undefined ? {} : JSON.parse(row.used);
    const after = {};
    for (const { period, limit } of quotas) {
      const used = (before[period] ?? 0) + 1;
      if (used > limit) return null;
      after[period] = used;
    }
    this.sql.exec("INSERT OR REPLACE INTO counters VALUES (1, ?)", JSON.stringify(after));
    return quotas.map(({ period, limit }) => limit - after[period]);
  }
}

let keys;
const remembered = new Map();

export default {
  async fetch(request, env) {
    keys ??= createLocalJWKSet(env.JWKS);
    const token = /^bearer (.+)$/i.exec(request.headers.get("authorization") ?? "")?.[1];
    if (token === undefined) return problem(401, "sign-in-required", { "www-authenticate": "Bearer" });
    let claims;
    try {
      claims = env.REMEMBER ? (recalled(token) ?? remember(token, await verified(token, env))) : await verified(token, env);
    } catch {
      return problem(401, "invalid-token", { "www-authenticate": 'Bearer error="invalid_token"' });
    }
    const plan = env.PLANS[claims.plan];
    if (plan === undefined) return problem(402, "no-subscription");

    let left;
    if (env.METER) {
      left = await spend(env, claims.sub, plan.quotas);
      if (left === null) {
        const wait = String(Math.ceil((nextMonth() - Date.now()) / 1000));
        return problem(402, "quota-exhausted", { "retry-after": wait, ratelimit: `"month";r=0;t=${wait}` });
      }
    }
    const headers = new Headers(request.headers);
    for (const name of OWNED_HEADERS) headers.delete(name);
    headers.set("tollgate-account", claims.sub);
    headers.set("tollgate-plan", claims.plan);
    headers.set("tollgate-entitlements", plan.entitlements.join(" "));
    const response = await env.SITE.fetch(new Request(request, { headers, redirect: "manual" }));
    if (left === undefined) return response;
    const counted = new Response(response.body, response);
    counted.headers.set("ratelimit", plan.quotas.map(({ per }, at) => `"${per}";r=${left[at]}`).join(", "));
    return counted;
  },
};

async function verified(token, env) {
  return (await jwtVerify(token, keys, { issuer: env.ISSUER, audience: env.AUDIENCE })).payload;
}

function recalled(token) {
  const claims = remembered.get(token);
  if (claims === undefined || claims.exp * 1000 > Date.now()) return claims;
  remembered.delete(token);
}

function remember(token, claims) {
  if (remembered.size >= MAX_REMEMBERED) remembered.delete(remembered.keys().next().value);
  remembered.set(token, claims);
  return claims;
}

async function spend(env, account, quotas) {
  const counter = env.COUNTER.get(env.COUNTER.idFromName(account));
  const now = new Date().toISOString();
  const periods = quotas.map(({ per, limit }) => ({ period: now.slice(0, LENGTHS[per]), limit }));
  if (periods.length > 1) return counter.spendAll(periods);
  const left = await counter.spend(periods[0].period, periods[0].limit);
  return left === null ? null : [left];
}

// How much of an ISO 8601 time names a period.
const LENGTHS = { hour: 13, day: 10, month: 7 };

function nextMonth() {
  const now = new Date();
  return Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 1);
}

function problem(status, cause, headers = {}) {
  const body = JSON.stringify({ type: `https://gate.example/problems/${cause}`, title: cause, status });
  return new Response(body, {
    status,
    headers: { "content-type": "application/problem+json", "cache-control": "no-store", ...headers },
  });
}
