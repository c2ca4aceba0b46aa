-- What runs did is the largest table by far, and each of its rows held the name of its run three times. A run has a number now; its name
-- is what people and other tables call it.
ALTER TABLE sync_changes RENAME TO changes_before;
ALTER TABLE sync_intents RENAME TO intents_before;
ALTER TABLE sync_runs RENAME TO runs_before;
DROP INDEX sync_runs_by_time;
DROP INDEX sync_changes_by_path;
DROP INDEX sync_changes_by_time;
DROP INDEX sync_changes_by_target;

-- What each run did, for thirty days. number: of no meaning outside of this database. id: its name. kind: 'run'; 'restore' and 'undo' are what a
-- person brought back or took back. state: how it ended; ended_at NULL while it goes on. result: what `sync run --json` printed, as
-- JSON. The rest: what it has taken away and replaced at each end, counted before each batch is done.
CREATE TABLE sync_runs (
  number               INTEGER PRIMARY KEY,
  id                   TEXT NOT NULL UNIQUE,
  sync                 INTEGER NOT NULL REFERENCES syncs (id) ON DELETE CASCADE,
  began_at             INTEGER NOT NULL,
  ended_at             INTEGER,
  state                TEXT,
  result               TEXT,
  kind                 TEXT NOT NULL DEFAULT 'run',
  source_removed       INTEGER NOT NULL DEFAULT 0,
  source_replaced      INTEGER NOT NULL DEFAULT 0,
  destination_removed  INTEGER NOT NULL DEFAULT 0,
  destination_replaced INTEGER NOT NULL DEFAULT 0
) STRICT;
INSERT INTO sync_runs (id, sync, began_at, ended_at, state, result, kind, source_removed, source_replaced, destination_removed,
    destination_replaced)
  SELECT id, sync, began_at, ended_at, state, result, kind, source_removed, source_replaced, destination_removed, destination_replaced
  FROM runs_before ORDER BY began_at, id;
CREATE INDEX sync_runs_by_time ON sync_runs (sync, began_at);

-- As before (156_sync_intents.sql).
CREATE TABLE sync_intents (
  run      TEXT NOT NULL REFERENCES sync_runs (id) ON DELETE CASCADE,
  n        INTEGER NOT NULL,
  at       INTEGER NOT NULL,
  begun_at INTEGER NOT NULL,
  changes  TEXT NOT NULL,
  PRIMARY KEY (run, n)
) STRICT, WITHOUT ROWID;
INSERT INTO sync_intents SELECT run, n, at, begun_at, changes FROM intents_before;

-- What was done to a path, and why: a few dozen.
CREATE TABLE sync_change_kinds (
  number INTEGER PRIMARY KEY,
  kind   TEXT NOT NULL,
  reason TEXT NOT NULL,
  UNIQUE (kind, reason)
) STRICT;
INSERT INTO sync_change_kinds (kind, reason) SELECT DISTINCT kind, reason FROM changes_before ORDER BY kind, reason;

-- One row a path and operation that was done, as it is written. at: 0 source, 1 destination. before and after: content hashes.
-- to_path: of a move.
CREATE TABLE sync_change_rows (
  run     INTEGER NOT NULL REFERENCES sync_runs (number) ON DELETE CASCADE,
  n       INTEGER NOT NULL,
  sync    INTEGER NOT NULL,
  done_at INTEGER NOT NULL,
  at      INTEGER NOT NULL,
  path    BLOB NOT NULL,
  to_path BLOB,
  kind    INTEGER NOT NULL REFERENCES sync_change_kinds (number),
  before  BLOB,
  after   BLOB,
  PRIMARY KEY (run, n)
) STRICT, WITHOUT ROWID;
INSERT INTO sync_change_rows
  SELECT r.number, c.n, c.sync, c.done_at, c.at, c.path, c.to_path, k.number, c.before, c.after
  FROM changes_before c JOIN sync_runs r ON r.id = c.run JOIN sync_change_kinds k ON k.kind = c.kind AND k.reason = c.reason
  ORDER BY r.number, c.n;

DROP TABLE changes_before;
DROP TABLE intents_before;
DROP TABLE runs_before;

CREATE INDEX sync_changes_by_path ON sync_change_rows (sync, path);
CREATE INDEX sync_changes_by_target ON sync_change_rows (sync, to_path) WHERE to_path IS NOT NULL;

-- The same as it is read.
CREATE VIEW sync_changes AS
  SELECT r.id AS run, c.n, c.sync, c.done_at, c.at, c.path, c.to_path, k.kind, k.reason, c.before, c.after
  FROM sync_change_rows c JOIN sync_runs r ON r.number = c.run JOIN sync_change_kinds k ON k.number = c.kind;
