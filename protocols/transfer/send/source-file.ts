/** One file being read: opened without following a link, and looked at before and after. Synchronous, for a worker. */
import { type BigIntStats, closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'
import { fsPath, hasCode, SpacedriveError } from '../../../storage/base/index.js'
import { createHasher, type Hasher } from '../../../storage/content/index.js'
import type { ManifestEntry } from '../manifest/types.js'

/** NONBLOCK: a FIFO that took the file's place must not stop us. */
const READ_FLAGS = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0)

/** Why one path cannot be sent, as the other side is told: CHANGED, MISSING, UNREADABLE. */
export function pathProblem(code: 'CHANGED' | 'MISSING' | 'UNREADABLE', cause?: unknown): SpacedriveError {
  return new SpacedriveError(code, 'the file cannot be sent', { cause })
}

export class SourceFile {
  readonly entry: ManifestEntry
  readonly #fd: number
  readonly #before: BigIntStats
  #hasher: Hasher | undefined
  position = 0

  /** @throws {SpacedriveError} CHANGED (size or mtime are not the manifest's, or no file any more), MISSING, UNREADABLE */
  constructor(path: string, entry: ManifestEntry) {
    this.entry = entry
    try {
      this.#fd = openSync(fsPath(path), READ_FLAGS)
    } catch (err) {
      if (hasCode(err, 'ENOENT', 'ENOTDIR')) throw pathProblem('MISSING', err)
      throw pathProblem(hasCode(err, 'ELOOP', 'EMLINK', 'ENXIO') ? 'CHANGED' : 'UNREADABLE', err)
    }
    this.#before = fstatSync(this.#fd, { bigint: true })
    const { size, mtimeNs } = this.#before
    if (this.#before.isFile() && size === BigInt(entry.sizeBytes) && mtimeNs === entry.mtimeNs) return
    this.close()
    throw pathProblem('CHANGED')
  }

  /** Fills `into` from the position on. @throws CHANGED when the file ends too early, UNREADABLE */
  read(into: Uint8Array): void {
    let n = 0
    try {
      while (n < into.length) {
        const got = readSync(this.#fd, into, n, into.length - n, this.position + n)
        if (got === 0) break
        n += got
      }
    } catch (err) {
      throw pathProblem('UNREADABLE', err)
    }
    if (n < into.length) throw pathProblem('CHANGED')
    this.position += n
  }

  get hasher(): Hasher {
    this.#hasher ??= createHasher()
    return this.#hasher
  }

  restart(): void {
    this.position = 0
    this.#hasher = undefined
  }

  get remaining(): number {
    return this.entry.sizeBytes - this.position
  }

  /** @throws CHANGED when anything moved since it was opened */
  checkUnchanged(): void {
    const now = fstatSync(this.#fd, { bigint: true })
    const { size, mtimeNs, ctimeNs } = this.#before
    if (now.size !== size || now.mtimeNs !== mtimeNs || now.ctimeNs !== ctimeNs) throw pathProblem('CHANGED')
  }

  close(): void {
    closeSync(this.#fd)
  }
}
