-- The account's record, its counts and holders as quota/live.rs packs them, its credits, and the
-- operators' tables. All leases of a holder are in one value. No index on `forget_at_ms`: it would
-- cost a row written with every grant, for one scan now and then.

CREATE TABLE account (id INTEGER PRIMARY KEY CHECK (id = 1), value BLOB NOT NULL);
CREATE TABLE live (
    member TEXT PRIMARY KEY, starts_at_ms INTEGER NOT NULL, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE past_counter (
    meter TEXT NOT NULL, member TEXT NOT NULL, period TEXT NOT NULL,
    starts_at_ms INTEGER NOT NULL, used INTEGER NOT NULL, carried INTEGER NOT NULL,
    degraded INTEGER NOT NULL, announced_percent INTEGER NOT NULL,
    PRIMARY KEY (meter, member, period, starts_at_ms)) WITHOUT ROWID;
CREATE TABLE holder (
    name TEXT PRIMARY KEY, seen_at_ms INTEGER NOT NULL, forget_at_ms INTEGER NOT NULL,
    value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE credit (
    added INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, units INTEGER NOT NULL,
    units_left INTEGER NOT NULL, added_at_ms INTEGER NOT NULL, expires_at_ms INTEGER);
CREATE TABLE merged (
    name TEXT PRIMARY KEY, units INTEGER NOT NULL, forget_at_ms INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE outbox (
    id INTEGER PRIMARY KEY AUTOINCREMENT, attempts INTEGER NOT NULL,
    due_at_ms INTEGER NOT NULL, body TEXT NOT NULL);
CREATE TABLE audit (
    id INTEGER PRIMARY KEY AUTOINCREMENT, at_ms INTEGER NOT NULL, actor TEXT NOT NULL,
    action TEXT NOT NULL, detail TEXT NOT NULL);
CREATE TABLE answered (
    key TEXT PRIMARY KEY, fingerprint TEXT NOT NULL, status INTEGER NOT NULL,
    body TEXT NOT NULL, at_ms INTEGER NOT NULL) WITHOUT ROWID;
