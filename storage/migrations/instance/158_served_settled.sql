-- When the driver last said that both ends were compared whole and hold the same, with nothing left over; NULL again as soon as
-- something is changed here. Only then versions are thinned: nothing that the driver still holds and this end does not can be
-- among them.
ALTER TABLE served_syncs ADD COLUMN settled_at INTEGER;
