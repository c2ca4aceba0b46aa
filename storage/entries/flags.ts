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
  /** Unknown, never gone: unreadable, of a kind we do not carry, on another file system, or ours. */
  UNKNOWN: 16,
  /** Its stat lay too near the hashing to vouch for the content: hashed again at the next look. */
  RACY: 32,
  /** Its content changed since it was hashed, or never was. */
  STALE: 64,
  /** Not in the last listing of its directory; a running scan has not decided yet whether it moved or went. */
  MISSING: 128
} as const

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
