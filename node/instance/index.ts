/**
 * One installation on this machine: its data directory, where its daemon listens, and which others there are. Loads nothing
 * but node:fs, since every command begins here.
 */
export { baseDirOf, type DataDirInit, dataDirOf, ensureDataDir, ensurePrivateDir } from './data-dir.js'
export { type DaemonPlace, findPlace, lockFile, pidFile, placeFile, writePlace } from './place.js'
export { chooseSocketPath, MAX_SOCKET_PATH_BYTES } from './socket-path.js'
