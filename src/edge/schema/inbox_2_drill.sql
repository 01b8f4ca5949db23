-- Of no release: see ledger_2_drill.sql.
ALTER TABLE event ADD COLUMN drill TEXT;
CREATE TABLE drill (id INTEGER PRIMARY KEY);
