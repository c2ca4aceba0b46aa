-- Directories whose rows below still bear the old name: those that they hold follow when somebody asks for one of them. At most one a folder.
CREATE TABLE renamed (
  folder  INTEGER PRIMARY KEY REFERENCES folders (id) ON DELETE CASCADE,
  path    BLOB NOT NULL,
  to_path BLOB NOT NULL
) STRICT;
