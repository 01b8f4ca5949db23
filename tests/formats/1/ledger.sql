-- gate-Ledger/cc46dd9de70ae68eed4daf3ff0bfd22e41860af6a98607a90fbbaf61e21b13fd.sqlite
CREATE TABLE account (id INTEGER PRIMARY KEY CHECK (id = 1), value BLOB NOT NULL);
CREATE TABLE answered (
    key TEXT PRIMARY KEY, fingerprint TEXT NOT NULL, status INTEGER NOT NULL,
    body TEXT NOT NULL, at_ms INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE audit (
    id INTEGER PRIMARY KEY AUTOINCREMENT, at_ms INTEGER NOT NULL, actor TEXT NOT NULL,
    action TEXT NOT NULL, detail TEXT NOT NULL);
CREATE TABLE credit (
    added INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, units INTEGER NOT NULL,
    units_left INTEGER NOT NULL, added_at_ms INTEGER NOT NULL, expires_at_ms INTEGER);
CREATE TABLE holder (
    name TEXT PRIMARY KEY, seen_at_ms INTEGER NOT NULL, forget_at_ms INTEGER NOT NULL,
    value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE live (
    member TEXT PRIMARY KEY, starts_at_ms INTEGER NOT NULL, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE merged (
    name TEXT PRIMARY KEY, units INTEGER NOT NULL, forget_at_ms INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE outbox (
    id INTEGER PRIMARY KEY AUTOINCREMENT, attempts INTEGER NOT NULL,
    due_at_ms INTEGER NOT NULL, body TEXT NOT NULL);
CREATE TABLE past_counter (
    meter TEXT NOT NULL, member TEXT NOT NULL, period TEXT NOT NULL,
    starts_at_ms INTEGER NOT NULL, used INTEGER NOT NULL, carried INTEGER NOT NULL,
    degraded INTEGER NOT NULL, announced_percent INTEGER NOT NULL,
    PRIMARY KEY (meter, member, period, starts_at_ms)) WITHOUT ROWID;
CREATE TABLE schema_version (
    id INTEGER PRIMARY KEY CHECK (id = 1), version INTEGER NOT NULL);
INSERT INTO account (id, value) VALUES (1, X'0ae3010a0d0a0370726f1a0661637469766512066578706f72741800220d0a096170692f6d6f6e7468107832056a74695f313a440a087374616e64617264120273311a056375735f3120002a0f0a0370726f1a08747269616c696e6732130880a8b6a0c4681208747269616c696e6728003880a8b6a0c46842160a087374616e64617264120a61636d652f616c69636542110a087374616e6461726412056375735f314a1b0880a8b6a0c46812087374616e646172641a08626f756768745f315a240a0851586c4a716f5944120c6275696c64207365727665721a03616e6e2890fb96fe9c68');
INSERT INTO answered (key, fingerprint, status, body, at_ms) VALUES ('once', 'bc1943924ae2714dca6bf89377fcdd3e0304ed9acdf0f5879d87e23722a88d8f', 200, '{"plan":"pro","status":"active","entitlements":["export"],"limits":{"api/month":120},"keys":[{"id":"QXlJqoYD","name":"build server","member":"ann","created_at":"2026-09-28T12:00:00.200Z"}]}', 1795867200012);
INSERT INTO audit (id, at_ms, actor, action, detail) VALUES (1, 1790596800130, 'admin', 'put-account', '{"plan":"pro","status":"active","entitlements":["export"],"limits":{"api/month":120}}');
INSERT INTO audit (id, at_ms, actor, action, detail) VALUES (2, 1790596800202, 'admin', 'add-key', '{"id":"QXlJqoYD","name":"build server","member":"ann","created_at":"2026-09-28T12:00:00.200Z","prefix":"tg_QXlJqoYD"}');
INSERT INTO audit (id, at_ms, actor, action, detail) VALUES (3, 1795867200012, 'admin', 'put-account', '{"plan":"pro","status":"active","entitlements":["export"],"limits":{"api/month":120},"keys":[{"id":"QXlJqoYD","name":"build server","member":"ann","created_at":"2026-09-28T12:00:00.200Z"}]}');
INSERT INTO audit (id, at_ms, actor, action, detail) VALUES (4, 1795867200035, 'admin', 'add-credits', '{"id":"pack_1","units":30,"left":30,"added_at":1795867200035}');
INSERT INTO audit (id, at_ms, actor, action, detail) VALUES (5, 1795867200066, 'admin', 'revoke-token', '{"token_id":"jti_1"}');
INSERT INTO audit (id, at_ms, actor, action, detail) VALUES (6, 1795867200147, 'admin', 'link-customer', '{"provider":"standard","customer":"cus_1","account":"acme/alice","before":null}');
INSERT INTO audit (id, at_ms, actor, action, detail) VALUES (7, 1795867200250, 'standard', 'billing-event', '{"event":"msg_1","type":"tollgate.subscription","plan":"pro","status":"active","cause":null}');
INSERT INTO audit (id, at_ms, actor, action, detail) VALUES (8, 1795867200252, 'standard', 'add-credits', '{"id":"standard:bought_1","units":40,"left":40,"added_at":1795867200252}');
INSERT INTO audit (id, at_ms, actor, action, detail) VALUES (9, 1795867200252, 'standard', 'billing-event', '{"event":"msg_2","type":"tollgate.credits","plan":"pro","status":"active","cause":null}');
INSERT INTO credit (added, id, units, units_left, added_at_ms, expires_at_ms) VALUES (1, 'pack_1', 30, 30, 1795867200035, NULL);
INSERT INTO credit (added, id, units, units_left, added_at_ms, expires_at_ms) VALUES (2, 'standard:bought_1', 40, 40, 1795867200252, NULL);
INSERT INTO live (member, starts_at_ms, value) VALUES ('', 1790812800000, X'0aa9020a1d0a0361706912056d6f6e746818809096cc9e68220808011000180020000a1d0a0361706912056d6f6e74681880a0bfc6b2682208081610001800200012e6010a2638326536376663372d323834332d343563642d613038342d3765393435383839386533633a3110051a38080312036170691a03616e6e20013210080012056d6f6e74681880a0bfc6b2683210080112056d6f6e74681880a0bfc6b2683801400048011a38080412036170691a03616e6e20013210080012056d6f6e74681880a0bfc6b2683210080112056d6f6e74681880a0bfc6b2683801400048011a38080512036170691a03616e6e20143210080012056d6f6e74681880a0bfc6b2683210080112056d6f6e74681880a0bfc6b26838004000480028f8a9b6a0c4683088dac0a0c4681800');
INSERT INTO live (member, starts_at_ms, value) VALUES ('ann', 1790812800000, X'0a400a1d0a0361706912056d6f6e746818809096cc9e68220808011000180020000a1d0a0361706912056d6f6e74681880a0bfc6b268220808161000180020001800');
INSERT INTO past_counter (meter, member, period, starts_at_ms, used, carried, degraded, announced_percent) VALUES ('api', '', 'month', 1788220800000, 1, 0, 0, 0);
INSERT INTO past_counter (meter, member, period, starts_at_ms, used, carried, degraded, announced_percent) VALUES ('api', 'ann', 'month', 1788220800000, 1, 0, 0, 0);
INSERT INTO schema_version (id, version) VALUES (1, 1);
