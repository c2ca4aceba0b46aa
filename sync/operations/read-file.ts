import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'
import { displayPath, errorCode, fsPath, SpacedriveError, toError } from '../../storage/base/index.js'
import type { ContentStat } from '../../storage/content/index.js'

/** NONBLOCK: opening a FIFO must not wait for its writer. */
const READ_FLAGS = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0)

/** A file open for reading. */
export interface OpenFile {
  readonly path: string
  stat(): ContentStat
  /** Fills `into` from a position as far as the file goes. @returns bytes read */
  read(into: Uint8Array, position: number): number
}

/** Opens a regular file, never over a link at the end, for as long as `fn` takes. @throws NOT_A_FILE, ENOENT, EACCES, EIO ... */
export async function withFile<T>(path: string, fn: (file: OpenFile) => T | Promise<T>): Promise<T> {
  const fd = guarded(path, () => openSync(fsPath(path), READ_FLAGS))
  try {
    if (!fstatSync(fd).isFile()) {
      throw new SpacedriveError('NOT_A_FILE', `could not read ${displayPath(path)}: it is not a regular file`)
    }
    return await fn({
      path,
      stat() {
        const s = fstatSync(fd, { bigint: true })
        return { sizeBytes: Number(s.size), mtimeNs: s.mtimeNs, ctimeNs: s.ctimeNs, device: s.dev, inode: s.ino }
      },
      read: (into, position) =>
        guarded(path, () => {
          let n = 0
          while (n < into.length) {
            const got = readSync(fd, into, n, into.length - n, position + n)
            if (got === 0) break
            n += got
          }
          return n
        })
    })
  } finally {
    closeSync(fd)
  }
}

function guarded<T>(path: string, fn: () => T): T {
  try {
    return fn()
  } catch (err) {
    const why = toError(err).message.replace(/,? '.*$/s, '')
    throw new SpacedriveError(errorCode(err), `could not read ${displayPath(path)}: ${why}`, { cause: err })
  }
}
