/** The manifest on disk: each page behind its length (u32, big-endian). Its BLAKE3 is the manifest's hash. Runs in workers. */
import { closeSync, constants, openSync, readSync, writeSync } from 'node:fs'
import { type AbsPath, type ContentHash, errorCode, fsPath, SpacedriveError, toError } from '../../../storage/base/index.js'
import { createHasher } from '../../../storage/content/index.js'
import { MAX_PAGE_BYTES } from '../limits.js'
import { malformed } from './page.js'

const LENGTH_BYTES = 4

/** Writes pages to a new file. The caller closes it, also when something failed. */
export class ManifestFileWriter {
  readonly #fd: number
  readonly #file: AbsPath
  readonly #hasher = createHasher()

  constructor(file: AbsPath) {
    this.#file = file
    this.#fd = openSync(fsPath(file), 'wx', 0o600)
  }

  /** @throws {SpacedriveError} NO_SPACE */
  write(page: Uint8Array): void {
    const framed = Buffer.allocUnsafe(LENGTH_BYTES + page.length)
    framed.writeUInt32BE(page.length)
    framed.set(page, LENGTH_BYTES)
    this.#hasher.update(framed)
    try {
      for (let at = 0; at < framed.length; ) at += writeSync(this.#fd, framed, at)
    } catch (cause) {
      const code = errorCode(cause) === 'ENOSPC' ? 'NO_SPACE' : errorCode(cause)
      throw new SpacedriveError(code, `could not write the manifest ${this.#file}: ${toError(cause).message}`, { cause })
    }
  }

  get hash(): ContentHash {
    return this.#hasher.digest()
  }

  close(): void {
    closeSync(this.#fd)
  }
}

/** Reads pages in order, or again by number once they were read. */
export class ManifestFileReader {
  readonly #fd: number
  readonly #offsets = [0]
  #next = 0

  constructor(file: string) {
    this.#fd = openSync(fsPath(file), constants.O_RDONLY)
  }

  /** The next page, undefined at the end. @throws {SpacedriveError} MALFORMED when the file is not whole */
  next(): Uint8Array | undefined {
    const page = this.page(this.#next)
    if (page !== undefined) this.#next++
    return page
  }

  /** Any page up to the one after the last that was read. */
  page(number: number): Uint8Array | undefined {
    const offset = this.#offsets[number]
    if (offset === undefined) throw new RangeError(`page ${number} was not reached yet`)
    const head = this.#read(offset, LENGTH_BYTES)
    if (head.length === 0) return undefined
    const length = head.length === LENGTH_BYTES ? head.readUInt32BE() : 0
    if (length === 0 || length > MAX_PAGE_BYTES) throw malformed('a page has a bad length')
    const page = this.#read(offset + LENGTH_BYTES, length)
    if (page.length < length) throw malformed('it is cut off')
    this.#offsets[number + 1] = offset + LENGTH_BYTES + length
    return page
  }

  close(): void {
    closeSync(this.#fd)
  }

  #read(offset: number, length: number): Buffer {
    const into = Buffer.allocUnsafe(length)
    let n = 0
    while (n < length) {
      const got = readSync(this.#fd, into, n, length - n, offset + n)
      if (got === 0) break
      n += got
    }
    return into.subarray(0, n)
  }
}

/** The hash of a manifest file, its pages one after the other. @throws MALFORMED when it is not whole */
export function hashManifestFile(file: string): ContentHash {
  const reader = new ManifestFileReader(file)
  try {
    const hasher = createHasher()
    const head = Buffer.allocUnsafe(LENGTH_BYTES)
    for (let page = reader.next(); page !== undefined; page = reader.next()) {
      head.writeUInt32BE(page.length)
      hasher.update(head).update(page)
    }
    return hasher.digest()
  } finally {
    reader.close()
  }
}
