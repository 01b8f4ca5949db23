-- gate-KeyDirectory/18cfd5411960fbc97b84d58949eef8ba6842bed388e0cd58e8b81828a80e01e0.sqlite
CREATE TABLE api_key (
    hash TEXT PRIMARY KEY, account TEXT NOT NULL, key TEXT NOT NULL, member TEXT) WITHOUT ROWID;
CREATE TABLE schema_version (
    id INTEGER PRIMARY KEY CHECK (id = 1), version INTEGER NOT NULL);
INSERT INTO api_key (hash, account, key, member) VALUES ('b1066f5cb213f43c27578a9761bc9ead9bdb93a9fc812e937e759bb47b1a5d6d', 'acme/alice', '8M859Yix', 'ann');
INSERT INTO schema_version (id, version) VALUES (1, 1);
