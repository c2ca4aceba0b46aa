-- What a batch is about to change at an end (at: 0 source, 1 destination), durable before it does: a batch that a crash cut off
-- would be missing from sync_changes, and no undo would take it back. It goes when what was done is written there, by the run
-- itself or by the next one that opens that end. n: the number of its first change. changes: as JSON (sync/session/intents.ts).
CREATE TABLE sync_intents (
  run      TEXT NOT NULL REFERENCES sync_runs (id) ON DELETE CASCADE,
  n        INTEGER NOT NULL,
  at       INTEGER NOT NULL,
  begun_at INTEGER NOT NULL,
  changes  TEXT NOT NULL,
  PRIMARY KEY (run, n)
) STRICT, WITHOUT ROWID;
