-- Of the device that is asked: directories that the driver renamed there itself, and whose rows in `seen` and `told` bear their new
-- names already. What the driver knows (`told`) is what it knows once it has renamed them, too. round: as in `told`.
CREATE TABLE placed_moves (
  path    BLOB PRIMARY KEY,
  to_path BLOB NOT NULL,
  inode   INTEGER NOT NULL,
  birth   INTEGER NOT NULL,
  round   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
