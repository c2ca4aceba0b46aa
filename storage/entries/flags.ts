/** Bits of `entries.flags`. Rules decide what is shown, searched and hashed, never what is recorded. */
export const FLAG = {
  /** Its name begins with a dot. */
  HIDDEN: 1,
  /** What operating systems and file managers leave about: .DS_Store, Thumbs.db, lost+found. */
  SYSTEM: 2,
  /** A rule of its location leaves it out: not searched, not hashed. */
  EXCLUDED: 4,
  /** A directory that was not entered: excluded, other file system, ours, or beyond the depth. */
  NOT_ENTERED: 8,
  /** Unknown, never gone: of a kind we do not carry, on another file system, or ours. */
  UNKNOWN: 16,
  /** Its stat lay too near the hashing to vouch for the content: hashed again at the next look. */
  RACY: 32,
  /** Its content changed since it was hashed, or never was. */
  STALE: 64,
  /** A directory that could not be listed, a file that could not be read: unknown, never gone. Until it can be. */
  UNREADABLE: 128,
  /** Its name was listed but it could not be looked at (a directory without the right to search it). */
  STATLESS: 256
} as const

/** Any of them: nothing is known of its content, or of what is below it. */
export const UNKNOWN_FLAGS = FLAG.UNKNOWN | FLAG.UNREADABLE | FLAG.STATLESS

/** What a look at the disk decides; the others depend on the content. */
export const SEEN_FLAGS = FLAG.HIDDEN | FLAG.SYSTEM | FLAG.EXCLUDED | FLAG.NOT_ENTERED | FLAG.UNKNOWN | FLAG.STATLESS

export const KIND = { FILE: 0, DIRECTORY: 1, SYMLINK: 2, OTHER: 3 } as const

export const ENTRY_KINDS = ['file', 'directory', 'symlink', 'other'] as const
export type EntryKind = (typeof ENTRY_KINDS)[number]

/** The seventeen kinds of content; the position is the number in the database. */
export const CONTENT_KINDS = [
  'unknown',
  'image',
  'video',
  'audio',
  'document',
  'archive',
  'code',
  'text',
  'database',
  'book',
  'font',
  'mesh',
  'config',
  'encrypted',
  'key',
  'executable',
  'binary'
] as const
export type ContentKind = (typeof CONTENT_KINDS)[number]
