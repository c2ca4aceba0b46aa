-- What changed files here: one row an operation, written before it begins and completed when it ends. command: `file.delete`.
-- origin: `this device`, or the id of the device that asked. paths: the first of them, as JSON, in display form; path_count
-- counts all. outcome: running, done, problems, failed, cancelled, refused (nothing was begun). details: JSON, per command.
CREATE TABLE audit (
  id         INTEGER PRIMARY KEY AUTOINCREMENT,
  at         INTEGER NOT NULL,
  ended_at   INTEGER,
  command    TEXT NOT NULL,
  origin     TEXT NOT NULL,
  job        TEXT,
  outcome    TEXT NOT NULL CHECK (outcome IN ('running', 'done', 'problems', 'failed', 'cancelled', 'refused')),
  paths      TEXT NOT NULL,
  path_count INTEGER NOT NULL,
  files      INTEGER NOT NULL DEFAULT 0,
  bytes      INTEGER NOT NULL DEFAULT 0,
  problems   INTEGER NOT NULL DEFAULT 0,
  code       TEXT,
  message    TEXT,
  details    TEXT
) STRICT;
CREATE INDEX audit_by_time ON audit (at);
CREATE INDEX audit_by_job ON audit (job) WHERE job IS NOT NULL;
