-- Changes instead of listings between the two devices of a sync (docs/decisions/160-changes-not-listings.md).

-- Of the device that drives: the mark up to which `seen` has what the device of that end told. It is given up with the first rows
-- that are written, and written with the last ones: where it stands, nothing is missing before it. placed: batches that were placed
-- there by this device since then, and written into `seen`.
CREATE TABLE followed (
  at     INTEGER PRIMARY KEY,
  mark   TEXT NOT NULL,
  placed INTEGER NOT NULL DEFAULT 0
) STRICT;

-- Of the device that is asked, in a database of its own for each sync, with the folder as `at` 0. base: the mark that `told` speaks of;
-- last: the one that was handed out last. The driver has one of the two, or is told everything. round: of asking. noting: 1 while
-- what changes is noted. placed: batches of the driver, ever; base_placed, last_placed: when those marks were handed out.
CREATE TABLE served (
  one         INTEGER PRIMARY KEY CHECK (one = 1),
  base        TEXT,
  last        TEXT,
  round       INTEGER NOT NULL,
  noting      INTEGER NOT NULL,
  placed      INTEGER NOT NULL,
  base_placed INTEGER NOT NULL,
  last_placed INTEGER NOT NULL
) STRICT;

-- What the driver knows, by its mark, of the paths that are otherwise by now. state: 0 nothing, 1 this. sure: 0 when it may hold
-- something else since, by what it placed there itself. deep: 1 when that holds for all below it as well. round: when it was noted.
CREATE TABLE told (
  path      BLOB PRIMARY KEY,
  round     INTEGER NOT NULL,
  state     INTEGER NOT NULL,
  sure      INTEGER NOT NULL,
  deep      INTEGER NOT NULL,
  kind      INTEGER,
  size      INTEGER,
  mtime     INTEGER,
  ctime     INTEGER,
  birth     INTEGER,
  inode     INTEGER,
  mode      INTEGER,
  target    BLOB,
  reason    TEXT,
  directory INTEGER
) STRICT, WITHOUT ROWID;

CREATE INDEX told_files ON told (inode, birth) WHERE state = 1 AND kind = 0;

-- Whoever changes a row of `seen` cannot forget to note it. OR IGNORE would be overruled by what the changing statement says.
CREATE TRIGGER seen_inserted BEFORE INSERT ON seen
WHEN EXISTS (SELECT 1 FROM served WHERE noting = 1) AND NOT EXISTS (SELECT 1 FROM told WHERE path = NEW.path)
BEGIN
  INSERT INTO told
    SELECT s.path, r.round, 1, 1, 0, s.kind, s.size, s.mtime, s.ctime, s.birth, s.inode, s.mode, s.target, s.reason, s.directory
    FROM seen s, served r WHERE s.at = NEW.at AND s.path = NEW.path;
  INSERT INTO told (path, round, state, sure, deep)
    SELECT NEW.path, round, 0, 1, 0 FROM served
    WHERE NOT EXISTS (SELECT 1 FROM seen WHERE at = NEW.at AND path = NEW.path);
END;

CREATE TRIGGER seen_deleted BEFORE DELETE ON seen
WHEN EXISTS (SELECT 1 FROM served WHERE noting = 1) AND NOT EXISTS (SELECT 1 FROM told WHERE path = OLD.path)
BEGIN
  INSERT INTO told
    SELECT OLD.path, round, 1, 1, 0, OLD.kind, OLD.size, OLD.mtime, OLD.ctime, OLD.birth, OLD.inode, OLD.mode, OLD.target,
      OLD.reason, OLD.directory
    FROM served;
END;

CREATE TRIGGER seen_updated BEFORE UPDATE ON seen
WHEN EXISTS (SELECT 1 FROM served WHERE noting = 1)
BEGIN
  INSERT INTO told
    SELECT OLD.path, round, 1, 1, 0, OLD.kind, OLD.size, OLD.mtime, OLD.ctime, OLD.birth, OLD.inode, OLD.mode, OLD.target,
      OLD.reason, OLD.directory
    FROM served WHERE NOT EXISTS (SELECT 1 FROM told WHERE path = OLD.path);
  INSERT INTO told
    SELECT s.path, r.round, 1, 1, 0, s.kind, s.size, s.mtime, s.ctime, s.birth, s.inode, s.mode, s.target, s.reason, s.directory
    FROM seen s, served r
    WHERE s.at = NEW.at AND s.path = NEW.path AND NOT EXISTS (SELECT 1 FROM told WHERE path = NEW.path);
  INSERT INTO told (path, round, state, sure, deep)
    SELECT NEW.path, round, 0, 1, 0 FROM served WHERE NOT EXISTS (SELECT 1 FROM told WHERE path = NEW.path);
END;
