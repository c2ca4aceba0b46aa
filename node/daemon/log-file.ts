import { closeSync, constants, copyFileSync, fstatSync, ftruncateSync, openSync, writeSync } from 'node:fs'
import { KEPT_LOGS } from '../instance/index.js'

/** Of one file; see KEPT_LOGS for how many there are. */
export const MAX_LOG_BYTES = 4 * 1024 * 1024

export interface LogFile {
  write(line: string): void
  close(): void
}

/**
 * A file that is written line by line and begins anew at its limit; `daemon.log.1` is the newest of the old ones. Written
 * synchronously (a few microseconds, into the page cache), so that the last line before a crash is there. A disk that is
 * full costs lines, never the daemon.
 */
export function openLogFile(path: string, maxBytes = MAX_LOG_BYTES, kept = KEPT_LOGS): LogFile {
  const fd = openSync(
    path,
    constants.O_RDWR | constants.O_APPEND | constants.O_CREAT | (constants.O_NOFOLLOW ?? 0),
    0o600
  )
  let size = fstatSync(fd).size
  let lost = 0

  function rotate(): void {
    for (let i = kept - 1; i >= 1; i--) copyIfThere(`${path}.${i}`, `${path}.${i + 1}`)
    copyIfThere(path, `${path}.1`)
    ftruncateSync(fd, 0)
    size = 0
  }

  return {
    write(line) {
      try {
        const bytes = Buffer.byteLength(line)
        if (size > 0 && size + bytes > maxBytes) rotate()
        if (lost > 0) size += writeSync(fd, `${JSON.stringify({ level: 'warn', msg: 'lines were lost', lost })}\n`)
        lost = 0
        size += writeSync(fd, line)
      } catch {
        lost++
      }
    },
    close: () => closeSync(fd)
  }
}

function copyIfThere(from: string, to: string): void {
  try {
    copyFileSync(from, to, constants.COPYFILE_FICLONE)
  } catch (err) {
    if ((err as { code?: string }).code !== 'ENOENT') throw err
  }
}
