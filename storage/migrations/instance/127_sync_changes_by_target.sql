-- What a path became by a move is asked by its new name (`sync why`).
CREATE INDEX sync_changes_by_target ON sync_changes (sync, to_path) WHERE to_path IS NOT NULL;
