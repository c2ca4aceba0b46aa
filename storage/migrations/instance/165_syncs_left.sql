-- Ends of syncs that are no more, in which a staging place may be left: they were away, or could not be opened, when the sync
-- went. Looked at when a disk comes and at each start, and forgotten once nothing is left there (sync/session/left-ends.ts).
-- place: where it is and which folder, as JSON (sync/session/record.ts). root: the id in its marker; NULL where none is known.
CREATE TABLE syncs_left (
  uuid    TEXT NOT NULL,
  path    BLOB NOT NULL,
  place   TEXT NOT NULL,
  root    TEXT,
  left_at INTEGER NOT NULL,
  PRIMARY KEY (uuid, path)
) STRICT, WITHOUT ROWID;
