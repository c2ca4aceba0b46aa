-- What the last scans saw of the two ends of a sync. May be lost at any time: the next scan reads and hashes everything again.
-- at: 0 source, 1 destination. path: as in sync_archive (the root itself has none and is not here). kind: 0 file, 1 directory,
-- 2 symlink, 3 unknown. Times in nanoseconds. hash: of a file's content; NULL until it was read. racy: 1 when the stat lies
-- too near the reading to vouch for it. target: of a symlink. reason: why it is unknown; directory: 1 when that is one.
-- scan: number of the last one that met it.
CREATE TABLE seen (
  at        INTEGER NOT NULL,
  path      BLOB NOT NULL,
  kind      INTEGER NOT NULL,
  size      INTEGER NOT NULL,
  mtime     INTEGER NOT NULL,
  ctime     INTEGER NOT NULL,
  birth     INTEGER NOT NULL,
  inode     INTEGER NOT NULL,
  mode      INTEGER NOT NULL,
  hash      BLOB,
  racy      INTEGER NOT NULL DEFAULT 0,
  target    BLOB,
  reason    TEXT,
  directory INTEGER NOT NULL DEFAULT 0,
  scan      INTEGER NOT NULL,
  PRIMARY KEY (at, path)
) STRICT, WITHOUT ROWID;

-- The last scan of each end that was begun, and the last that ended.
CREATE TABLE scans (
  at    INTEGER PRIMARY KEY,
  begun INTEGER NOT NULL,
  ended INTEGER NOT NULL
) STRICT;
