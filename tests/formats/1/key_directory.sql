-- gate-KeyDirectory/45bcdbfa984dbdfd5b51a9b834fc0532e8ce6731162e7236e5301f64ecee9dee.sqlite
CREATE TABLE api_key (
    hash TEXT PRIMARY KEY, account TEXT NOT NULL, key TEXT NOT NULL, member TEXT) WITHOUT ROWID;
CREATE TABLE schema_version (
    id INTEGER PRIMARY KEY CHECK (id = 1), version INTEGER NOT NULL);
INSERT INTO api_key (hash, account, key, member) VALUES ('c8fa796274dbe94b808fb9212a27b83b69b074c4b8c77352137790c4d57167f3', 'acme/alice', 'QXlJqoYD', 'ann');
INSERT INTO schema_version (id, version) VALUES (1, 1);
