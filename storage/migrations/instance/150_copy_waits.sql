-- Copies that rest until other devices are there, one row for each device that one waits for. `not_before` (milliseconds since
-- 1970): connections that do not hold are not tried again at once. Rows go when the copy goes on, and with their job.
CREATE TABLE copy_waits (
  job        TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
  device     TEXT NOT NULL,
  not_before INTEGER NOT NULL,
  PRIMARY KEY (job, device)
) STRICT, WITHOUT ROWID;
