/** The manifest on disk: each page behind its length (u32, big-endian). The BLAKE3 of all of it is the manifest's hash. */
import { type FileHandle, open } from 'node:fs/promises'
import {
  type AbsPath,
  type ContentHash,
  errorCode,
  hasCode,
  SpacedriveError,
  toError
} from '../../../storage/base/index.js'
import { createHasher } from '../../../storage/content/index.js'
import { MAX_PAGE_BYTES } from '../limits.js'
import { malformed } from './page.js'

const LENGTH_BYTES = 4

/** Writes pages to a new file. The caller closes it, also when something failed. */
export class ManifestFileWriter {
  readonly #handle: FileHandle
  readonly #file: AbsPath
  readonly #hasher = createHasher()

  private constructor(file: AbsPath, handle: FileHandle) {
    this.#file = file
    this.#handle = handle
  }

  static async create(file: AbsPath): Promise<ManifestFileWriter> {
    return new ManifestFileWriter(file, await open(file, 'wx', 0o600))
  }

  /** @throws {SpacedriveError} NO_SPACE */
  async write(page: Uint8Array): Promise<void> {
    const framed = Buffer.allocUnsafe(LENGTH_BYTES + page.length)
    framed.writeUInt32BE(page.length)
    framed.set(page, LENGTH_BYTES)
    this.#hasher.update(framed)
    try {
      await this.#handle.writeFile(framed)
    } catch (cause) {
      const full = hasCode(cause, 'ENOSPC', 'EDQUOT')
      throw new SpacedriveError(
        full ? 'NO_SPACE' : errorCode(cause),
        `could not write the list of files ${this.#file}: ${toError(cause).message}`,
        full ? { cause, hint: 'Free some space on the disk of the data directory and try again.' } : { cause }
      )
    }
  }

  get hash(): ContentHash {
    return this.#hasher.digest()
  }

  close(): Promise<void> {
    return this.#handle.close()
  }
}

/** Reads pages in order, and again by number those that were read. */
export class ManifestFileReader {
  readonly #handle: FileHandle
  readonly #offsets = [0]
  #next = 0

  private constructor(handle: FileHandle) {
    this.#handle = handle
  }

  static async open(file: string): Promise<ManifestFileReader> {
    return new ManifestFileReader(await open(file, 'r'))
  }

  /** How many pages were read so far; all of them once `next` gave undefined. */
  get pagesRead(): number {
    return this.#next
  }

  /** The next page, undefined at the end. @throws {SpacedriveError} MALFORMED when the file is not whole */
  async next(): Promise<Buffer | undefined> {
    const page = await this.page(this.#next)
    if (page !== undefined) this.#next++
    return page
  }

  async page(number: number): Promise<Buffer | undefined> {
    const offset = this.#offsets[number]
    if (offset === undefined) throw new RangeError(`page ${number} was not reached yet`)
    const head = await this.#read(offset, LENGTH_BYTES)
    if (head.length === 0) return undefined
    const length = head.length === LENGTH_BYTES ? head.readUInt32BE() : 0
    if (length === 0 || length > MAX_PAGE_BYTES) throw malformed('a page has a bad length')
    const page = await this.#read(offset + LENGTH_BYTES, length)
    if (page.length < length) throw malformed('it is cut off')
    this.#offsets[number + 1] = offset + LENGTH_BYTES + length
    return page
  }

  close(): Promise<void> {
    return this.#handle.close()
  }

  async #read(offset: number, length: number): Promise<Buffer> {
    const into = Buffer.allocUnsafe(length)
    let n = 0
    while (n < length) {
      const { bytesRead } = await this.#handle.read(into, n, length - n, offset + n)
      if (bytesRead === 0) break
      n += bytesRead
    }
    return into.subarray(0, n)
  }
}

/** All pages of a manifest file, in order. */
export async function* readPages(file: string): AsyncGenerator<Buffer> {
  const reader = await ManifestFileReader.open(file)
  try {
    for (let page = await reader.next(); page !== undefined; page = await reader.next()) yield page
  } finally {
    await reader.close()
  }
}

/** The hash of a manifest file. @throws MALFORMED when it is not whole */
export async function hashManifestFile(file: string): Promise<ContentHash> {
  const hasher = createHasher()
  const head = Buffer.allocUnsafe(LENGTH_BYTES)
  for await (const page of readPages(file)) {
    head.writeUInt32BE(page.length)
    hasher.update(head).update(page)
  }
  return hasher.digest()
}
