-- Messages to and from paired devices. A row that we sent waits until the other side has it safe (`waiting` -> `delivered`,
-- or `refused`, `expired`, `cancelled`); a row that we received is durable before it is acknowledged (`received`) and
-- becomes `handled` when the part it is for has dealt with it (a text: when a person has seen it) or `failed`.
-- The order of `seq` is the order of sending and of handling. `id` is the sender's; while a row stands, the same id of the
-- same device is not taken a second time: that is what delivers a message once. `body` is JSON, and null where only the id
-- is still needed. Times are milliseconds of this device's clock, but for `sent_at`, which is the sender's.
CREATE TABLE messages (
  seq        INTEGER PRIMARY KEY AUTOINCREMENT,
  id         TEXT NOT NULL,
  device     TEXT NOT NULL,
  direction  TEXT NOT NULL CHECK (direction IN ('in', 'out')),
  kind       TEXT NOT NULL,
  body       TEXT,
  bytes      INTEGER NOT NULL,
  state      TEXT NOT NULL CHECK (state IN
               ('waiting', 'delivered', 'refused', 'expired', 'cancelled', 'received', 'handled', 'failed')),
  -- Why it was refused or failed, as a code.
  code       TEXT,
  sent_at    INTEGER NOT NULL,
  at         INTEGER NOT NULL,
  expires_at INTEGER,
  settled_at INTEGER,
  attempts   INTEGER NOT NULL DEFAULT 0,
  UNIQUE (device, direction, id)
) STRICT;

-- Outbox and inbox: what is still to be dealt with.
CREATE INDEX messages_open ON messages (direction, device, seq) WHERE state IN ('waiting', 'received');
-- History of a device, newest first.
CREATE INDEX messages_history ON messages (device, direction, seq);
-- What a person reads.
CREATE INDEX messages_text ON messages (seq) WHERE kind = 'text';
