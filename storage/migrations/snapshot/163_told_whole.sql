-- When another device told all there is in its folder last (docs/decisions/160-changes-not-listings.md): every so often it is asked for
-- that again, however little changed. In a table of its own, since the mark is given up while a large answer is written.
CREATE TABLE told_whole (
  at    INTEGER PRIMARY KEY,
  at_ms INTEGER NOT NULL
) STRICT;
