-- Files that stand in the way of a copy and that a person is to decide about, one row each. `source` and `path` are bytes,
-- relative to the folder that holds the sources (number `tree` of the job) and to the folder that is copied into. `answer`
-- is null until there is one; a row goes once its answer was carried out. They go with their job.
CREATE TABLE copy_conflicts (
  job             TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
  tree            INTEGER NOT NULL,
  path            BLOB NOT NULL,
  source          BLOB NOT NULL,
  source_bytes    INTEGER NOT NULL,
  source_mtime_ns INTEGER NOT NULL,
  target_bytes    INTEGER NOT NULL,
  target_mtime_ns INTEGER NOT NULL,
  answer          TEXT CHECK (answer IN ('skip', 'replace', 'skip-newer')),
  PRIMARY KEY (job, path)
) STRICT, WITHOUT ROWID;

CREATE INDEX copy_conflicts_by_answer ON copy_conflicts (job, answer);
