-- One row a fact about this installation, by name: which identity the database belongs to (`device_id`), the daemon's
-- start counter (`starts`), whether networking was on (`network_enabled`). Values are text; a missing row is unset.
CREATE TABLE meta (
  name  TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
