-- How fast content may go, in bytes a second: to (up) and from (down) one device, or all of them together (device ''). With
-- minutes of the day it holds from the one up to the other, in local time, over midnight where the second is the smaller one.
CREATE TABLE rate_limits (
  device      TEXT PRIMARY KEY,
  up          INTEGER,
  down        INTEGER,
  from_minute INTEGER CHECK (from_minute BETWEEN 0 AND 1439),
  to_minute   INTEGER CHECK (to_minute BETWEEN 0 AND 1439),
  CHECK ((from_minute IS NULL) = (to_minute IS NULL)),
  CHECK (up IS NOT NULL OR down IS NOT NULL)
) STRICT, WITHOUT ROWID;
