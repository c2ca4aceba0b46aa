-- One row a job: what it is, where it stands, and all that is needed to go on after a crash. `input`, `checkpoint` and
-- `phase_start` are MessagePack (storage/jobs/codec.ts); `state_version` says which shape the two states have. `phase` is
-- the path of the phase it is in or about to begin, `entered` tells the two apart. `crashes` counts ends of the process
-- since the last sign of getting on, `crashed` tells a run that such an end cut short from a clean one. Times are milliseconds since 1970. A child lives no longer than its parent; `child_key`
-- is its name there, so that a parent that resumes finds the child it began. Jobs of one `serial` run one after the other;
-- it also names what a job is about (`location:...`).
CREATE TABLE jobs (
  id             TEXT PRIMARY KEY,
  kind           TEXT NOT NULL,
  title          TEXT NOT NULL,
  state          TEXT NOT NULL CHECK (state IN
                   ('queued', 'running', 'paused', 'completed', 'completed-with-problems', 'failed', 'cancelled')),
  priority       INTEGER NOT NULL CHECK (priority BETWEEN 0 AND 3),
  parent         TEXT REFERENCES jobs (id) ON DELETE CASCADE,
  child_key      TEXT,
  depth          INTEGER NOT NULL DEFAULT 0,
  serial         TEXT,
  input          BLOB NOT NULL,
  state_version  INTEGER NOT NULL,
  checkpoint     BLOB,
  phase_start    BLOB,
  phase          TEXT,
  entered        INTEGER NOT NULL DEFAULT 0,
  progress       TEXT,
  history        TEXT NOT NULL DEFAULT '[]',
  output         TEXT,
  error          TEXT,
  problems       INTEGER NOT NULL DEFAULT 0,
  paused_by      TEXT CHECK (paused_by IN ('person', 'parent', 'program')),
  paused_because TEXT,
  crashes        INTEGER NOT NULL DEFAULT 0,
  crashed        INTEGER NOT NULL DEFAULT 0,
  created_at     INTEGER NOT NULL,
  started_at     INTEGER,
  ended_at       INTEGER,
  UNIQUE (parent, child_key)
) STRICT, WITHOUT ROWID;

CREATE INDEX jobs_by_state ON jobs (state, created_at);
CREATE INDEX jobs_by_serial ON jobs (serial, created_at) WHERE serial IS NOT NULL;
CREATE INDEX jobs_by_end ON jobs (ended_at) WHERE ended_at IS NOT NULL;

-- What `job info` shows of the work: lines in order, the newest kept.
CREATE TABLE job_log (
  n       INTEGER PRIMARY KEY,
  job     TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
  at      INTEGER NOT NULL,
  level   TEXT NOT NULL CHECK (level IN ('info', 'error')),
  phase   TEXT,
  message TEXT NOT NULL
) STRICT;

CREATE INDEX job_log_by_job ON job_log (job, n);

-- Paths that a job could not handle, in display form; the first ones are kept, `jobs.problems` counts all.
CREATE TABLE job_problems (
  n       INTEGER PRIMARY KEY,
  job     TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
  path    TEXT NOT NULL,
  code    TEXT NOT NULL,
  message TEXT NOT NULL
) STRICT;

CREATE INDEX job_problems_by_job ON job_problems (job, n);
