/**
 * A sync session (SYNC.md 6 and 7). So far: the archive, the last tree both ends agreed on, as tables of the instance
 * database that hold what `foldResults` of sync/reconcile makes of a batch.
 */
export {
  archiving,
  type BatchCommit,
  findInArchive,
  readArchive,
  readUnsettled
} from './archive.worker.js'
export { keyPath, keysBelow, pathKey } from './path-key.js'
