-- One row a transfer of content with another device, ours (`send`) or theirs (`receive`), for as long as either end may ask
-- for it: it makes an id single use, binds it to one device, one manifest and one selection, and answers a sender that missed the
-- end. What was received lies in staging and in the journal beside the manifest, not here.
--
-- `state`: active (wanted; it may be waiting), completed, failed (`code` says why), cancelled.
-- `staged`: this device holds a staging place for it in `into_path` (bytes of the path) that must be removed in the end.
-- `untold`: cancelled here, and the other device does not know yet.
-- `problems`: JSON array of { path, code, message }, the first thousand of `problem_count`. `placed`: JSON array of
-- { name, path } of a finished `receive`.
CREATE TABLE transfers (
  id             TEXT PRIMARY KEY,
  device         TEXT NOT NULL,
  direction      TEXT NOT NULL CHECK (direction IN ('send', 'receive')),
  owner          TEXT NOT NULL,
  state          TEXT NOT NULL CHECK (state IN ('active', 'completed', 'failed', 'cancelled')),
  code           TEXT,
  manifest_hash  BLOB NOT NULL,
  selection_hash BLOB NOT NULL,
  into_path      BLOB,
  staged         INTEGER NOT NULL DEFAULT 0,
  untold         INTEGER NOT NULL DEFAULT 0,
  done_files     INTEGER NOT NULL DEFAULT 0,
  done_bytes     INTEGER NOT NULL DEFAULT 0,
  problem_count  INTEGER NOT NULL DEFAULT 0,
  problems       TEXT NOT NULL DEFAULT '[]',
  placed         TEXT NOT NULL DEFAULT '[]',
  created_ms     INTEGER NOT NULL,
  updated_ms     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What belongs to a device goes when it is revoked.
CREATE INDEX transfers_by_device ON transfers (device);
-- What ended is forgotten after a while; what is to be cleaned or told is few.
CREATE INDEX transfers_by_state ON transfers (state, updated_ms);
