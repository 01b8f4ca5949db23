// Counts what Cloudflare bills a Durable Object for: requests to it, alarms among them, and rows
// read and written, as SQLite counts them. An alarm that is set is a row written.

import { DurableObject } from "cloudflare:workers";

/** By the first letters of an account's name: `{ calls, rows_written, rows_read }`. */
export const counts = {};

/** A class that does the same, and is counted. */
export function counted(Class) {
  return class extends DurableObject {
    constructor(state, env) {
      super(state, env);
      const group = /[a-z]+/.exec(state.id.name ?? "")?.[0] ?? "";
      this.counts = counts[group] ??= { calls: 0, rows_written: 0, rows_read: 0 };
      this.cursors = [];
      watch(state.storage, this);
      this.object = new Class(state, env);
    }

    answer(message) {
      return this.during(this.object.answer(message));
    }

    // How releases before were asked.
    fetch(request) {
      return this.during(this.object.fetch(request));
    }

    alarm() {
      return this.during(this.object.alarm());
    }

    async during(answer) {
      this.counts.calls += 1;
      try {
        return await answer;
      } finally {
        // A cursor's counts are whole once its rows were read.
        for (const { rowsWritten, rowsRead } of this.cursors.splice(0)) {
          this.counts.rows_written += rowsWritten;
          this.counts.rows_read += rowsRead;
        }
      }
    }
  };
}

function watch(storage, object) {
  const { sql } = storage;
  const exec = sql.exec.bind(sql);
  const setAlarm = storage.setAlarm.bind(storage);
  define(sql, "exec", (...query) => {
    const cursor = exec(...query);
    object.cursors.push(cursor);
    return cursor;
  });
  define(storage, "setAlarm", (...at) => {
    object.counts.rows_written += 1;
    return setAlarm(...at);
  });
}

function define(target, name, value) {
  Object.defineProperty(target, name, { value, configurable: true });
}
