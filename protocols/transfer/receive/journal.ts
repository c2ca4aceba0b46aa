/**
 * What was received whole, so that a restart knows: one row of 36 bytes for each file (entry index, BLAKE3), appended when the
 * file is verified; a row of zeros instead of the hash when a large file was begun. It needs no checksum and no sync: every
 * row is proven against the staged file's content before it counts. Synchronous, for a worker.
 */
import { closeSync, constants, fstatSync, openSync, readSync, writeSync } from 'node:fs'
import { type AbsPath, type ContentHash, errorCode, SpacedriveError, toError } from '../../../storage/base/index.js'
import { hashFromBytes } from '../../../storage/content/index.js'

const ROW_BYTES = 36
const BEGUN = Buffer.alloc(32)

export class Journal {
  readonly #fd: number
  readonly #file: AbsPath
  /** What earlier runs wrote: entry index and the place of its row. */
  readonly #rows = new Map<number, number>()
  readonly #old: Buffer
  readonly #begun = new Set<number>()
  /** Nothing was received before. */
  readonly isNew: boolean

  constructor(file: AbsPath) {
    this.#file = file
    this.#fd = openSync(file, constants.O_RDWR | constants.O_CREAT | constants.O_APPEND, 0o600)
    const size = fstatSync(this.#fd).size
    this.isNew = size === 0
    this.#old = Buffer.allocUnsafe(size)
    const n = size === 0 ? 0 : readSync(this.#fd, this.#old, 0, size, 0)
    // A row that a crash cut off, and the rest of it that would shift every row to come.
    const whole = n - (n % ROW_BYTES)
    if (n > whole) writeSync(this.#fd, Buffer.alloc(ROW_BYTES - (n - whole)))
    for (let at = 0; at < whole; at += ROW_BYTES) {
      const index = this.#old.readUInt32BE(at)
      if (this.#hashAt(at).equals(BEGUN)) {
        this.#begun.add(index)
        this.#rows.delete(index)
      } else {
        this.#begun.delete(index)
        this.#rows.set(index, at)
      }
    }
  }

  /** Files begun and not finished, by entry index. */
  get begun(): ReadonlySet<number> {
    return this.#begun
  }

  /** The hash that a file was received with, as an earlier run wrote it. */
  hashOf(index: number): ContentHash | undefined {
    const at = this.#rows.get(index)
    return at === undefined ? undefined : hashFromBytes(this.#hashAt(at))
  }

  begin(index: number): void {
    this.#begun.add(index)
    this.#append([[index, BEGUN]])
  }

  done(files: readonly (readonly [index: number, hash: Uint8Array])[]): void {
    for (const [index] of files) this.#begun.delete(index)
    this.#append(files)
  }

  close(): void {
    closeSync(this.#fd)
  }

  #append(rows: readonly (readonly [index: number, hash: Uint8Array])[]): void {
    const bytes = Buffer.allocUnsafe(rows.length * ROW_BYTES)
    for (const [i, [index, hash]] of rows.entries()) {
      bytes.writeUInt32BE(index, i * ROW_BYTES)
      bytes.set(hash, i * ROW_BYTES + 4)
    }
    try {
      for (let at = 0; at < bytes.length; ) at += writeSync(this.#fd, bytes, at)
    } catch (cause) {
      const code = ['ENOSPC', 'EDQUOT'].includes(errorCode(cause)) ? 'NO_SPACE' : errorCode(cause)
      throw new SpacedriveError(code, `could not write ${this.#file}: ${toError(cause).message}`, { cause })
    }
  }

  #hashAt(at: number): Buffer {
    return this.#old.subarray(at + 4, at + ROW_BYTES)
  }
}
