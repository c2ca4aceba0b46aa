-- Up to which number of an end's folder the last run knew what was changed in the versions of its entries (sync/session/vectors.ts).
-- replica: the name of that folder's counting; under another one nothing is known.
CREATE TABLE vectors_known (
  at      INTEGER PRIMARY KEY,
  replica TEXT NOT NULL,
  upto    INTEGER NOT NULL
) STRICT;
