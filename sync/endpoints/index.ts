/**
 * Endpoints: one interface for both ends of a copy or a sync, whether the folder lies here or on a paired device.
 *
 *   for await (const { entries } of source.walk(ROOT, { signal })) ...            // tree order, pages
 *   const pack = await source.readPack(paths, { signal })                         // small files
 *   await stage.write(entriesOf(pack), pack.data, { signal })
 *   await destination.place([{ kind: 'create', path, from: { staging: stage.id, path } }], { signal })
 *
 * `endpoint.ts` is the interface, `entry.ts` what a look tells, `content.ts` reading, `stage.ts` staging, `local-port.ts` the
 * fast ways of two local ends. docs/endpoint.md says what every end promises; `test/sync/endpoints/endpoint-suite.ts` checks
 * it against each.
 */
export type {
  HandedOver,
  StagedBlocks,
  StagedEntries,
  StagedEntry,
  StagedFileWriter,
  StagedProblem,
  StagedReport,
  StagedSource,
  StagedStretch,
  VerifiedFile
} from '../../storage/files/index.js'
export type { BlockPiece, BlocksOptions, HashedStart } from './blocks.js'
export { buffersOf, ColumnsBuilder, type EntryColumns, fromColumns, toColumns } from './columns.js'
export type { ByteRange, HashedFile, PackedFile, ReadOptions, ReadPack, ReadPackOptions, ReadPiece } from './content.js'
export {
  type ContentColumns,
  type ContentEntry,
  contentBuffersOf,
  fromContentColumns,
  hashIn,
  isRacyIn,
  toContentColumns
} from './content-columns.js'
export type {
  Endpoint,
  EndpointAbout,
  HashOptions,
  TrashedItem,
  TrashItemsOptions,
  TrashOutcome,
  WalkOptions
} from './endpoint.js'
export { isNobodys, type Looked, type TreeEntry, type TreePage, type UnknownReason } from './entry.js'
export {
  FOLLOWED_PAGE,
  type FollowedEntry,
  type FollowedMove,
  type FollowedPage,
  type FollowOptions,
  MAX_FOLLOWED_MOVES
} from './following.js'
export type { EndpointKept, KeptContents, KeptPage, KeptWanted } from './kept.js'
export {
  BLOCKS_A_PAGE,
  MAX_BLOCKS,
  MAX_HOLE_BYTES,
  MAX_LOOKS,
  MAX_PACK_BYTES,
  MAX_PACKED_FILE_BYTES,
  MAX_PLACED_LETTERS,
  PAGE_ENTRIES,
  PAGE_OF_BLOCKS_BYTES,
  READ_PIECE_BYTES
} from './limits.js'
export { walkHere } from './local/local.worker.js'
export type { LocalEndpointInit } from './local/local-endpoint.js'
export { openLocalEndpoint } from './local/open-local.js'
export type { LocalRoot } from './local/reading.js'
export type { LocalPort } from './local-port.js'
export { pulled, type Sink, sink } from './pull.js'
export { givenOnce, givePlace, ownMemory, PLACE_BYTES, takePlace } from './shared-places.js'
export type { EndpointStage } from './stage.js'
export type { AnnouncedRun, EndpointSync, KeptBatch, SyncedEnd, WatchedPage } from './syncing.js'
export type { ChangedVectors, EndVectors, LearnedVersion, SeenThing, StepNote } from './vectors.js'
