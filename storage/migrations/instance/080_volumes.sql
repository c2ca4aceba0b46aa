-- Volumes that a person wants remembered, by what the file system is known by wherever it is mounted: what it is called
-- here, where and when it was last seen, and how fast it was when measured (bytes a second; NULL: never measured). A
-- volume that was only measured stands here with tracked = 0.
CREATE TABLE volumes (
  id               TEXT PRIMARY KEY,
  name             TEXT NOT NULL,
  tracked          INTEGER NOT NULL,
  mount_point      BLOB NOT NULL,
  total_bytes      INTEGER NOT NULL,
  tracked_at       INTEGER NOT NULL,
  last_seen_at     INTEGER NOT NULL,
  write_speed      INTEGER,
  read_speed       INTEGER,
  read_cached      INTEGER NOT NULL DEFAULT 0,
  speed_at         INTEGER
) STRICT, WITHOUT ROWID;
