/** One file being read: opened without following a link, and looked at before and after. Synchronous, for a worker. */
import { hasCode, type RelPath, SpacedriveError } from '../../../storage/base/index.js'
import { createHasher, type Hasher } from '../../../storage/content/index.js'
import type { OpenFile, TreeReader } from '../../../storage/files/index.js'
import type { ManifestEntry } from '../manifest/types.js'

/** Why one path cannot be sent, as the other side is told: CHANGED, MISSING, UNREADABLE. */
export function pathProblem(code: 'CHANGED' | 'MISSING' | 'UNREADABLE', cause?: unknown): SpacedriveError {
  return new SpacedriveError(code, 'the file cannot be sent', { cause })
}

export class SourceFile {
  readonly entry: ManifestEntry
  readonly #file: OpenFile
  #hasher: Hasher | undefined
  position = 0

  /** @throws {SpacedriveError} CHANGED (size or mtime are not the manifest's, or no file any more), MISSING, UNREADABLE */
  constructor(reader: TreeReader, rel: RelPath, entry: ManifestEntry) {
    this.entry = entry
    try {
      this.#file = reader.open(rel, { looked: true })
    } catch (err) {
      if (hasCode(err, 'MISSING')) throw pathProblem('MISSING', err)
      throw pathProblem(hasCode(err, 'LINK_IN_PATH', 'NOT_A_FILE') ? 'CHANGED' : 'UNREADABLE', err)
    }
    const { sizeBytes, mtimeNs } = this.#file.opened
    if (sizeBytes === entry.sizeBytes && mtimeNs === entry.mtimeNs) return
    this.close()
    throw pathProblem('CHANGED')
  }

  /** Fills `into` from the position on. @throws CHANGED when the file ends too early, UNREADABLE */
  read(into: Uint8Array): void {
    let n = 0
    try {
      while (n < into.length) {
        const got = this.#file.read(n === 0 ? into : into.subarray(n), this.position + n)
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
    const now = this.#file.stat()
    const { sizeBytes, mtimeNs, ctimeNs } = this.#file.opened
    if (now.sizeBytes !== sizeBytes || now.mtimeNs !== mtimeNs || now.ctimeNs !== ctimeNs) throw pathProblem('CHANGED')
  }

  close(): void {
    this.#file.close()
  }
}
