-- gate-ReaderRegistry/f86fd74117b31ee1fa986c00700a63794b8aba73c57d02476fd1f4b5b4361cb3.sqlite
CREATE TABLE reader (
    count TEXT PRIMARY KEY, highest INTEGER NOT NULL,
    forget_at_ms INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE schema_version (
    id INTEGER PRIMARY KEY CHECK (id = 1), version INTEGER NOT NULL);
INSERT INTO reader (count, highest, forget_at_ms) VALUES ('lUd266SNDeDtHp9K 5 month 1793491200000', 5, 1796083800000);
INSERT INTO schema_version (id, version) VALUES (1, 1);
