-- A sync: two ends kept in step (SYNC.md). source and destination: where they are, as JSON (sync/session/record.ts). options:
-- rules, guards, versions, as JSON. archive: 1 once a run agreed on something; 0: none, or it was lost. batch: the number of
-- the last batch that was committed; begun: that of one which may have been begun after it (equal when none was).
-- halted: what the last run found when a guard stopped it (plan hash and totals, as JSON), until a run goes through.
-- window_from: since when what was deleted and replaced counts for the guards.
CREATE TABLE syncs (
  id          INTEGER PRIMARY KEY AUTOINCREMENT,
  uuid        TEXT NOT NULL UNIQUE,
  name        TEXT NOT NULL UNIQUE,
  mode        TEXT NOT NULL,
  policy      TEXT NOT NULL,
  source      TEXT NOT NULL,
  destination TEXT NOT NULL,
  options     TEXT NOT NULL,
  paused      INTEGER NOT NULL DEFAULT 0,
  archive     INTEGER NOT NULL DEFAULT 0,
  batch       INTEGER NOT NULL DEFAULT 0,
  begun       INTEGER NOT NULL DEFAULT 0,
  halted      TEXT,
  window_from INTEGER,
  added_at    INTEGER NOT NULL
) STRICT;

-- The last tree both ends agreed on, as achieved. path: the bytes of the path with 0x00 for each slash (no name holds it), so
-- that rows lie in tree order: a directory directly before what it holds, and all of that in one stretch. kind: 0 file,
-- 1 directory, 2 symlink. What was read back at each end: mtime in nanoseconds, mode, and inode and birth time where they
-- prove something. kept_at: 0 source, 1 destination, for a directory that stays at one end only for what is unknown in it.
CREATE TABLE sync_archive (
  sync      INTEGER NOT NULL REFERENCES syncs (id) ON DELETE CASCADE,
  path      BLOB NOT NULL,
  kind      INTEGER NOT NULL,
  hash      BLOB,
  size      INTEGER,
  target    BLOB,
  s_mtime   INTEGER NOT NULL,
  s_mode    INTEGER NOT NULL,
  s_inode   INTEGER,
  s_birth   INTEGER,
  d_mtime   INTEGER NOT NULL,
  d_mode    INTEGER NOT NULL,
  d_inode   INTEGER,
  d_birth   INTEGER,
  kept_at   INTEGER,
  PRIMARY KEY (sync, path)
) STRICT, WITHOUT ROWID;

-- Paths that the next session looks at whatever changed: skipped, in conflict, in trouble, waiting.
CREATE TABLE sync_unsettled (
  sync INTEGER NOT NULL REFERENCES syncs (id) ON DELETE CASCADE,
  path BLOB NOT NULL,
  why  TEXT NOT NULL,
  PRIMARY KEY (sync, path)
) STRICT, WITHOUT ROWID;

-- What each run did, for thirty days. state: how it ended. result: what `sync run --json` printed, as JSON.
CREATE TABLE sync_runs (
  id       TEXT PRIMARY KEY,
  sync     INTEGER NOT NULL REFERENCES syncs (id) ON DELETE CASCADE,
  began_at INTEGER NOT NULL,
  ended_at INTEGER,
  state    TEXT,
  result   TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX sync_runs_by_time ON sync_runs (sync, began_at);

-- One row a path and operation that was done. at: 0 source, 1 destination. before and after: content hashes. to_path: of a move.
CREATE TABLE sync_changes (
  run     TEXT NOT NULL REFERENCES sync_runs (id) ON DELETE CASCADE,
  n       INTEGER NOT NULL,
  sync    INTEGER NOT NULL,
  done_at INTEGER NOT NULL,
  at      INTEGER NOT NULL,
  path    BLOB NOT NULL,
  to_path BLOB,
  kind    TEXT NOT NULL,
  reason  TEXT NOT NULL,
  before  BLOB,
  after   BLOB,
  PRIMARY KEY (run, n)
) STRICT, WITHOUT ROWID;
CREATE INDEX sync_changes_by_path ON sync_changes (sync, path);
CREATE INDEX sync_changes_by_time ON sync_changes (sync, done_at);
