/** Large files on their way: each is appended to where it ends, and named whole only when its hash fits. */
import { errorCode, hasCode, SpacedriveError } from '../../../storage/base/index.js'
import { hashFromBytes, hashToBytes } from '../../../storage/content/index.js'
import { type FileAppender, isFatal, type StagingWriter } from '../../../storage/files/index.js'
import { wireError } from '../../wire/index.js'
import { MAX_CHUNK_BYTES, MAX_OPEN_FILES } from '../limits.js'
import type { ManifestEntry } from '../manifest/types.js'
import type { Partial } from '../send/content-sender.js'
import { FLAG_LAST, FLAG_ZEROS, type OpenRecord } from '../stream/records.js'
import type { Journal } from './journal.js'
import { fileMode } from './modes.js'

/** Files left open by a stream that ended, and those of the present one. */
const MAX_APPENDERS = 2 * MAX_OPEN_FILES

interface OpenFile {
  readonly entry: ManifestEntry
  readonly appender: FileAppender
  /** Something of it came in this pass: it cannot begin again. */
  touched: boolean
}

export class LargeFiles {
  readonly #writer: StagingWriter
  readonly #journal: Journal
  readonly #exactModes: boolean
  readonly #open = new Map<number, OpenFile>()
  /** Bytes of content written so far of files that are not whole. */
  partialBytes = 0

  constructor(writer: StagingWriter, journal: Journal, exactModes: boolean) {
    this.#writer = writer
    this.#journal = journal
    this.#exactModes = exactModes
  }

  has(index: number): boolean {
    return this.#open.has(index)
  }

  /** Opens what an earlier stream began; it is hashed on the way. @returns false when there are too many of them */
  async reopen(entry: ManifestEntry, signal: AbortSignal): Promise<boolean> {
    if (this.#open.size >= MAX_OPEN_FILES) return false
    const appender = await this.#writer.openFile(entry.path, { sizeBytes: entry.sizeBytes, signal })
    this.partialBytes += appender.positionBytes
    this.#open.set(entry.index, { entry, appender, touched: false })
    return true
  }

  /** What the sender is told of them at the beginning of a pass. */
  partials(): Partial[] {
    const list: Partial[] = []
    for (const [file, open] of this.#open) {
      open.touched = false
      const { positionBytes } = open.appender
      if (positionBytes > 0) list.push({ file, length: positionBytes, hash: hashToBytes(open.appender.prefixHash()) })
    }
    return list
  }

  async begin(entry: ManifestEntry, signal: AbortSignal): Promise<void> {
    if (this.#open.size >= MAX_APPENDERS) throw wireError('UNEXPECTED_MESSAGE', 'too many files were begun at once')
    this.#journal.begin(entry.index)
    const appender = await this.#writer.openFile(entry.path, { sizeBytes: entry.sizeBytes, signal })
    this.partialBytes += appender.positionBytes
    this.#open.set(entry.index, { entry, appender, touched: false })
  }

  /** @throws MALFORMED, UNEXPECTED_MESSAGE for what breaks the rules; what the disk says */
  append({ file, flags, offset, length, payload }: OpenRecord): void {
    const open = this.#open.get(file)!
    const { appender, entry } = open
    if (length === 0 || length > MAX_CHUNK_BYTES) throw wireError('MALFORMED', `a chunk of ${length} bytes`)
    if (offset === 0 && appender.positionBytes > 0 && !open.touched) {
      this.partialBytes -= appender.positionBytes
      appender.restart()
    }
    if (offset !== appender.positionBytes)
      throw wireError('UNEXPECTED_MESSAGE', `a chunk at ${offset} instead of ${appender.positionBytes}`)
    if (offset + length > entry.sizeBytes) throw wireError('UNEXPECTED_MESSAGE', 'a file is larger than announced')
    if ((offset + length === entry.sizeBytes) !== ((flags & FLAG_LAST) !== 0))
      throw wireError('UNEXPECTED_MESSAGE', 'the last chunk of a file is not marked so')
    open.touched = true
    if ((flags & FLAG_ZEROS) === 0) appender.append(payload)
    else appender.appendHole(length)
    this.partialBytes += length
  }

  /** @returns false when the hash did not fit: it begins again in the next pass */
  finish({ file, offset, payload }: OpenRecord): boolean {
    const open = this.#open.get(file)!
    const { entry, appender } = open
    if (payload.length !== 32) throw wireError('MALFORMED', 'a hash has 32 bytes')
    if (offset !== entry.sizeBytes || appender.positionBytes !== entry.sizeBytes)
      throw wireError('UNEXPECTED_MESSAGE', `a file ended at ${appender.positionBytes} of ${entry.sizeBytes} bytes`)
    this.partialBytes -= entry.sizeBytes
    const mode = fileMode(entry.mode, this.#exactModes)
    try {
      appender.finish({ hash: hashFromBytes(payload), mode, mtimeNs: entry.mtimeNs })
    } catch (err) {
      if (hasCode(err, 'HASH_MISMATCH')) return false
      throw err
    }
    this.#open.delete(file)
    this.#journal.done([[file, payload]])
    return true
  }

  /** Gives up on a file: nothing of it stays. */
  drop(entry: ManifestEntry): void {
    const open = this.#open.get(entry.index)
    if (open !== undefined) {
      this.partialBytes -= open.appender.positionBytes
      open.appender.close()
      this.#open.delete(entry.index)
    }
    this.#writer.remove(entry.path)
  }

  entryOf(index: number): ManifestEntry | undefined {
    return this.#open.get(index)?.entry
  }

  close(): void {
    for (const { appender } of this.#open.values()) appender.close()
    this.#open.clear()
  }
}

/** The code of an error that concerns one path; what concerns all of them is thrown on. */
export function codeOfPath(err: unknown): string {
  if (isFatal(err) || !(err instanceof SpacedriveError) || hasCode(err, 'MALFORMED', 'UNEXPECTED_MESSAGE')) throw err
  return errorCode(err)
}
