import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'
import {
  defineTasks,
  displayPath,
  errorCode,
  fsPath,
  hasCode,
  type Problem,
  SpacedriveError,
  type TaskContext,
  toError
} from '../base/index.js'
import { type ContentStat, type HashedContent, hashSource } from './read.js'

export interface HashFileInput {
  /** Absolute path; the last name is never followed. */
  path: string
  fromBytes?: number
  lengthBytes?: number
}

export const hashing = defineTasks(import.meta.url, {
  /** Whole file or a range of it. @throws NOT_A_FILE, CHANGED_WHILE_READING, ENOENT, EACCES, EIO ... */
  async hashFile({ path, ...range }: HashFileInput, ctx: TaskContext): Promise<HashedContent> {
    const fd = openFile(path)
    try {
      const source = { stat: () => contentStat(fd), read: (into: Uint8Array, at: number) => readAt(fd, into, at, path) }
      return await hashSource(source, displayPath(path), { ...range, signal: ctx.signal })
    } finally {
      closeSync(fd)
    }
  },

  /** Many whole files in one message; what could not be read is a problem in its place. */
  async hashFiles({ paths }: { paths: readonly string[] }, ctx: TaskContext): Promise<(HashedContent | Problem)[]> {
    const results: (HashedContent | Problem)[] = []
    for (const path of paths) {
      try {
        results.push(await hashing.hashFile({ path }, ctx))
      } catch (err) {
        ctx.signal.throwIfAborted()
        results.push({ path: displayPath(path), code: errorCode(err), message: toError(err).message })
      }
    }
    return results
  }
})

/** NONBLOCK: opening a FIFO must not wait for its writer. */
const READ_FLAGS = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0)

function openFile(path: string): number {
  let fd: number
  try {
    fd = openSync(fsPath(path), READ_FLAGS)
  } catch (err) {
    if (hasCode(err, 'ELOOP', 'EMLINK', 'ENXIO')) throw notAFile(path)
    throw unreadable(path, err)
  }
  if (fstatSync(fd).isFile()) return fd
  closeSync(fd)
  throw notAFile(path)
}

function contentStat(fd: number): ContentStat {
  const s = fstatSync(fd, { bigint: true })
  return { sizeBytes: Number(s.size), mtimeNs: s.mtimeNs, ctimeNs: s.ctimeNs, device: s.dev, inode: s.ino }
}

function readAt(fd: number, into: Uint8Array, position: number, path: string): number {
  try {
    return readSync(fd, into, 0, into.length, position)
  } catch (err) {
    throw unreadable(path, err)
  }
}

const unreadable = (path: string, cause: unknown): SpacedriveError =>
  new SpacedriveError(errorCode(cause), `could not read ${displayPath(path)}: ${toError(cause).message}`, { cause })

const notAFile = (path: string): SpacedriveError =>
  new SpacedriveError('NOT_A_FILE', `could not read ${displayPath(path)}: it is not a regular file`)
