-- kind: 'run'; 'restore' and 'undo' are what a person brought back or took back, runs of their own.
ALTER TABLE sync_runs ADD COLUMN kind TEXT NOT NULL DEFAULT 'run';

-- What a person answered to conflicts that wait for it, until a run has carried it out. keep: source, destination, both,
-- newer or larger.
CREATE TABLE sync_answers (
  sync        INTEGER NOT NULL REFERENCES syncs (id) ON DELETE CASCADE,
  path        BLOB NOT NULL,
  keep        TEXT NOT NULL,
  answered_at INTEGER NOT NULL,
  PRIMARY KEY (sync, path)
) STRICT, WITHOUT ROWID;
