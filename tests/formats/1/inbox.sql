-- gate-Inbox/0f861249bdcf7613120a101cd275b2da858108cc4f048dd06b8cb615a8d71a36.sqlite
CREATE TABLE account_index (
    account TEXT PRIMARY KEY, plan TEXT, status TEXT NOT NULL, cause TEXT,
    updated_at_ms INTEGER NOT NULL, look_at_ms INTEGER,
    looked_at_ms INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;
CREATE INDEX account_look ON account_index (look_at_ms)
    WHERE look_at_ms IS NOT NULL;
CREATE TABLE claim (
    provider TEXT NOT NULL, customer TEXT NOT NULL, account TEXT NOT NULL,
    at_ms INTEGER NOT NULL, PRIMARY KEY (provider, customer, account)) WITHOUT ROWID;
CREATE TABLE conflict (
    provider TEXT NOT NULL, customer TEXT NOT NULL,
    PRIMARY KEY (provider, customer)) WITHOUT ROWID;
CREATE TABLE customer (
    provider TEXT NOT NULL, id TEXT NOT NULL, account TEXT NOT NULL, at_ms INTEGER NOT NULL,
    actor TEXT NOT NULL, is_decided INTEGER NOT NULL,
    PRIMARY KEY (provider, id)) WITHOUT ROWID;
CREATE INDEX customer_account ON customer (account);
CREATE TABLE event (
    number INTEGER PRIMARY KEY AUTOINCREMENT, provider TEXT NOT NULL, id TEXT NOT NULL,
    kind TEXT NOT NULL, occurred_at_ms INTEGER NOT NULL, received_at_ms INTEGER NOT NULL,
    customer TEXT, subscription TEXT, account TEXT, state TEXT NOT NULL, reason TEXT,
    attempts INTEGER NOT NULL,
    due_at_ms INTEGER NOT NULL, event BLOB, body TEXT, UNIQUE (provider, id));
CREATE INDEX event_asked ON event (due_at_ms) WHERE state = 'waiting';
CREATE INDEX event_due ON event (attempts, due_at_ms, account)
    WHERE state = 'received';
CREATE INDEX event_listed ON event (state, number)
    WHERE state IN ('waiting', 'ignored', 'failed');
CREATE INDEX event_received ON event (account) WHERE state = 'received';
CREATE INDEX event_waiting ON event (provider, customer)
    WHERE state = 'waiting';
CREATE TABLE forgot (
    id INTEGER PRIMARY KEY CHECK (id = 1), at_ms INTEGER NOT NULL);
CREATE TABLE payer (
    provider TEXT NOT NULL, customer TEXT NOT NULL, paid_at_ms INTEGER NOT NULL,
    PRIMARY KEY (provider, customer)) WITHOUT ROWID;
CREATE TABLE schema_version (
    id INTEGER PRIMARY KEY CHECK (id = 1), version INTEGER NOT NULL);
CREATE TABLE signal (
    provider TEXT NOT NULL, customer TEXT NOT NULL, at_ms INTEGER NOT NULL,
    is_call INTEGER NOT NULL, is_good INTEGER NOT NULL,
    PRIMARY KEY (is_good, at_ms, provider, customer, is_call)) WITHOUT ROWID;
CREATE TABLE subscription (
    provider TEXT NOT NULL, id TEXT NOT NULL, account TEXT NOT NULL, customer TEXT,
    PRIMARY KEY (provider, id)) WITHOUT ROWID;
CREATE INDEX subscription_account ON subscription (account);
CREATE INDEX subscription_customer ON subscription (provider, customer);
INSERT INTO account_index (account, plan, status, cause, updated_at_ms, look_at_ms, looked_at_ms) VALUES ('acme/alice', 'pro', 'active', NULL, 1795867201167, NULL, 0);
INSERT INTO claim (provider, customer, account, at_ms) VALUES ('standard', 'acme/alice', 'acme/alice', 1795867200000);
INSERT INTO customer (provider, id, account, at_ms, actor, is_decided) VALUES ('standard', 'acme/alice', 'acme/alice', 1795867200000, 'standard', 0);
INSERT INTO customer (provider, id, account, at_ms, actor, is_decided) VALUES ('standard', 'cus_1', 'acme/alice', 1795867200874, 'admin', 1);
INSERT INTO event (number, provider, id, kind, occurred_at_ms, received_at_ms, customer, subscription, account, state, reason, attempts, due_at_ms, event, body) VALUES (1, 'standard', 'tollgate.note:link-customer:cus_1:acme/alice:1795867200874:27e00f73', 'tollgate.note', 1795867200874, 1795867200874, NULL, NULL, 'acme/alice', 'applied', NULL, 1, 1795867200874, X'0ae4010a087374616e646172641243746f6c6c676174652e6e6f74653a6c696e6b2d637573746f6d65723a6375735f313a61636d652f616c6963653a313739353836373230303837343a32376530306637331a0d746f6c6c676174652e6e6f746520d4b5b6a0c4683a0a61636d652f616c6963655000580060006a6b2a690a0561646d696e120d6c696e6b2d637573746f6d65721a4f7b2270726f7669646572223a227374616e64617264222c22637573746f6d6572223a226375735f31222c226163636f756e74223a2261636d652f616c696365222c226265666f7265223a6e756c6c7d2000', '');
INSERT INTO event (number, provider, id, kind, occurred_at_ms, received_at_ms, customer, subscription, account, state, reason, attempts, due_at_ms, event, body) VALUES (2, 'standard', 'msg_1', 'tollgate.subscription', 1795867200000, 1795867201034, 'cus_1', 's1', 'acme/alice', 'applied', NULL, 1, 1795867201034, X'0a590a087374616e6461726412056d73675f311a15746f6c6c676174652e737562736372697074696f6e2080a8b6a0c4682a056375735f31320273315000580060006a1742150a027331120f0a0370726f1a08747269616c696e67', '{"type":"tollgate.subscription","timestamp":"2026-11-28T12:00:00.000Z","data":{"customer":"cus_1","id":"s1","plan":"pro","status":"trialing"}}');
INSERT INTO event (number, provider, id, kind, occurred_at_ms, received_at_ms, customer, subscription, account, state, reason, attempts, due_at_ms, event, body) VALUES (3, 'standard', 'msg_2', 'tollgate.credits', 1795867200000, 1795867201073, 'acme/alice', NULL, 'acme/alice', 'applied', NULL, 1, 1795867201073, X'0a620a087374616e6461726412056d73675f321a10746f6c6c676174652e637265646974732080a8b6a0c4682a0a61636d652f616c6963653a0a61636d652f616c6963655001580060006a180a160a08626f756768745f3110281a08626f756768745f31', '{"type":"tollgate.credits","timestamp":"2026-11-28T12:00:00.000Z","data":{"account":"acme/alice","id":"bought_1","units":40}}');
INSERT INTO event (number, provider, id, kind, occurred_at_ms, received_at_ms, customer, subscription, account, state, reason, attempts, due_at_ms, event, body) VALUES (4, 'standard', 'msg_4', 'tollgate.paid', 1795867200000, 1795867201144, 'cus_1', 's1', 'acme/alice', 'applied', NULL, 1, 1795867201144, X'0a470a087374616e6461726412056d73675f341a0d746f6c6c676174652e706169642080a8b6a0c4682a056375735f31320273315000580160006a0d320b0a0273311080c8acc8d768', '{"type":"tollgate.paid","timestamp":"2026-11-28T12:00:00.000Z","data":{"customer":"cus_1","subscription":"s1","until":"2026-12-28T12:00:00Z"}}');
INSERT INTO event (number, provider, id, kind, occurred_at_ms, received_at_ms, customer, subscription, account, state, reason, attempts, due_at_ms, event, body) VALUES (5, 'standard', 'msg_3', 'tollgate.subscription', 1795867200000, 1795867201251, 'cus_unknown', 's2', NULL, 'waiting', 'nobody has recorded which account this customer is', 0, 1795867203251, X'0a5d0a087374616e6461726412056d73675f331a15746f6c6c676174652e737562736372697074696f6e2080a8b6a0c4682a0b6375735f756e6b6e6f776e320273325000580060006a1542130a027332120d0a0370726f1a06616374697665', '{"type":"tollgate.subscription","timestamp":"2026-11-28T12:00:00.000Z","data":{"customer":"cus_unknown","id":"s2","plan":"pro","status":"active"}}');
INSERT INTO forgot (id, at_ms) VALUES (1, 1795867200138);
INSERT INTO payer (provider, customer, paid_at_ms) VALUES ('standard', 'cus_1', 1795867200000);
INSERT INTO schema_version (id, version) VALUES (1, 1);
INSERT INTO signal (provider, customer, at_ms, is_call, is_good) VALUES ('standard', 'cus_1', 1795867200000, 0, 1);
