-- A count is named by reader, limit, period and start. No index on `forget_at_ms`: it would cost a
-- row written with every count, for one scan an hour.
CREATE TABLE reader (
    count TEXT PRIMARY KEY, highest INTEGER NOT NULL,
    forget_at_ms INTEGER NOT NULL) WITHOUT ROWID;
