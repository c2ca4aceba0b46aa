/**
 * Entries: what the index holds of files, directories and symlinks. Rows hang on their parents; a root (a location that
 * lies in no other) bears its absolute path as name. `seq` grows with each change of the index; a generation is
 * `{ index, seq }`, and only numbers of the same index id compare.
 *
 * Rows come, change and go through `IndexWriter` and `Placement` alone, in the writer thread: ids, seqs, what directories
 * hold in all, digests, tombstones, versions and what people said of files are kept right there, in the same transaction.
 */
export { annotating, type SaidOfFile } from './annotate.worker.js'
export { type ChangesPage, changedSince, changesOf } from './changes.worker.js'
export { CORRUPT, damage } from './damage.worker.js'
export { CONSUMER_LIFETIME_MS, deletedSince, dropDeleted, KEEP_DELETED_MS, MAX_DELETED } from './deleted.js'
export { type Described, describing } from './describe.worker.js'
export type { ChangedEntry, Entry, Generation } from './entry.js'
export {
  CONTENT_KINDS,
  type ContentKind,
  ENTRY_KINDS,
  type EntryKind,
  FLAG,
  KIND,
  SEEN_FLAGS,
  UNKNOWN_FLAGS
} from './flags.js'
export {
  type IndexCounts,
  IndexWriter,
  type IndexWriterInit
} from './index-writer.js'
export { labelling, labelsBelow } from './labels.worker.js'
export {
  childRows,
  findBelow,
  findByPath,
  isBelow,
  pathOf,
  pathTextOf,
  rootsOf,
  rowById,
  rowByName,
  rowsBetween,
  topOf
} from './lookup.js'
export type { MarkFacts, MarkTasks } from './marks.js'
export { findMetadata, type Said, saidOf, type Target } from './metadata.js'
export { adoptByContent, followPaths, orphan } from './metadata-follow.js'
export { indexNames, mergeNames, NAME_END, NAME_START, type NamesTaken, namesUpto, searchText } from './names.js'
export { Placement, type Replaced, replaced } from './placement.js'
export { COLUMNS, columnsOf, type EntryRow, entryOf, nameKey, rowOf, type Seen, sameStat } from './row.js'
export { removeTree, type Settled, settle } from './settle.js'
export { beginIndex, getMeta, indexState, saveState, setMeta } from './state.js'
export { type TagFacts, tagging } from './tags.worker.js'
export { type IndexChange, MAX_TOLD_CHANGES } from './told.js'
export {
  childrenAfter,
  directoriesBelow,
  LISTING_REST_NS,
  restedSince,
  rowsWithContent,
  type ScanRecord,
  scanRecord,
  sumsOf,
  type TreeRow,
  type TreeSums,
  treeRow
} from './tree-rows.js'
export { entryUuid, idOfUuid } from './uuid.js'
export { replicaNumber } from './versions.js'
