-- Only events that are on their way or wait are in an index beside the key: what is applied, which
-- is nearly all, costs no row more.
CREATE TABLE event (
    number INTEGER PRIMARY KEY AUTOINCREMENT, provider TEXT NOT NULL, id TEXT NOT NULL,
    kind TEXT NOT NULL, occurred_at_ms INTEGER NOT NULL, received_at_ms INTEGER NOT NULL,
    customer TEXT, subscription TEXT, account TEXT, state TEXT NOT NULL, reason TEXT,
    attempts INTEGER NOT NULL,
    due_at_ms INTEGER NOT NULL, event BLOB, body TEXT, UNIQUE (provider, id));
CREATE INDEX event_due ON event (attempts, due_at_ms, account)
    WHERE state = 'received';
CREATE INDEX event_received ON event (account) WHERE state = 'received';
CREATE INDEX event_waiting ON event (provider, customer)
    WHERE state = 'waiting';
CREATE INDEX event_asked ON event (due_at_ms) WHERE state = 'waiting';
CREATE INDEX event_listed ON event (state, number)
    WHERE state IN ('waiting', 'ignored', 'failed');
CREATE TABLE account_index (
    account TEXT PRIMARY KEY, plan TEXT, status TEXT NOT NULL, cause TEXT,
    updated_at_ms INTEGER NOT NULL, look_at_ms INTEGER,
    looked_at_ms INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;
CREATE INDEX account_look ON account_index (look_at_ms)
    WHERE look_at_ms IS NOT NULL;
CREATE TABLE signal (
    provider TEXT NOT NULL, customer TEXT NOT NULL, at_ms INTEGER NOT NULL,
    is_call INTEGER NOT NULL, is_good INTEGER NOT NULL,
    PRIMARY KEY (is_good, at_ms, provider, customer, is_call)) WITHOUT ROWID;
CREATE TABLE forgot (
    id INTEGER PRIMARY KEY CHECK (id = 1), at_ms INTEGER NOT NULL);

-- A customer is an account's, is claimed by accounts, or in conflict between them; it has paid;
-- and it pays for subscriptions, each of which an account has opened.
CREATE TABLE customer (
    provider TEXT NOT NULL, id TEXT NOT NULL, account TEXT NOT NULL, at_ms INTEGER NOT NULL,
    actor TEXT NOT NULL, is_decided INTEGER NOT NULL,
    PRIMARY KEY (provider, id)) WITHOUT ROWID;
CREATE INDEX customer_account ON customer (account);
CREATE TABLE claim (
    provider TEXT NOT NULL, customer TEXT NOT NULL, account TEXT NOT NULL,
    at_ms INTEGER NOT NULL, PRIMARY KEY (provider, customer, account)) WITHOUT ROWID;
CREATE TABLE conflict (
    provider TEXT NOT NULL, customer TEXT NOT NULL,
    PRIMARY KEY (provider, customer)) WITHOUT ROWID;
CREATE TABLE payer (
    provider TEXT NOT NULL, customer TEXT NOT NULL, paid_at_ms INTEGER NOT NULL,
    PRIMARY KEY (provider, customer)) WITHOUT ROWID;
CREATE TABLE subscription (
    provider TEXT NOT NULL, id TEXT NOT NULL, account TEXT NOT NULL, customer TEXT,
    PRIMARY KEY (provider, id)) WITHOUT ROWID;
CREATE INDEX subscription_account ON subscription (account);
CREATE INDEX subscription_customer ON subscription (provider, customer);
