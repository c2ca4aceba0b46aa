/**
 * Entries: what the index holds of files, directories and symlinks. Rows hang on their parents; a root (a location that
 * lies in no other) bears its absolute path as name. `seq` grows with each change of the index; a generation is
 * `{ index, seq }`, and only numbers of the same index id compare.
 */

export type { ChangedEntry, Entry, Generation } from './entry.js'
export { CONTENT_KINDS, type ContentKind, ENTRY_KINDS, type EntryKind, FLAG } from './flags.js'
