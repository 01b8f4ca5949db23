-- Of no release: the drills stand for a later one. The second table makes a failure half-way possible:
-- a test puts one of this name there before.
ALTER TABLE live ADD COLUMN drill TEXT;
ALTER TABLE holder ADD COLUMN drill TEXT;
CREATE TABLE drill (id INTEGER PRIMARY KEY);
