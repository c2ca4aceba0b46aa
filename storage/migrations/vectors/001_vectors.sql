-- Versions of the entries of folders that are kept in step with other devices (SYNC.md 1). A folder whose rows are lost goes on
-- under another name: what it holds then counts as changed there, and archives decide where versions tell nothing.

-- Each by where it lies and which directory that is. name: under which its changes by hand are counted. seq: the last number that
-- was given to a change; never less than the clock's milliseconds when it was given.
CREATE TABLE folders (
  id      INTEGER PRIMARY KEY,
  path    BLOB NOT NULL,
  inode   TEXT NOT NULL,
  birth   TEXT NOT NULL,
  name    TEXT NOT NULL UNIQUE,
  seq     INTEGER NOT NULL,
  used_at INTEGER NOT NULL,
  UNIQUE (path, inode, birth)
) STRICT;

-- Names of folders everywhere, and of syncs, as numbers.
CREATE TABLE names (
  id   INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE
) STRICT;

-- path: as in sync_archive. kind: 0 file, 1 directory, 2 symlink. content: hash or target. gone: when it was seen to be gone;
-- NULL while it is there. vector: what it, or its deletion, has seen: number of a name, counter, and so on. was: of what is
-- gone, what it had seen before. seq: of the last change of this row; by: the sync that made it (names).
CREATE TABLE entries (
  folder  INTEGER NOT NULL REFERENCES folders (id) ON DELETE CASCADE,
  path    BLOB NOT NULL,
  kind    INTEGER NOT NULL,
  content TEXT NOT NULL,
  mode    INTEGER NOT NULL,
  mtime   INTEGER NOT NULL,
  inode   INTEGER NOT NULL,
  birth   INTEGER NOT NULL,
  gone    INTEGER,
  vector  TEXT NOT NULL,
  was     TEXT,
  seq     INTEGER NOT NULL,
  by      INTEGER NOT NULL,
  PRIMARY KEY (folder, path)
) STRICT, WITHOUT ROWID;

CREATE INDEX entries_by_seq ON entries (folder, seq);
CREATE INDEX entries_gone ON entries (folder, inode, birth) WHERE gone IS NOT NULL;

-- What a batch is about to make of paths: whoever finds that after a crash knows that nobody changed it by hand. kind: 3: gone.
CREATE TABLE intended (
  folder  INTEGER NOT NULL REFERENCES folders (id) ON DELETE CASCADE,
  path    BLOB NOT NULL,
  kind    INTEGER NOT NULL,
  content TEXT NOT NULL,
  vector  TEXT NOT NULL,
  PRIMARY KEY (folder, path)
) STRICT, WITHOUT ROWID;

-- Renames that the look under way has found.
CREATE TABLE moved (
  folder  INTEGER NOT NULL REFERENCES folders (id) ON DELETE CASCADE,
  path    BLOB NOT NULL,
  to_path BLOB NOT NULL,
  PRIMARY KEY (folder, path)
) STRICT, WITHOUT ROWID;
