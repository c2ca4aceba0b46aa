-- Libraries this device knows, by the folder they lie in. `reserved_seq`: no change of that index bears a greater number;
-- raised here (synchronous=FULL) before the library uses it, so that a power loss never lets one number mean two changes.
-- `session` is a random word written here and into the library at each opening, `closed_seq` the last seq at a clean close:
-- a database that says otherwise was put back or copied, and gets a new index id. open: to be opened at the next start.
-- current: the default of commands. kind: `portable` or `own` (the one the instance keeps for itself, in its data directory).
CREATE TABLE libraries (
  path         TEXT PRIMARY KEY,
  library      TEXT NOT NULL,
  name         TEXT NOT NULL,
  kind         TEXT NOT NULL,
  index_id     TEXT NOT NULL,
  session      TEXT NOT NULL,
  reserved_seq INTEGER NOT NULL,
  closed_seq   INTEGER NOT NULL,
  open         INTEGER NOT NULL,
  current      INTEGER NOT NULL,
  opened_at    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
