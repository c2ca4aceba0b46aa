/**
 * Files: the only code that gives a file its name or takes one away.
 *
 *   const files = openFiles({ pool, owner: ownerTag(dataDir) })        // node/compose.ts
 *   const root = await files.openRoot(folder)
 *   await root.recover()                                               // once, at the start
 *   const staging = await root.openStaging(id)
 *   await staging.write(entries, bytes)                                // small files, links, directories
 *   const file = await staging.openFile(path, { sizeBytes })           // a large one, in chunks
 *   await staging.moveInto(ROOT, [{ from: name }])                     // all of it gets its names, or nothing
 *   await staging.discard()
 *
 * `openRoot` opens a folder; in it `openStaging` makes a private place where content is written and checked; `moveInto`
 * (a drop, as a whole) or `place` (a batch of single changes) gives it its names: durable first, then named, then durable
 * again, and never over anything that was not expected there. See `Staging` for how small files, large files, links and
 * directories are handed over, `PlaceStep` for the single changes. Who already runs in a worker uses `stagingWriter` there.
 * Within this device `copierHere` copies: from an `openSource`d folder into a staging place, whose `placeNew` then names
 * thousands at a time.
 *
 * The program's own small files (keys, configuration, pid files) go through `writeFileAtomic` and its neighbours.
 *
 * Below: `disk.ts` the primitives, `node-disk.ts` and `native.ts` the real ones; `root.ts`, `probe.ts`, `dirs.ts` a root, what
 * it can do, and the way beneath it; `staging-writer.ts`, `staging-place.ts` staging; `journal.ts`, `group.ts`,
 * `move-into.ts`, `place-group.ts`, `recover.ts` what happens all or not at all (`respell.ts`: so does another case of a name); `place-batch.ts`, `place-step.ts` single
 * changes, `version-area.ts` what is kept of what they replaced, `place-journaled.ts` where the file system cannot do
 * them in one step; `tasks.ts` what workers run, `open-*.ts` the side that asks.
 *
 * Reading: `treeReader` looks at a tree and reads its files beneath an open root, in a worker; it changes nothing.
 */
export { awayName } from './away.js'
export type { Capabilities } from './capabilities.js'
export { Copier } from './copier.js'
export type { ContentStrategy } from './copy-content.js'
export { COPY_RESERVE_SHARE, type CopierInit, type SourceHandle, type TargetHandle } from './copy-looks.js'
export type { CopiedFile, CopyFileInit, Kept } from './copy-stager.js'
export type { DirHandle, Disk, DiskSpace, RenameHow } from './disk.js'
export type { FileAppender, FinishedFile } from './file-appender.js'
export { fileSystemId } from './file-system-id.js'
export type { FileRoot, FileSource, Files, RecoverReport, Space, VersionArea } from './files.js'
export type { EntryKind, EntryStat, Expected } from './fingerprint.js'
export { freeNames } from './free-name.js'
export type { OtherContent, TakenAway } from './keep-aside.js'
export type { Checkpoints } from './large-copy.js'
export type { Marker } from './marker.js'
export { memory } from './memory.worker.js'
export { nodeDisk } from './node-disk.js'
export { type FilesInit, openFiles } from './open-files.js'
export { AREA_NAME, isTempName, MARKER_NAME, ownerTag, TEMP_PREFIX } from './ours.js'
export {
  ensurePrivateDir,
  readFileBounded,
  removeEmptyDir,
  removeFile,
  removeLeftovers,
  type WriteFileOptions,
  writeFileAtomic
} from './own-files.js'
export type { StagedHow } from './place-batch.js'
export { fromPlacedColumns, type PlacedColumns, toPlacedColumns } from './place-columns.js'
export type { NewName, NewNameProblem } from './place-new.js'
export {
  MAX_BATCH_BYTES,
  MAX_BATCH_STEPS,
  MAX_PLACED_STEPS,
  type PlaceResult,
  type PlaceStep,
  type StagedSource
} from './place-steps.js'
export { isFatal } from './problems.js'
export type { Doomed, RemovedForGood, RemovedItem } from './remove-for-good.js'
export type { RootHandle } from './root.js'
export {
  eachStaged,
  fromStagedColumns,
  STAGED_MARKS,
  type StagedColumns,
  type StagedEntries,
  toStagedColumns
} from './staged-columns.js'
export type {
  DirectoryAttributes,
  HandedOver,
  MovedEntry,
  MoveEntry,
  OpenedFile,
  StagedBlocks,
  StagedEntry,
  StagedFileWriter,
  StagedProblem,
  StagedReport,
  StagedStretch,
  Staging,
  VerifiedFile
} from './staging.js'
export { copierHere, type StagingHandle, StagingWriter, stagingWriter } from './staging-writer-here.js'
export { putStat, type StatColumns, statBuffers, statColumns, statIn } from './stat-columns.js'
export { fromStepColumns, type StepColumns, toStepColumns } from './step-columns.js'
export {
  type FoundBatch,
  type FoundItem,
  MAX_TRASH_BATCH,
  type PutResult,
  type RemovedStretch,
  type TakeBack,
  type TakeBackResult,
  type TrashAddress,
  type TrashBatchHeader,
  type TrashFiles,
  type TrashItem
} from './trash-files.js'
export { type OpenFile, type ReaderRoot, TreeReader, treeReader } from './tree-reader.js'
export { asideHash, asidePath, type StoredContent, type VersionList } from './version-area.js'
