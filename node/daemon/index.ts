/**
 * The daemon: a peer behind an HTTP API on a Unix socket, with its log, its place in the data directory and its behaviour
 * as a process. `main.ts` is the background process; `runDaemonProcess` runs the same in the foreground.
 */
export { API_DEADLINES, type Api, createApi, MAX_CALLS, MAX_CONNECTIONS } from './api.js'
export { MAX_UNREAD_BYTES } from './api-answer.js'
export { MAX_BODY_BYTES } from './api-body.js'
export { type Daemon, startDaemon } from './daemon.js'
export { MAX_EVENT_LISTENERS } from './event-stream.js'
export { createLog, type DaemonLog, type Level } from './log.js'
export { MAX_TEXT_CHARS } from './log-clean.js'
export { type ProcessInit, runDaemonProcess } from './process.js'
export type { StartOptions, StartReport } from './start-options.js'
