-- A sync that another device drives, of which one end lies here (PEERS.md 8). uuid, name: as the driver calls it. mode: as it
-- asked for it; side: which end is here. theirs: the driver's end, for people. asked_path: the folder it asked for; path: the
-- one that a person here gave it (bytes, real), with its inode and birth time; both NULL while nobody has answered.
-- agreed: 1 once a run went through. files, counted_at: how many files the folder held when they were last counted.
-- window_from: since when what is deleted and replaced counts for the guards here. halted: what a guard here stopped, as JSON;
-- allowed: what a person here said yes to of it.
CREATE TABLE served_syncs (
  id          INTEGER PRIMARY KEY AUTOINCREMENT,
  device      TEXT NOT NULL REFERENCES devices ON DELETE CASCADE,
  uuid        TEXT NOT NULL,
  name        TEXT NOT NULL,
  mode        TEXT NOT NULL,
  side        TEXT NOT NULL CHECK (side IN ('source', 'destination')),
  theirs      TEXT NOT NULL,
  asked_path  BLOB NOT NULL,
  path        BLOB,
  inode       TEXT,
  birth       TEXT,
  versions    TEXT,
  asked_at    INTEGER NOT NULL,
  accepted_at INTEGER,
  paused      INTEGER NOT NULL DEFAULT 0,
  agreed      INTEGER NOT NULL DEFAULT 0,
  files       INTEGER,
  counted_at  INTEGER,
  window_from INTEGER NOT NULL DEFAULT 0,
  halted      TEXT,
  allowed     TEXT,
  last_run_at INTEGER,
  UNIQUE (device, uuid)
) STRICT;

-- What each run of the driver took away and replaced here, counted before it is done: the guards' window stands on it.
CREATE TABLE served_runs (
  sync     INTEGER NOT NULL REFERENCES served_syncs (id) ON DELETE CASCADE,
  run      TEXT NOT NULL,
  began_at INTEGER NOT NULL,
  removed  INTEGER NOT NULL DEFAULT 0,
  replaced INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (sync, run)
) STRICT, WITHOUT ROWID;

-- How a sync with another device stands there. NULL: both ends lie here. asked: nobody there has answered; accepted; declined;
-- ended: that device takes no part in it any more.
ALTER TABLE syncs ADD COLUMN agreement TEXT;
