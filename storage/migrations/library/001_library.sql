-- Facts about this library by name, as text: `library` (its id), `index` (the index id: new whenever the database was made,
-- restored, opened on another device or failed its check), `installation` (who opened it last), `session` (see the
-- instance database), `next_id`, `next_seq`
-- (never handed out again, also when the rows that bore the highest numbers are gone), `names_upto`
-- and `names_gone_seq` (see `names`).
CREATE TABLE meta (
  name  TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- The devices that ever opened this library: whose locations are whose. `installation` is a random id of the data
-- directory (there before any network identity is), `device` the DeviceId once there is one.
CREATE TABLE hosts (
  id           INTEGER PRIMARY KEY,
  installation TEXT NOT NULL UNIQUE,
  device       TEXT,
  name         TEXT NOT NULL,
  seen_at      INTEGER NOT NULL
) STRICT;

-- Files, directories, symlinks and everything else that a listing shows, one row each while it exists. A root of a tree
-- (a location that lies in no other) has the negative number of its host as parent and its absolute path as `name`; every
-- other row has its parent and one name, as bytes. Which location a row belongs to is told by its ancestors: locations
-- inside one another share rows. `id` is never given twice; the uuid people see is made of it (see `epochs`).
-- kind: 0 file, 1 directory, 2 symlink, 3 anything else. type: the content kind, 0 unknown to 16 binary.
-- flags: storage/entries/flags.ts. Times in nanoseconds. birth_ns 0: the file system keeps none.
-- content: what bytes it held when last hashed (flag STALE: it changed since). seq: of its last change.
-- version: only below a synced location, device -> counter (SYNC.md 1).
CREATE TABLE entries (
  id       INTEGER PRIMARY KEY,
  parent   INTEGER NOT NULL,
  name     BLOB NOT NULL,
  kind     INTEGER NOT NULL,
  type     INTEGER NOT NULL,
  size     INTEGER NOT NULL,
  mtime_ns INTEGER NOT NULL,
  ctime_ns INTEGER NOT NULL,
  birth_ns INTEGER NOT NULL,
  inode    INTEGER NOT NULL,
  device   INTEGER NOT NULL,
  mode     INTEGER NOT NULL,
  flags    INTEGER NOT NULL,
  content  INTEGER,
  seq      INTEGER NOT NULL,
  version  TEXT
) STRICT;
CREATE UNIQUE INDEX entries_by_name ON entries (parent, name);
CREATE INDEX entries_by_seq ON entries (seq);
CREATE INDEX entries_by_inode ON entries (inode);
CREATE INDEX entries_by_content ON entries (content) WHERE content IS NOT NULL;

-- Entries that are gone, under their old id, with the seq of their going, so that "changed since N" is exact. Kept until
-- every consumer has passed that seq, and then for some days more: a file with that inode and birth time that appears
-- again is the same entry come back. `parent` may itself be gone and stand here.
CREATE TABLE deleted (
  id         INTEGER PRIMARY KEY,
  parent     INTEGER NOT NULL,
  name       BLOB NOT NULL,
  kind       INTEGER NOT NULL,
  type       INTEGER NOT NULL,
  size       INTEGER NOT NULL,
  mtime_ns   INTEGER NOT NULL,
  birth_ns   INTEGER NOT NULL,
  inode      INTEGER NOT NULL,
  device     INTEGER NOT NULL,
  content    INTEGER,
  seq        INTEGER NOT NULL,
  version    TEXT,
  deleted_at INTEGER NOT NULL
) STRICT;
CREATE INDEX deleted_by_seq ON deleted (seq);
CREATE INDEX deleted_by_inode ON deleted (inode);

-- Entries that were not where they are recorded when a directory was last looked at, until it is decided whether they
-- moved or went: with the place they were at, since another file may already bear that name (the row itself then waits
-- under a negative parent, storage/entries/lookup.ts). run: of the indexer, 0 when that run is no more.
CREATE TABLE limbo (
  id     INTEGER PRIMARY KEY,
  parent INTEGER NOT NULL,
  name   BLOB NOT NULL,
  run    INTEGER NOT NULL
) STRICT;
CREATE INDEX limbo_by_run ON limbo (run);

-- Who follows the index and how far: no deleted entry with a greater seq is dropped.
CREATE TABLE consumers (
  name    TEXT PRIMARY KEY,
  seq     INTEGER NOT NULL,
  seen_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- One row a directory: when it was last listed (0: never), the times it had before that listing began, whether the listing
-- was whole, and why not; a digest of the listing (NULL once any row in it was changed otherwise), so that an unchanged
-- directory costs no look at its rows; and what lies below it in all. `parent` repeats the entry's.
CREATE TABLE directories (
  id         INTEGER PRIMARY KEY,
  parent     INTEGER NOT NULL,
  scanned_at INTEGER NOT NULL,
  mtime_ns   INTEGER NOT NULL,
  ctime_ns   INTEGER NOT NULL,
  complete   INTEGER NOT NULL,
  problem    TEXT,
  digest     BLOB,
  files      INTEGER NOT NULL,
  dirs       INTEGER NOT NULL,
  bytes      INTEGER NOT NULL
) STRICT;
CREATE INDEX directories_by_parent ON directories (parent);

-- What could not be handled, by entry: an unreadable file or directory, a file that kept changing while it was hashed.
CREATE TABLE problems (
  entry   INTEGER PRIMARY KEY,
  code    TEXT NOT NULL,
  message TEXT NOT NULL,
  at      INTEGER NOT NULL
) STRICT;

-- The uuid of entry N is the prefix of the last epoch that began at or below N, followed by N: unique without being
-- stored. A new epoch begins with each new index id, so that two copies of one library never give one uuid twice.
CREATE TABLE epochs (
  first_id INTEGER PRIMARY KEY,
  prefix   BLOB NOT NULL
) STRICT;

-- What bytes there are: BLAKE3 of the whole content decides sameness; cas (sampled) may only rule it out.
-- type: the content kind found by looking inside; media: facts about pictures, films and sound, as JSON (deep mode);
-- deep_at: when those were looked for.
CREATE TABLE contents (
  id      INTEGER PRIMARY KEY,
  hash    BLOB NOT NULL UNIQUE,
  size    INTEGER NOT NULL,
  cas     BLOB,
  type    INTEGER NOT NULL,
  mime    INTEGER,
  media   TEXT,
  deep_at INTEGER,
  made_at INTEGER NOT NULL
) STRICT;

CREATE TABLE mime_types (
  id   INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE
) STRICT;

-- Names for search: trigrams of each name between two marks, without positions. Entries above meta.names_upto are not in
-- it yet and are found by looking through them; entries gone since meta.names_gone_seq are still in it and passed over.
CREATE VIRTUAL TABLE names USING fts5 (name, content = '', contentless_delete = 1, detail = none, tokenize = 'trigram');

-- Folders that the library indexes. host: whose path it is. path: absolute, as bytes. entry: its row (NULL until it was
-- first looked at). volume and volume_path: where it lies on a disk that may come back elsewhere. rules: JSON.
-- mode: shallow, content, deep. activity: pending, scanning, idle, paused, error, offline. freshness: fresh, partial,
-- stale, unknown. shared: 1 when the rows are held by the library that the instance keeps for itself. versioned: 1 when
-- entries carry versions (synced).
CREATE TABLE locations (
  id            INTEGER PRIMARY KEY,
  uuid          TEXT NOT NULL UNIQUE,
  host          INTEGER NOT NULL REFERENCES hosts (id),
  path          BLOB NOT NULL,
  name          TEXT NOT NULL,
  entry         INTEGER,
  root_inode    INTEGER,
  root_birth_ns INTEGER,
  volume        TEXT,
  volume_path   BLOB,
  mode          TEXT NOT NULL,
  watch         INTEGER NOT NULL,
  rules         TEXT NOT NULL,
  shared        INTEGER NOT NULL DEFAULT 0,
  versioned     INTEGER NOT NULL DEFAULT 0,
  activity      TEXT NOT NULL,
  freshness     TEXT NOT NULL,
  problem_code  TEXT,
  problem       TEXT,
  last_scan_at  INTEGER,
  last_full_scan_at INTEGER,
  added_at      INTEGER NOT NULL,
  updated_at    INTEGER NOT NULL,
  UNIQUE (host, path)
) STRICT;

-- What people said of a file, made on demand; it outlives the entry. `entry` is NULL while the file is not indexed or
-- gone; then path (absolute, on `host`), inode with birth time, and content hash tell it when it comes back.
CREATE TABLE metadata (
  id         INTEGER PRIMARY KEY,
  uuid       TEXT NOT NULL UNIQUE,
  entry      INTEGER UNIQUE,
  host       INTEGER NOT NULL REFERENCES hosts (id),
  path       BLOB NOT NULL,
  inode      INTEGER,
  birth_ns   INTEGER,
  hash       BLOB,
  notes      TEXT,
  favorite   INTEGER NOT NULL DEFAULT 0,
  hidden     INTEGER NOT NULL DEFAULT 0,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT;
CREATE INDEX metadata_by_path ON metadata (host, path);
CREATE INDEX metadata_without_entry ON metadata (hash) WHERE entry IS NULL;

CREATE TABLE tags (
  id         INTEGER PRIMARY KEY,
  uuid       TEXT NOT NULL UNIQUE,
  name       TEXT NOT NULL UNIQUE COLLATE NOCASE,
  color      TEXT,
  icon       TEXT,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT;

CREATE TABLE metadata_tags (
  metadata INTEGER NOT NULL REFERENCES metadata (id) ON DELETE CASCADE,
  tag      INTEGER NOT NULL REFERENCES tags (id) ON DELETE CASCADE,
  PRIMARY KEY (tag, metadata)
) STRICT, WITHOUT ROWID;
CREATE INDEX metadata_tags_by_metadata ON metadata_tags (metadata);

-- Labels are like tags in a tree: `parent` names the wider one.
CREATE TABLE labels (
  id         INTEGER PRIMARY KEY,
  uuid       TEXT NOT NULL UNIQUE,
  name       TEXT NOT NULL COLLATE NOCASE,
  color      TEXT,
  parent     INTEGER REFERENCES labels (id) ON DELETE CASCADE,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX labels_by_name ON labels (coalesce(parent, 0), name);

CREATE TABLE metadata_labels (
  metadata INTEGER NOT NULL REFERENCES metadata (id) ON DELETE CASCADE,
  label    INTEGER NOT NULL REFERENCES labels (id) ON DELETE CASCADE,
  PRIMARY KEY (label, metadata)
) STRICT, WITHOUT ROWID;
CREATE INDEX metadata_labels_by_metadata ON metadata_labels (metadata);
