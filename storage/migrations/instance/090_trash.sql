-- What was thrown away together: under `id` in the bin, a folder of ours on the file system of what it holds. bin: its path as
-- bytes, NULL for the one in the data directory (which may be moved). volume and within: where the bin lies on a disk that
-- may come back elsewhere. The manifests in the bins hold the same: this is how it is found quickly, they are what is true.
CREATE TABLE trash_batches (
  id         TEXT PRIMARY KEY,
  bin        BLOB,
  volume     TEXT,
  within     BLOB,
  deleted_at INTEGER NOT NULL,
  command    TEXT NOT NULL,
  job        TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX trash_batches_by_time ON trash_batches (deleted_at);

-- One row a thing thrown away: a file, a link, or a directory with all it held. n: its name in the batch. path: where it
-- was, as bytes. size and files: of all that is in it. state: kept; leaving (on its way back to a name) and going (being
-- removed for good) outlive a crash and are settled at the next start.
CREATE TABLE trash (
  id    INTEGER PRIMARY KEY AUTOINCREMENT,
  batch TEXT NOT NULL REFERENCES trash_batches (id) ON DELETE CASCADE,
  n     INTEGER NOT NULL,
  path  BLOB NOT NULL,
  kind  TEXT NOT NULL,
  size  INTEGER NOT NULL,
  files INTEGER NOT NULL,
  state TEXT NOT NULL DEFAULT 'kept' CHECK (state IN ('kept', 'leaving', 'going')),
  UNIQUE (batch, n)
) STRICT;
CREATE INDEX trash_by_path ON trash (path);
CREATE INDEX trash_unsettled ON trash (state) WHERE state <> 'kept';
