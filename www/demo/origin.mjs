// The server behind the gate: a small newspaper with long reads, an API, a stream and a large file.
// It also plays the sign-in service and the shop, which in real life would be services of their own.

import { createServer } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import * as pages from "./pages.mjs";
import { assertionChecker } from "./assertion.mjs";
import { mint, nameIn, PAID_RECORD, READERS } from "./readers.mjs";

const COOKIE = "tollgate";
const PROTECTED = ["/articles/", "/opinion/", "/newsroom/", "/api/"];
const FILE_BYTES = 200 * 1024 * 1024;
const CHUNK = Buffer.alloc(64 * 1024, "All the news that fits the edge. ");
const STREAM_INTERVAL_MS = 1_000;

/**
 * Starts the origin on a loopback port and resolves to its `http.Server`.
 *
 * `loginKey` is `{ kid, privateKey, publicKey }` of the sign-in service, `assertionJwk` the public
 * half of the gate's ASSERTION_KEY, and `setRecord(account, record)` tells the ledger who has paid.
 * `guide(originUrl)` is what the front page offers to try: `{ steps: [{ what, command }], providerUrl }`.
 */
export async function startOrigin({ port, loginKey, assertionJwk, setRecord, guide = () => null }) {
  const server = createServer();
  await new Promise((resolve, reject) => {
    server.once("error", reject).listen(port, "127.0.0.1", resolve);
  });
  const verifiedCaller = await assertionChecker(assertionJwk, `127.0.0.1:${server.address().port}`);
  const services = { loginKey, setRecord, verifiedCaller, guide: guide(`http://127.0.0.1:${server.address().port}`) };
  server.on("request", async (request, response) => {
    try {
      await answer(request, response, services);
    } catch (error) {
      // A reader who went away in the middle of a download is no error.
      if (error.code !== "ERR_STREAM_PREMATURE_CLOSE") console.error("origin:", error);
      if (response.headersSent) response.destroy();
      else html(response, 500, pages.messagePage("Something broke", "Please try again."));
    }
  });
  return server;
}

async function answer(request, response, services) {
  const url = new URL(request.url, "http://origin.invalid");
  const { pathname: path } = url;
  if (path === "/") return html(response, 200, pages.frontPage(services.guide));
  if (path === "/logo.svg") return send(response, 200, "image/svg+xml", pages.LOGO);
  if (path === "/login") return login(url, response, services);
  if (path === "/logout") return redirect(response, "/", `${COOKIE}=; Path=/; Max-Age=0`);
  if (path === "/plans") return plans(request, url, response, services);
  if (path === "/account") return account(request, url, response, services);
  if (path === "/files/200mb") return largeFile(request, response);
  if (PROTECTED.some((start) => path.startsWith(start))) return protectedPart(request, url, response, services);
  return html(response, 404, pages.messagePage("Not found", "There is no such page."));
}

/** Whatever the gate protects is served to nobody who did not come through it. */
async function protectedPart(request, url, response, { verifiedCaller }) {
  const caller = await verifiedCaller(request.headers);
  if (caller === null) {
    return html(response, 403, pages.messagePage("Not this way", "Please come through the gate."));
  }
  const path = url.pathname;
  if (path.startsWith("/opinion/")) return html(response, 200, pages.opinionPage(path.slice(9), caller));
  const article = Object.hasOwn(pages.ARTICLES, path.slice(10)) && pages.ARTICLES[path.slice(10)];
  if (path.startsWith("/articles/") && article) {
    return html(response, 200, pages.articlePage(article, caller));
  }
  if (path === "/newsroom/draft") return html(response, 200, pages.newsroomPage(caller));
  if (path === "/api/headlines") return json(response, { headlines: headlines(), reader: caller });
  if (path === "/api/search") {
    const words = (url.searchParams.get("q") ?? "").toLowerCase();
    return json(response, { found: headlines().filter((one) => one.title.toLowerCase().includes(words)) });
  }
  if (path === "/api/stream") return stream(request, response);
  return html(response, 404, pages.messagePage("Not found", "There is no such page."));
}

function headlines() {
  return Object.entries(pages.ARTICLES).map(([slug, { title }]) => ({ title, url: `/articles/${slug}` }));
}

/** Server-sent events, one each second until the reader leaves. */
function stream(request, response) {
  response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
  let count = 0;
  const tell = () => {
    const { title } = headlines()[count % headlines().length];
    count += 1;
    response.write(`id: ${count}\ndata: ${JSON.stringify({ count, title })}\n\n`);
  };
  tell();
  const timer = setInterval(tell, STREAM_INTERVAL_MS);
  response.on("close", () => clearInterval(timer));
}

/** 200 MB made on the fly, with single ranges (RFC 9110 §14). */
async function largeFile(request, response) {
  const range = readRange(request.headers.range);
  const headers = { "content-type": "application/octet-stream", "accept-ranges": "bytes" };
  if (range === "unsatisfiable") {
    return response.writeHead(416, { ...headers, "content-range": `bytes */${FILE_BYTES}` }).end();
  }
  const [first, last] = range ?? [0, FILE_BYTES - 1];
  headers["content-length"] = last - first + 1;
  if (range) headers["content-range"] = `bytes ${first}-${last}/${FILE_BYTES}`;
  response.writeHead(range ? 206 : 200, headers);
  if (request.method === "HEAD") return response.end();
  return pipeline(Readable.from(chunks(first, last), { objectMode: false }), response);
}

function* chunks(first, last) {
  for (let at = first; at <= last; ) {
    const start = at % CHUNK.length;
    const length = Math.min(CHUNK.length - start, last - at + 1);
    yield CHUNK.subarray(start, start + length);
    at += length;
  }
}

/** `[first, last]`; `null` where the whole file is to be sent. */
function readRange(header) {
  const [, from, to] = /^bytes=(\d*)-(\d*)$/.exec(header ?? "") ?? [];
  if (from === undefined || (from === "" && to === "")) return null;
  const first = from === "" ? Math.max(FILE_BYTES - Number(to), 0) : Number(from);
  const last = from === "" || to === "" ? FILE_BYTES - 1 : Math.min(Number(to), FILE_BYTES - 1);
  if (from !== "" && to !== "" && Number(to) < Number(from)) return null;
  return first > last ? "unsatisfiable" : [first, last];
}

// ---- the sign-in service and the shop

async function login(url, response, { loginKey }) {
  const returnTo = safeReturn(url);
  const name = url.searchParams.get("as");
  if (!Object.hasOwn(READERS, name ?? "")) return html(response, 200, pages.loginPage(returnTo));
  return redirect(response, returnTo, tokenCookie(await mint(loginKey, name)));
}

async function plans(request, url, response, services) {
  const name = await signedIn(request, services);
  const returnTo = safeReturn(url);
  if (request.method !== "POST") return html(response, 200, pages.plansPage(name, returnTo));
  if (READERS[name]?.atProvider) return redirect(response, billingUrl("checkout", returnTo));
  // A newcomer becomes bob: there is no registration in this shop.
  const buyer = name ?? "bob";
  if (READERS[buyer]?.record) await services.setRecord(buyer, PAID_RECORD);
  return redirect(response, returnTo, tokenCookie(await mint(services.loginKey, buyer, { plan: "pro" })));
}

async function account(request, url, response, services) {
  const name = await signedIn(request, services);
  const returnTo = safeReturn(url);
  if (request.method !== "POST") return html(response, 200, pages.accountPage(name, returnTo));
  if (READERS[name]?.atProvider) return redirect(response, billingUrl("portal", returnTo));
  if (READERS[name]?.record) await services.setRecord(name, PAID_RECORD);
  return redirect(response, returnTo);
}

/** Where the gate takes a reader to the payment provider's page, and back again. */
function billingUrl(page, returnTo) {
  return `/_tollgate/billing/${page}?plan=pro&return=${encodeURIComponent(returnTo)}`;
}

async function signedIn(request, { loginKey }) {
  const cookies = (request.headers.cookie ?? "").split("; ");
  const token = cookies.find((one) => one.startsWith(`${COOKIE}=`))?.slice(COOKIE.length + 1);
  return token ? nameIn(loginKey, token) : null;
}

function tokenCookie(token) {
  // Behind https this would say `Secure` too.
  return `${COOKIE}=${token}; Path=/; HttpOnly; SameSite=Lax; Max-Age=43200`;
}

/** Where to go afterwards: a path on this site and nothing else. */
function safeReturn(url) {
  const wanted = url.searchParams.get("return_to") ?? "";
  const base = "http://origin.invalid";
  const target = URL.canParse(wanted, base) ? new URL(wanted, base) : null;
  const fits = wanted.startsWith("/") && target?.origin === base;
  return fits ? target.pathname + target.search : "/articles/the-last-mile";
}

// ---- sending

function html(response, status, body) {
  return send(response, status, "text/html; charset=utf-8", body);
}

function json(response, value) {
  return send(response, 200, "application/json", `${JSON.stringify(value, null, 2)}\n`);
}

function send(response, status, type, body) {
  const headers = { "content-type": type, "cache-control": "no-store", "x-content-type-options": "nosniff" };
  response.writeHead(status, { ...headers, "content-length": Buffer.byteLength(body) }).end(body);
}

function redirect(response, location, cookie) {
  const headers = { location, "cache-control": "no-store", ...(cookie && { "set-cookie": cookie }) };
  response.writeHead(303, headers).end();
}
