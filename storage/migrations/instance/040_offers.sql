-- Spacedrop offers, ours (`out`) and those made to us (`in`). The states and what may follow on each are in
-- protocols/spacedrop/offer.ts. The id is made by the sender, 122 random bits; it is the id of the transfer too. `manifest` is
-- the list of names (protocols/transfer) as JSON, null once it is no longer needed; `names` the first of its top-level
-- names. `selection` has a bit for each entry that was accepted (null: all). Paths are bytes. `untold` is set while the
-- other device has not heard of our answer (in) or withdrawal (out). Times are milliseconds of this device's clock.
CREATE TABLE offers (
  id            TEXT NOT NULL,
  device        TEXT NOT NULL,
  direction     TEXT NOT NULL CHECK (direction IN ('in', 'out')),
  state         TEXT NOT NULL,
  kind          TEXT NOT NULL CHECK (kind IN ('files', 'text')),
  manifest      TEXT,
  hash          TEXT NOT NULL,
  entries       INTEGER NOT NULL,
  files         INTEGER NOT NULL,
  directories   INTEGER NOT NULL,
  symlinks      INTEGER NOT NULL,
  bytes         INTEGER NOT NULL,
  names         TEXT NOT NULL,
  selection     BLOB,
  -- Where it goes (in).
  into_dir      BLOB,
  keep_exec     INTEGER NOT NULL DEFAULT 0,
  -- Kinds of files that the rule allows; checked by content before anything gets its name.
  types         TEXT,
  -- A file or folder of ours that goes with the offer (out): spooled standard input, the text.
  spool         BLOB,
  -- What could not be offered (out) or cannot be taken (in), as JSON; and how many there are.
  problems      TEXT NOT NULL DEFAULT '[]',
  problem_count INTEGER NOT NULL DEFAULT 0,
  -- What became of it, as JSON: files, bytes, problems, where it lies.
  result        TEXT,
  code          TEXT,
  message       TEXT,
  -- Who answered: `us`, `them`, `rule`.
  answered_by   TEXT,
  untold        INTEGER NOT NULL DEFAULT 0,
  created_at    INTEGER NOT NULL,
  expires_at    INTEGER NOT NULL,
  answered_at   INTEGER,
  ended_at      INTEGER,
  PRIMARY KEY (device, direction, id)
) STRICT;

CREATE INDEX offers_open ON offers (direction, device, created_at) WHERE ended_at IS NULL;
CREATE INDEX offers_ended ON offers (ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX offers_untold ON offers (device) WHERE untold = 1;

-- What happens to offers of a device without asking. No row: ask.
CREATE TABLE offer_rules (
  device     TEXT PRIMARY KEY,
  mode       TEXT NOT NULL CHECK (mode IN ('ask', 'always')),
  max_bytes  INTEGER,
  -- JSON array of content kinds; null: all.
  types      TEXT,
  to_dir     BLOB,
  updated_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
