-- Pairing codes that were used up: by the wire's session id (16 bytes, follows from the words, says nothing about them).
-- A code pairs once; should the same one ever be made again (a restored machine image with its randomness), it is refused.
-- `reason`: used (a Response was verified), failed (someone knew the words and then failed), both before anybody is asked.
-- Removed an hour after the code would have expired.
CREATE TABLE pairing_burned (
  session_id BLOB PRIMARY KEY CHECK (length(session_id) = 16),
  reason     TEXT NOT NULL CHECK (reason IN ('used', 'failed')),
  burned_at  INTEGER NOT NULL,
  keep_until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
