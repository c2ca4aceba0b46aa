-- Why a thing in `seen` could not be read, for people: a code and words. Rows of what is no longer unknown mean nothing.
CREATE TABLE unread (
  at      INTEGER NOT NULL,
  path    BLOB NOT NULL,
  code    TEXT NOT NULL,
  message TEXT NOT NULL,
  PRIMARY KEY (at, path)
) STRICT, WITHOUT ROWID;
