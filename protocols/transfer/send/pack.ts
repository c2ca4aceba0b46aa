import type { RelPath } from '../../../storage/base/index.js'
import { hashBytes, hashToBytes } from '../../../storage/content/index.js'
import type { TreeReader } from '../../../storage/files/index.js'
import { MAX_PACK_FILES, PACK_BYTES, PACK_ROW_BYTES, SMALL_FILE_BYTES } from '../limits.js'
import type { ManifestEntry } from '../manifest/types.js'
import { SourceFile } from './source-file.js'

/** Small files on their way into one record: their contents one after the other, then a table of what they are. */
export class Pack {
  readonly #buffer = Buffer.allocUnsafe(PACK_BYTES + SMALL_FILE_BYTES + MAX_PACK_FILES * PACK_ROW_BYTES)
  readonly #table = Buffer.allocUnsafe(MAX_PACK_FILES * PACK_ROW_BYTES)
  files = 0
  bytes = 0

  /** @param pieceBytes - it should hold no more, with its table */
  isFull(pieceBytes: number): boolean {
    return this.bytes >= PACK_BYTES || this.files >= MAX_PACK_FILES || this.#payloadBytes >= pieceBytes
  }

  /** Whether a file may come into it. One goes whole, however large it is. @param mostBytes - of the pack then, with its table */
  hasRoom(sizeBytes: number, mostBytes: number): boolean {
    return this.files === 0 || this.#payloadBytes + sizeBytes + PACK_ROW_BYTES <= mostBytes
  }

  /** Reads a whole file in. @throws as `SourceFile`; then the pack is as it was */
  add(reader: TreeReader, rel: RelPath, entry: ManifestEntry): void {
    const source = new SourceFile(reader, rel, entry)
    const into = this.#buffer.subarray(this.bytes, this.bytes + entry.sizeBytes)
    try {
      source.read(into)
      source.checkUnchanged()
    } finally {
      source.close()
    }
    const row = this.files * PACK_ROW_BYTES
    this.#table.writeUInt32BE(entry.index, row)
    this.#table.writeUInt32BE(entry.sizeBytes, row + 4)
    this.#table.set(hashToBytes(hashBytes(into)), row + 8)
    this.files++
    this.bytes += entry.sizeBytes
  }

  get #payloadBytes(): number {
    return this.bytes + this.files * PACK_ROW_BYTES
  }

  /** The payload of the record; valid until the next `add`. */
  take(): { payload: Uint8Array; files: number; bytes: number } {
    const { files, bytes } = this
    this.#buffer.set(this.#table.subarray(0, files * PACK_ROW_BYTES), bytes)
    this.files = 0
    this.bytes = 0
    return { payload: this.#buffer.subarray(0, bytes + files * PACK_ROW_BYTES), files, bytes }
  }
}
