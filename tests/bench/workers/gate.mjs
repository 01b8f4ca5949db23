// A gate as a good engineer writes it in an afternoon: `jose` for the token, one Durable Object per
// account for the quota, identity headers for the origin. With METER it counts, without it only
// checks the token.

import { DurableObject } from "cloudflare:workers";
import { createLocalJWKSet, jwtVerify } from "jose";

const OWNED_HEADERS = ["tollgate-account", "tollgate-plan", "tollgate-entitlements"];

export class Counter extends DurableObject {
  constructor(state, env) {
    super(state, env);
    this.sql = state.storage.sql;
    this.sql.exec("CREATE TABLE IF NOT EXISTS counter (period TEXT PRIMARY KEY, used INTEGER NOT NULL)");
  }

  spend(period, limit) {
    const [row] = this.sql.exec(
      "INSERT INTO counter VALUES (?, 1) ON CONFLICT (period) DO UPDATE SET used = used + 1 WHERE used < ? RETURNING used",
      period,
      limit,
    );
    return row === undefined ? null : limit - row.used;
  }
}

let keys;

export default {
  async fetch(request, env) {
    keys ??= createLocalJWKSet(env.JWKS);
    const token = /^bearer (.+)$/i.exec(request.headers.get("authorization") ?? "")?.[1];
    if (token === undefined) return problem(401, "sign-in-required", { "www-authenticate": "Bearer" });
    let claims;
    try {
      const { payload } = await jwtVerify(token, keys, { issuer: env.ISSUER, audience: env.AUDIENCE });
      claims = payload;
    } catch {
      return problem(401, "invalid-token", { "www-authenticate": 'Bearer error="invalid_token"' });
    }
    const plan = env.PLANS[claims.plan];
    if (plan === undefined) return problem(402, "no-subscription");

    let left;
    if (env.METER) {
      left = await spend(env, claims.sub, plan.limit);
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
    counted.headers.set("ratelimit", `"month";r=${left}`);
    return counted;
  },
};

function spend(env, account, limit) {
  const period = new Date().toISOString().slice(0, 7);
  return env.COUNTER.get(env.COUNTER.idFromName(account)).spend(period, limit);
}

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
