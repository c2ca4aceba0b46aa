-- Contents that nobody has any more are let go; whether an entry that is gone still has one is asked for each of them.
CREATE INDEX deleted_by_content ON deleted (content) WHERE content IS NOT NULL;
