/**
 * Files: the only code that gives a file its name or takes one away.
 *
 * `openRoot` opens a folder; in it `openStaging` makes a private place where content is written and checked; `moveInto`
 * (a drop, as a whole) or `place` (a batch of single changes) gives it its names: durable first, then named, then durable
 * again, and never over anything that was not expected there. See `Staging` for how small files, large files, links and
 * directories are handed over, `PlaceStep` for the single changes.
 *
 * The program's own small files (keys, configuration, pid files) go through `writeFileAtomic` and its neighbours.
 */
export type { Capabilities } from './capabilities.js'
export type { CleanReport, FileRoot, Files, RecoverReport, Space } from './files.js'
export type { EntryKind, EntryStat, Expected } from './fingerprint.js'
export { AREA_NAME, isTempName, MARKER_NAME, ownerTag, TEMP_PREFIX } from './ours.js'
export {
  ensurePrivateDir,
  readFileBounded,
  removeEmptyDir,
  removeFile,
  type WriteFileOptions,
  writeFileAtomic
} from './own-files.js'
export type { PlaceResult, PlaceStep, StagedSource } from './place-steps.js'
export type {
  DirectoryAttributes,
  MovedEntry,
  MoveEntry,
  StagedEntry,
  StagedFileWriter,
  StagedProblem,
  StagedReport,
  Staging,
  VerifiedFile
} from './staging.js'
