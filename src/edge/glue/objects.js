// Durable Objects, their storage, and the rate-limit binding.

import { within } from "./timing.js";

// Asks the ledger of an account, within the deadline.
export function askLedger(namespace, account, message, deadlineMs) {
  return within(tellLedger(namespace, account, message), deadlineMs);
}

async function tellLedger(namespace, account, message) {
  const stub = namespace.get(namespace.idFromName(account));
  const response = await stub.fetch("https://ledger/", { method: "POST", body: message });
  const text = await response.text();
  if (response.status !== 200) throw new Error(text || `status ${response.status}`);
  return text;
}

// Runs `work` as one transaction of the object's storage: a throw undoes all of it.
export function inTransaction(storage, work) {
  return storage.transactionSync(work);
}

// Has an object woken at a time. Nobody waits for it: it is kept together with what was written
// before.
export function wakeAt(storage, atMs) {
  try {
    storage.setAlarm(Number(atMs)).catch((error) => console.error(error));
  } catch (error) {
    console.error(error);
  }
}

// Runs a query of the object's database. The columns of every row come back one after another.
export function runQuery(sql, query, values) {
  return [...sql.exec(query, ...values).raw()].flat();
}

// Asks a rate-limit binding whether `key` is within its rate, within the deadline.
export async function limitBurst(limiter, key, deadlineMs) {
  const { success } = await within(limiter.limit({ key }), deadlineMs);
  return success;
}
