// A load that doesn't wait for answers: each account asks at a fixed interval, and the accounts'
// phases are spread evenly over it. The generator is a process of its own, which serves all sides
// of a comparison, so that they get the same requests at the same time.
//
// Commands come in and reports go out as lines of JSON:
//   {"run": {"offset": 0, "accounts": 50, "every_ms": 143}}  loads every side; the accounts' tokens
//                                                            begin at line `offset`
//   {"mark": [0, 2]}                                         reports on sides since their last mark
//   {"pause": true}                                          sends nothing more

import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { argv } from "node:process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { percentile } from "./statistics.mjs";

/** Requests that may be unanswered on one side. More would bury it: they are dropped, and counted. */
const MOST_WAITING = 128;

const SELF = fileURLToPath(import.meta.url);

/**
 * Starts a generator for `sides`, each `{ port, path, headers, tokensFile, status }`. Returns `{
 * run, mark, pause, stop }`. A report of `mark` has for each side `{ requests, wrong, failed,
 * dropped, waiting, p50_us, p99_us, late_us }`: `late_us` is the 99th percentile of the time by
 * which requests left late.
 */
export function startOpenLoop(sides) {
  const child = spawn(process.execPath, [SELF, JSON.stringify(sides)], { stdio: ["pipe", "pipe", "inherit"] });
  const kill = () => child.kill("SIGKILL");
  process.once("exit", kill);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const tell = (command) => child.stdin.write(`${JSON.stringify(command)}\n`);
  const all = sides.map((_, index) => index);
  return {
    run: (run) => tell({ run }),
    pause: () => tell({ pause: true }),
    mark: async (of = all) => {
      tell({ mark: of });
      const { value, done } = await lines.next();
      if (done) throw new Error("the load generator ended");
      return JSON.parse(value);
    },
    stop: () => {
      process.off("exit", kill);
      kill();
    },
  };
}

function serve(sides) {
  let timer;
  createInterface({ input: process.stdin }).on("line", (line) => {
    const command = JSON.parse(line);
    if (command.mark) return console.log(JSON.stringify(command.mark.map((index) => sides[index].report())));
    clearInterval(timer);
    if (command.run) timer = begin(sides, command.run);
  }).on("close", () => process.exit());
}

// Accounts join one by one over `join_ms`, so that a runtime which has yet to compile its code
// isn't buried in requests.
function begin(sides, { offset, accounts, every_ms, join_ms = 0, only }) {
  const gapMs = every_ms / accounts;
  const asked = only === undefined ? sides : only.map((index) => sides[index]);
  const startedAt = performance.now();
  const due = asked.map(() => 0);
  const send = () => {
    const now = performance.now();
    for (const [index, side] of asked.entries()) {
      for (;;) {
        // Sides take turns within the gap, so that they don't all ask at the same moment.
        const dueMs = (due[index] + index / asked.length) * gapMs;
        if (startedAt + dueMs > now) break;
        const account = due[index] % accounts;
        due[index] += 1;
        if (dueMs >= (account * join_ms) / accounts) side.send(offset + account, startedAt + dueMs);
      }
    }
  };
  return setInterval(send, 1);
}

class Side {
  constructor({ port, path, headers, tokensFile, status }) {
    Object.assign(this, { port, status, free: [], waiting: 0 });
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    const head = `GET ${path} HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\n${lines.join("")}`;
    const tokens = tokensFile ? readFileSync(tokensFile, "latin1").trim().split("\n") : [undefined];
    this.requests = tokens.map((token) => `${head}${token ? `authorization: Bearer ${token}\r\n` : ""}\r\n`);
    this.clear();
  }

  clear() {
    Object.assign(this, { latencies: [], delays: [], wrong: 0, failed: 0, dropped: 0 });
  }

  send(index, dueAt) {
    if (this.waiting >= MOST_WAITING) {
      this.dropped += 1;
      return;
    }
    const connection = this.free.pop() ?? new Connection(this);
    this.delays.push(performance.now() - dueAt);
    this.waiting += 1;
    connection.send(this.requests[index % this.requests.length]);
  }

  answered(connection, status, ms) {
    this.waiting -= 1;
    this.free.push(connection);
    this.latencies.push(ms);
    if (status !== this.status) this.wrong += 1;
  }

  closed(connection) {
    this.free = this.free.filter((other) => other !== connection);
    if (connection.sentAt === undefined) return;
    // The server may end an idle connection just as a request is on its way: it is sent again.
    if (connection.answers > 0 && connection.text === "") return new Connection(this).send(connection.request);
    this.waiting -= 1;
    this.failed += 1;
  }

  report() {
    const us = (values, share) => Math.round(percentile(values.sort((a, b) => a - b), share) * 1_000);
    const { latencies, delays, wrong, failed, dropped, waiting } = this;
    const report = {
      requests: latencies.length,
      wrong,
      failed,
      dropped,
      waiting,
      p50_us: us(latencies, 0.5),
      p99_us: us(latencies, 0.99),
      late_us: us(delays, 0.99),
    };
    this.clear();
    return report;
  }
}

// One connection, one request at a time. Reads as much of HTTP as the runtime writes: a generator
// of Node's own requests takes more CPU than the Workers it loads.
class Connection {
  constructor(side) {
    this.side = side;
    this.text = "";
    this.answers = 0;
    this.socket = connect({ host: "127.0.0.1", port: side.port, noDelay: true });
    this.socket.setEncoding("latin1");
    this.socket.on("data", (chunk) => this.read(chunk));
    this.socket.on("error", () => {});
    this.socket.on("close", () => side.closed(this));
  }

  send(request) {
    this.sentAt = performance.now();
    this.request = request;
    this.socket.write(request, "latin1");
  }

  read(chunk) {
    this.text += chunk;
    if (!isWhole(this.text)) return;
    const ms = performance.now() - this.sentAt;
    this.sentAt = undefined;
    this.answers += 1;
    const status = Number(this.text.slice(9, 12));
    this.text = "";
    this.side.answered(this, status, ms);
  }
}

function isWhole(text) {
  const end = text.indexOf("\r\n\r\n");
  if (end < 0) return false;
  const length = /\r\ncontent-length: *(\d+)/i.exec(text.slice(0, end));
  if (length) return text.length >= end + 4 + Number(length[1]);
  return text.endsWith("\r\n0\r\n\r\n");
}

if (argv[1] === SELF) serve(JSON.parse(argv[2]).map((side) => new Side(side)));
