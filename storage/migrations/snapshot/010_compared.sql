-- What a scan met is told by walking beside the rows: no number of a scan in each of them.
DROP TABLE seen;
DROP TABLE scans;

-- As before, without `scan`. racy: 1 also for a file that was only renamed and not read since.
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
  PRIMARY KEY (at, path)
) STRICT, WITHOUT ROWID;

-- What the last whole comparison rests on: options of the sync and the number of the archive's batch. Without it, or with another
-- one, the next plan compares everything. one: there is one row.
CREATE TABLE compared (
  one   INTEGER PRIMARY KEY CHECK (one = 1),
  basis TEXT
) STRICT;

-- Paths that changed in `seen` since then.
CREATE TABLE touched (
  path BLOB PRIMARY KEY
) STRICT, WITHOUT ROWID;

-- Paths that were not alike in archive and both ends at that time, and may still not be.
CREATE TABLE odd (
  path BLOB PRIMARY KEY
) STRICT, WITHOUT ROWID;

-- Directories that were found under another name, while `seen` has what they hold under the old one.
CREATE TABLE renamed (
  at      INTEGER NOT NULL,
  path    BLOB NOT NULL,
  to_path BLOB NOT NULL,
  PRIMARY KEY (at, path)
) STRICT, WITHOUT ROWID;
