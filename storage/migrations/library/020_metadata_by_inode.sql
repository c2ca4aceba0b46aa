-- What was said of files that no entry stands for is also found by inode and time of birth: a file that was moved while
-- nobody looked. Tagging thousands of such files would otherwise look through all of them for each.
CREATE INDEX metadata_by_inode ON metadata (inode) WHERE entry IS NULL;
