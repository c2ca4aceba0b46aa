/**
 * One installation on this machine: its data directory, where its daemon listens, and which others there are. Loads nothing
 * but node:fs, since every command begins here.
 */
export {
  baseDirOf,
  type DataDirInit,
  DEFAULT_INSTANCE,
  dataDirOf,
  ensureDataDir,
  ensurePrivateDir,
  instanceNameOf,
  spoolDirOf
} from './data-dir.js'
export { answers, type FoundInstance, type InstanceState, listInstances } from './list.js'
export { ensureLogDir, KEPT_LOGS, logFile, outputFile } from './logs.js'
export { type DaemonPlace, findPlace, lockFile, pidFile, placeFile, writePlace } from './place.js'
export { chooseSocketPath, MAX_SOCKET_PATH_BYTES } from './socket-path.js'
