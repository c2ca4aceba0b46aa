-- Every device this one was ever paired with, one row each, by its PeerId. `name` is what it calls itself (cleaned),
-- `given_name` what a person called it here. A revoked device keeps its row as a tombstone: only a new pairing, confirmed
-- here, brings it back; its `epoch` (number of the newest pair secret) goes on counting. `forgotten`: its secrets went
-- with an identity that was replaced; name and syncs are kept for a new pairing. `starts` and `run` are the start counter
-- and the run id of its last hello (one identity that runs twice is noticed by them). Times are milliseconds since 1970.
CREATE TABLE devices (
  device       TEXT PRIMARY KEY,
  name         TEXT NOT NULL,
  given_name   TEXT,
  state        TEXT NOT NULL CHECK (state IN ('unconfirmed', 'paired', 'revoked', 'forgotten')),
  os           TEXT NOT NULL DEFAULT '',
  model        TEXT NOT NULL DEFAULT '',
  version      TEXT,
  capabilities TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(capabilities)),
  epoch        INTEGER NOT NULL CHECK (epoch >= 1),
  starts       INTEGER,
  run          TEXT,
  first_paired_at INTEGER NOT NULL,
  paired_at    INTEGER NOT NULL,
  last_seen_at INTEGER,
  revoked_at   INTEGER
) STRICT, WITHOUT ROWID;

-- The roots of all keys of a pair, sealed with the key of this device's identity. One confirmed secret at most, and beside
-- it one that no hello has proven yet, which lapses at `lapses_at`; proving it removes the older.
CREATE TABLE pair_secrets (
  device    TEXT NOT NULL REFERENCES devices ON DELETE CASCADE,
  epoch     INTEGER NOT NULL,
  sealed    BLOB NOT NULL,
  confirmed INTEGER NOT NULL CHECK (confirmed IN (0, 1)),
  lapses_at INTEGER,
  PRIMARY KEY (device, epoch),
  CHECK ((confirmed = 1) = (lapses_at IS NULL))
) STRICT, WITHOUT ROWID;

-- Where a device was reached or said it listens: hints for dialling, best first by `good_at` (0: never reached there).
-- Bounded by the code that writes it.
CREATE TABLE device_addresses (
  device  TEXT NOT NULL REFERENCES devices ON DELETE CASCADE,
  address TEXT NOT NULL,
  good_at INTEGER NOT NULL DEFAULT 0,
  told_at INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (device, address)
) STRICT, WITHOUT ROWID;

-- What a device may do beyond hello, message and offer: read or write below one real path of this device. `path` is bytes.
-- `made_by` says what takes it away again: a person, or the sync that needs it.
CREATE TABLE grants (
  device  TEXT NOT NULL REFERENCES devices ON DELETE CASCADE,
  path    BLOB NOT NULL,
  access  TEXT NOT NULL CHECK (access IN ('read', 'write')),
  made_by TEXT NOT NULL,
  made_at INTEGER NOT NULL,
  PRIMARY KEY (device, path, made_by)
) STRICT, WITHOUT ROWID;
