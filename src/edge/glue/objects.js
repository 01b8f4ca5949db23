// Durable Objects, their storage, and the rate-limit binding.

import { within } from "./timing.js";

// Asks the object of this name, within the deadline. `jurisdiction` is empty where there is none.
export function askObject(namespace, jurisdiction, name, message, deadlineMs) {
  return within(replyOf(namespace, jurisdiction, name, message), deadlineMs);
}

async function replyOf(namespace, jurisdiction, name, message) {
  const home = jurisdiction === "" ? namespace : restricted(namespace, jurisdiction);
  const reply = await home.get(home.idFromName(name)).answer(message);
  // A fault comes back as a value: the runtime would count what is thrown there as an exception.
  if (reply instanceof Error) throw reply;
  return reply;
}

function restricted(namespace, jurisdiction) {
  try {
    return namespace.jurisdiction(jurisdiction);
  } catch (error) {
    throw new Error(`JURISDICTION "${jurisdiction}" is refused here: ${error.message}`);
  }
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

// Runs a statement of the object's database that returns no rows.
export function runStatement(sql, statement, values) {
  sql.exec(statement, ...values);
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
