-- Whose changes versions count: `version` of an entry, deleted or not, is JSON of numbers of this table to counters. A replica
-- is one synced folder in one life of an index; name: the location's uuid, a dot, the index id. Folders of other devices are
-- here too once a version that a sync brought names them. Rows are never removed: a version may still hold their number.
CREATE TABLE replicas (
  id   INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE
) STRICT;

-- Until now the numbers were those of devices, which count the edits of all their folders together. An empty version is
-- never older than another, so nothing that was edited is lost for it.
UPDATE entries SET version = NULL WHERE version IS NOT NULL;
UPDATE deleted SET version = NULL WHERE version IS NOT NULL;
