import { wireError } from '../../wire/index.js'
import { ManifestFileReader } from '../manifest/file.js'
import { parsePage } from '../manifest/page.js'
import type { ManifestEntry } from '../manifest/types.js'

/** Finds entries by index, each at or after the one before: a page in memory, and no way to make us read to and fro. */
export class EntryCursor {
  readonly #reader: ManifestFileReader
  #page: ManifestEntry[] = []
  #first = 0
  #last = -1

  private constructor(reader: ManifestFileReader) {
    this.#reader = reader
  }

  static async open(file: string): Promise<EntryCursor> {
    return new EntryCursor(await ManifestFileReader.open(file))
  }

  /** @throws {SpacedriveError} UNEXPECTED_MESSAGE when it lies before the last one, or beyond the end */
  async get(index: number): Promise<ManifestEntry> {
    if (index < this.#last) throw wireError('UNEXPECTED_MESSAGE', `entry ${index} came after entry ${this.#last}`)
    this.#last = index
    while (index >= this.#first + this.#page.length) {
      const page = await this.#reader.next()
      if (page === undefined) throw wireError('UNEXPECTED_MESSAGE', `the manifest has no entry ${index}`)
      this.#first += this.#page.length
      this.#page = parsePage(page, this.#first).map(raw => raw.entry)
    }
    return this.#page[index - this.#first]!
  }

  close(): Promise<void> {
    return this.#reader.close()
  }
}
