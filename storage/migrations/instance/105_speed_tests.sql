-- Folders that speed tests make, written here before they are made and taken out when they are gone: what a crash leaves on
-- somebody's disk is found again by this list alone, never by looking for names. dir: the folder of ours, absolute, as bytes.
CREATE TABLE speed_tests (
  dir     BLOB PRIMARY KEY,
  made_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
