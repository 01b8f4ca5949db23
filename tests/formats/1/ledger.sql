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
INSERT INTO account (id, value) VALUES (1, X'0aeb010a0d0a0370726f1a0661637469766512066578706f72741800220e0a096170692f6d6f6e746810d80432056a74695f313a4b0a087374616e64617264120273311a056375735f3120002a0f0a0370726f1a08747269616c696e6732130880a8b6a0c4681208747269616c696e6728003880a8b6a0c4684080c8acc8d76842160a087374616e64617264120a61636d652f616c69636542110a087374616e6461726412056375735f314a1b0880a8b6a0c46812087374616e646172641a08626f756768745f315a240a08384d383539596978120c6275696c64207365727665721a03616e6e28bafd96fe9c68');
INSERT INTO answered (key, fingerprint, status, body, at_ms) VALUES ('once', '2f6fa52204df48082f426a7e4306c36c524fd55614ed5b1de280c73f49317488', 200, '{"plan":"pro","status":"active","entitlements":["export"],"limits":{"api/month":600},"keys":[{"id":"8M859Yix","name":"build server","member":"ann","created_at":"2026-09-28T12:00:00.349Z"}]}', 1795867200071);
INSERT INTO audit (id, at_ms, actor, action, detail) VALUES (1, 1790596800236, 'admin', 'put-account', '{"plan":"pro","status":"active","entitlements":["export"],"limits":{"api/month":600}}');
INSERT INTO audit (id, at_ms, actor, action, detail) VALUES (2, 1790596800379, 'admin', 'add-key', '{"id":"8M859Yix","name":"build server","member":"ann","created_at":"2026-09-28T12:00:00.349Z","prefix":"tg_8M859Yix"}');
INSERT INTO audit (id, at_ms, actor, action, detail) VALUES (3, 1795867200071, 'admin', 'put-account', '{"plan":"pro","status":"active","entitlements":["export"],"limits":{"api/month":600},"keys":[{"id":"8M859Yix","name":"build server","member":"ann","created_at":"2026-09-28T12:00:00.349Z"}]}');
INSERT INTO audit (id, at_ms, actor, action, detail) VALUES (4, 1795867200199, 'admin', 'add-credits', '{"id":"pack_1","units":30,"left":30,"added_at":1795867200199}');
INSERT INTO audit (id, at_ms, actor, action, detail) VALUES (5, 1795867200318, 'admin', 'revoke-token', '{"token_id":"jti_1"}');
INSERT INTO audit (id, at_ms, actor, action, detail) VALUES (6, 1795867200874, 'admin', 'link-customer', '{"provider":"standard","customer":"cus_1","account":"acme/alice","before":null}');
INSERT INTO audit (id, at_ms, actor, action, detail) VALUES (7, 1795867201053, 'standard', 'billing-event', '{"event":"msg_1","type":"tollgate.subscription","plan":"pro","status":"active","cause":null}');
INSERT INTO audit (id, at_ms, actor, action, detail) VALUES (8, 1795867201085, 'standard', 'add-credits', '{"id":"standard:bought_1","units":40,"left":40,"added_at":1795867201085}');
INSERT INTO audit (id, at_ms, actor, action, detail) VALUES (9, 1795867201085, 'standard', 'billing-event', '{"event":"msg_2","type":"tollgate.credits","plan":"pro","status":"active","cause":null}');
INSERT INTO audit (id, at_ms, actor, action, detail) VALUES (10, 1795867201167, 'standard', 'billing-event', '{"event":"msg_4","type":"tollgate.paid","plan":"pro","status":"active","cause":null}');
INSERT INTO credit (added, id, units, units_left, added_at_ms, expires_at_ms) VALUES (1, 'pack_1', 30, 30, 1795867200199, NULL);
INSERT INTO credit (added, id, units, units_left, added_at_ms, expires_at_ms) VALUES (2, 'standard:bought_1', 40, 40, 1795867201085, NULL);
INSERT INTO holder (name, seen_at_ms, forget_at_ms, value) VALUES ('2cba1bdf-1a59-43dc-8d4b-1bc57a61e6ae:1', 1795867200828, 1795867285828, X'0a720a2632636261316264662d316135392d343364632d386434622d3162633537613631653661653a3110011a38080112036170691a03616e6e20013210080012056d6f6e74681880a0bfc6b2683210080112056d6f6e74681880a0bfc6b26838004000480028f8b4b6a0c4683088e5c0a0c468');
INSERT INTO holder (name, seen_at_ms, forget_at_ms, value) VALUES ('aab063d2-e645-4fb2-bbd8-29cbc7b7a084:1', 1795867200770, 1795867285770, X'0a720a2661616230363364322d653634352d346662322d626264382d3239636263376237613038343a3110011a38080112036170691a03616e6e20013210080012056d6f6e74681880a0bfc6b2683210080112056d6f6e74681880a0bfc6b2683800400048002884b4b6a0c4683094e4c0a0c468');
INSERT INTO live (member, starts_at_ms, value) VALUES ('', 1790812800000, X'0a85050a1d0a0361706912056d6f6e746818809096cc9e68220808011000180020000a1d0a0361706912056d6f6e74681880a0bfc6b2682208080810001800200012e6010a2661323331343162342d666435642d346464622d383064652d3332383466383137386466383a3110061a38080312036170691a03616e6e20013210080012056d6f6e74681880a0bfc6b2683210080112056d6f6e74681880a0bfc6b2683801400048011a38080412036170691a03616e6e20013210080012056d6f6e74681880a0bfc6b2683210080112056d6f6e74681880a0bfc6b2683801400048011a38080512036170691a03616e6e20523210080012056d6f6e74681880a0bfc6b2683210080112056d6f6e74681880a0bfc6b26838014051480128cafeb6a0c46830daaec1a0c46812720a2637336134616466342d396563632d343438332d616533372d6264323266313431643862333a3110011a38080112036170691a03616e6e20013210080012056d6f6e74681880a0bfc6b2683210080112056d6f6e74681880a0bfc6b26838004000480028acb1b6a0c46830bce1c0a0c46812720a2635653133303638342d386362382d346138362d613663302d3230346137323666626164643a3110011a38080112036170691a03616e6e20013210080012056d6f6e74681880a0bfc6b2683210080112056d6f6e74681880a0bfc6b2683800400048002888b2b6a0c4683098e2c0a0c46812720a2663326435376336622d393030372d343234362d393463642d6232346139633264303865323a3110011a38080112036170691a03616e6e20013210080012056d6f6e74681880a0bfc6b2683210080112056d6f6e74681880a0bfc6b26838004000480028f6b2b6a0c4683086e3c0a0c4681802');
INSERT INTO live (member, starts_at_ms, value) VALUES ('ann', 1790812800000, X'0a400a1d0a0361706912056d6f6e746818809096cc9e68220808011000180020000a1d0a0361706912056d6f6e74681880a0bfc6b268220808081000180020001800');
INSERT INTO past_counter (meter, member, period, starts_at_ms, used, carried, degraded, announced_percent) VALUES ('api', '', 'month', 1788220800000, 1, 0, 0, 0);
INSERT INTO past_counter (meter, member, period, starts_at_ms, used, carried, degraded, announced_percent) VALUES ('api', 'ann', 'month', 1788220800000, 1, 0, 0, 0);
INSERT INTO schema_version (id, version) VALUES (1, 1);
