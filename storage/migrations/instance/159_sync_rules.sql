-- Requests of another device for a sync that are accepted without asking (docs/protocols/agreements.md): for which folder, by where it
-- really lies and what it was known by when the rule was made, in which modes, whether it may write there, and how long what it
-- replaces is kept then. They go with the device.
CREATE TABLE sync_rules (
  device   TEXT NOT NULL REFERENCES devices ON DELETE CASCADE,
  path     BLOB NOT NULL,
  inode    TEXT NOT NULL,
  birth    TEXT NOT NULL,
  -- JSON array.
  modes    TEXT NOT NULL,
  access   TEXT NOT NULL CHECK (access IN ('read', 'write')),
  versions TEXT,
  made_at  INTEGER NOT NULL,
  PRIMARY KEY (device, path)
) STRICT, WITHOUT ROWID;

-- More than this share of the files gone is stopped by the guard here; NULL: as it is delivered.
ALTER TABLE served_syncs ADD COLUMN max_delete INTEGER;
