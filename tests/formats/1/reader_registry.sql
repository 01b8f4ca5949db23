-- gate-ReaderRegistry/d518e0d2e61ac15926f6be8d5c87e9e2447af3e5678db818f7a561376dfd605f.sqlite
CREATE TABLE reader (
    count TEXT PRIMARY KEY, highest INTEGER NOT NULL,
    forget_at_ms INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE schema_version (
    id INTEGER PRIMARY KEY CHECK (id = 1), version INTEGER NOT NULL);
INSERT INTO reader (count, highest, forget_at_ms) VALUES ('TTtWMLIlVEFW_U4H 5 month 1793491200000', 5, 1796083800000);
INSERT INTO schema_version (id, version) VALUES (1, 1);
