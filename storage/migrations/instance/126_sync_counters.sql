-- Which root each end of a sync is, as its marker says (NULL until something was written there), and why a sync rests.
ALTER TABLE syncs ADD COLUMN source_root TEXT;
ALTER TABLE syncs ADD COLUMN destination_root TEXT;
ALTER TABLE syncs ADD COLUMN paused_because TEXT;

-- What a run has taken away and replaced at each end, counted before each batch is done: the guards' window stands on it. A run
-- has its row from its first batch on: ended_at NULL while it goes on.
ALTER TABLE sync_runs ADD COLUMN source_removed INTEGER NOT NULL DEFAULT 0;
ALTER TABLE sync_runs ADD COLUMN source_replaced INTEGER NOT NULL DEFAULT 0;
ALTER TABLE sync_runs ADD COLUMN destination_removed INTEGER NOT NULL DEFAULT 0;
ALTER TABLE sync_runs ADD COLUMN destination_replaced INTEGER NOT NULL DEFAULT 0;
