/**
 * The sender's half that runs in a worker: reads what the receiver does not have, hashes and seals it, and hands frames to
 * the event loop, no more than the receiver gave credit for. One stream has one of these; a new stream begins anew.
 */
import { type AbsPath, hasCode, isAbort, type RelPath, SpacedriveError, toError } from '../../../storage/base/index.js'
import { CHUNK_BYTES, MAX_OPEN_FILES, SMALL_FILE_BYTES } from '../limits.js'
import { readPages } from '../manifest/file.js'
import { parsePage } from '../manifest/page.js'
import { isSelected } from '../manifest/selection.js'
import { type NamedSource, type SourcePlace, Sources } from '../manifest/sources.js'
import type { ManifestEntry, Selection } from '../manifest/types.js'
import { type FramePlace, FrameRing } from '../stream/frame-ring.js'
import {
  CHUNK,
  DONE,
  END,
  FAILED,
  FLAG_BROTLI,
  FLAG_LAST,
  FLAG_ZEROS,
  PACK,
  RECORD_OVERHEAD_BYTES,
  Sealer
} from '../stream/records.js'
import { Compression } from './compression.js'
import { OnTheWay } from './on-the-way.js'
import { Pack } from './pack.js'
import { pathProblem, SourceFile } from './source-file.js'

export interface ContentInput {
  readonly manifestFile: AbsPath
  readonly sources: readonly NamedSource[]
  readonly selection: Selection
  readonly key: Uint8Array
  /** 16 bytes. */
  readonly transfer: Uint8Array
  /** See `TransferTimings`. */
  readonly compressBelowBytesPerSecond: number
  /** Memory that the event loop sees, too. */
  readonly ring: SharedArrayBuffer
}

/** What the receiver has begun: entry, bytes there, and their BLAKE3. */
export interface Partial {
  readonly file: number
  readonly length: number
  readonly hash: Uint8Array
}

export type ToContentSender =
  /** Begin a pass: a set bit in `have` is an entry that is there (or that the receiver cannot take). */
  | { readonly go: { readonly have: Uint8Array; readonly partials: readonly Partial[] }; readonly windowBytes: number }
  /** The receiver consumed this many bytes of content frames in all. */
  | { readonly credit: number; readonly windowBytes: number }
  /** The receiver cannot take these. */
  | { readonly skip: readonly number[] }

export interface FromContentSender {
  /** Frames to send, in order: where they lie in the ring. */
  readonly frame?: FramePlace
  readonly failed?: { readonly file: number; readonly code: string }
  /** Of this pass so far, with what was there. */
  readonly doneFiles: number
  readonly doneBytes: number
}

const ZEROS = Buffer.alloc(CHUNK_BYTES)
const NOTHING = new Uint8Array(0)

export class ContentSender {
  readonly #input: ContentInput
  readonly #emit: (message: FromContentSender) => void
  readonly #signal: AbortSignal
  readonly #sealer: Sealer
  readonly #ring: FrameRing
  readonly #compression: Compression
  readonly #paths: ReadonlyMap<string, AbsPath>
  readonly #sources = new Sources()
  readonly #pack = new Pack()
  readonly #chunk = Buffer.allocUnsafe(CHUNK_BYTES)
  readonly #skip = new Set<number>()
  readonly #onTheWay = new OnTheWay()
  #open: SourceFile[] = []
  #go: Extract<ToContentSender, { go: unknown }>['go'] | undefined
  #doneFiles = 0
  #doneBytes = 0
  #wake: (() => void) | undefined

  constructor(input: ContentInput, emit: (message: FromContentSender) => void, signal: AbortSignal) {
    this.#input = input
    this.#emit = emit
    this.#signal = signal
    this.#sealer = new Sealer(input.key, input.transfer)
    this.#ring = new FrameRing(input.ring)
    this.#compression = new Compression(input.compressBelowBytesPerSecond)
    this.#paths = new Map(input.sources.map(s => [s.name, s.path]))
    signal.addEventListener('abort', () => this.#wake?.(), { once: true })
  }

  post(message: ToContentSender): void {
    if ('go' in message) this.#go = message.go
    else if ('credit' in message) {
      this.#compression.credited(message.credit, this.#onTheWay)
      this.#onTheWay.consumed(message.credit)
    } else for (const file of message.skip) this.#skip.add(file)
    if ('windowBytes' in message) this.#onTheWay.windowBytes = message.windowBytes
    this.#wake?.()
  }

  /** Runs pass after pass until aborted. */
  async run(): Promise<never> {
    try {
      for (;;) {
        await this.#until(() => this.#go !== undefined)
        const { have, partials } = this.#go!
        this.#go = undefined
        this.#doneFiles = 0
        this.#doneBytes = 0
        await this.#pass(have, new Map(partials.map(p => [p.file, p])))
        await this.#record(DONE, 0, 0, 0, NOTHING)
      }
    } finally {
      for (const source of this.#open) source.close()
      this.#sources.close()
    }
  }

  async #pass(have: Uint8Array, partials: ReadonlyMap<number, Partial>): Promise<void> {
    let first = 0
    for await (const page of readPages(this.#input.manifestFile)) {
      const entries = parsePage(page, first)
      first += entries.length
      for (const { entry } of entries) {
        if (entry.kind !== 'file' || !isSelected(this.#input.selection, entry.index)) continue
        if (entry.sizeBytes === 0 || isSelected(have, entry.index)) this.#count(1, entry.sizeBytes)
        else if (!this.#skip.has(entry.index)) await this.#take(entry, partials.get(entry.index))
      }
      await this.#turn()
    }
    if (this.#pack.files > 0) await this.#flush()
    while (this.#open.length > 0) await this.#round()
  }

  async #take(entry: ManifestEntry, partial: Partial | undefined): Promise<void> {
    const isSmall = entry.sizeBytes <= SMALL_FILE_BYTES
    if (isSmall && !this.#pack.hasRoom(entry.sizeBytes, this.#onTheWay.packBytes)) await this.#flush()
    try {
      const { reader, rel } = this.#find(entry)
      if (isSmall) {
        this.#pack.add(reader, rel, entry)
        if (this.#pack.isFull(this.#onTheWay.pieceBytes)) await this.#flush()
        return
      }
      const source = new SourceFile(reader, rel, entry)
      this.#open.push(source)
      if (partial !== undefined) await this.#resume(source, partial)
    } catch (err) {
      this.#close(entry.index)
      await this.#fail(entry.index, err)
    }
    while (this.#open.length >= MAX_OPEN_FILES) await this.#round()
  }

  /** @throws {SpacedriveError} MISSING, UNREADABLE for the folder that holds its source */
  #find({ path }: ManifestEntry): SourcePlace {
    const slash = path.indexOf('/')
    const source = this.#paths.get(slash < 0 ? path : path.slice(0, slash))
    if (source === undefined) throw pathProblem('MISSING')
    try {
      const { reader, rel } = this.#sources.find(source)
      return { reader, rel: slash < 0 ? rel : (`${rel}${path.slice(slash)}` as RelPath) }
    } catch (err) {
      throw pathProblem(hasCode(err, 'MISSING', 'LINK_IN_PATH') ? 'MISSING' : 'UNREADABLE', err)
    }
  }

  /** Goes on after what the receiver has if it is what we have too; else from the beginning. */
  async #resume(source: SourceFile, { length, hash }: Partial): Promise<void> {
    if (length > source.entry.sizeBytes) return
    while (source.position < length) {
      const piece = this.#chunk.subarray(0, Math.min(CHUNK_BYTES, length - source.position))
      source.read(piece)
      source.hasher.update(piece)
      await this.#turn()
    }
    if (Buffer.compare(source.hasher.digestBytes(), hash) === 0) this.#count(0, length)
    else source.restart()
  }

  async #flush(): Promise<void> {
    const { payload, files, bytes } = this.#pack.take()
    await this.#content(PACK, 0, files, 0, payload)
    this.#count(files, bytes)
    await this.#round()
  }

  /** One chunk of each large file. */
  async #round(): Promise<void> {
    for (const source of [...this.#open]) {
      const { index, sizeBytes } = source.entry
      try {
        if (this.#skip.has(index)) {
          this.#close(index)
          continue
        }
        if (source.remaining > 0) await this.#sendChunk(source)
        if (source.remaining > 0) continue
        source.checkUnchanged()
        this.#close(index)
        await this.#record(END, 0, index, sizeBytes, source.hasher.digestBytes())
        this.#count(1, 0)
      } catch (err) {
        this.#close(index)
        await this.#fail(index, err)
      }
    }
  }

  #close(file: number): void {
    const source = this.#open.find(s => s.entry.index === file)
    if (source === undefined) return
    this.#open = this.#open.filter(s => s !== source)
    source.close()
  }

  async #sendChunk(source: SourceFile): Promise<void> {
    const { index } = source.entry
    const at = source.position
    const chunk = this.#chunk.subarray(0, Math.min(CHUNK_BYTES, source.remaining))
    source.read(chunk)
    source.hasher.update(chunk)
    const last = source.remaining === 0 ? FLAG_LAST : 0
    // A hole in a sparse file: nothing but its length is sent. Any other chunk is known by its first bytes.
    if (chunk.compare(ZEROS, 0, chunk.length) === 0) {
      await this.#record(CHUNK, last | FLAG_ZEROS, index, at, NOTHING, chunk.length)
      this.#count(0, chunk.length)
      return
    }
    // In a small window it goes in pieces; what the receiver cannot take any more ends with the piece.
    for (let from = 0; from < chunk.length && !this.#skip.has(index); ) {
      const piece = chunk.subarray(from, from + this.#onTheWay.pieceBytes)
      from += piece.length
      await this.#content(CHUNK, from === chunk.length ? last : 0, index, at + from - piece.length, piece)
      this.#count(0, piece.length)
    }
  }

  async #fail(file: number, err: unknown): Promise<void> {
    if (isAbort(err) || this.#signal.aborted) throw err
    if (!(err instanceof SpacedriveError) || !hasCode(err, 'CHANGED', 'MISSING', 'UNREADABLE')) throw toError(err)
    this.#emit({ failed: { file, code: err.code }, doneFiles: this.#doneFiles, doneBytes: this.#doneBytes })
    await this.#record(FAILED, 0, file, 0, Buffer.from(err.code))
  }

  #count(files: number, bytes: number): void {
    this.#doneFiles += files
    this.#doneBytes += bytes
  }

  async #content(type: number, flags: number, file: number, offset: number, content: Uint8Array): Promise<void> {
    const smaller = this.#compression.compress(content)
    if (smaller === undefined) await this.#record(type, flags, file, offset, content)
    else await this.#record(type, flags | FLAG_BROTLI, file, offset, smaller, content.length)
  }

  async #record(
    type: number,
    flags: number,
    file: number,
    offset: number,
    payload: Uint8Array,
    length = payload.length
  ): Promise<void> {
    const bytes = payload.length + RECORD_OVERHEAD_BYTES
    await this.#until(() => this.#onTheWay.hasRoom(bytes))
    this.#onTheWay.sent(bytes)
    const into = this.#ring.take(bytes)
    this.#sealer.seal({ type, flags, file, offset, length }, payload, into)
    const frame = { at: into.byteOffset, length: bytes }
    this.#emit({ frame, doneFiles: this.#doneFiles, doneBytes: this.#doneBytes })
    await this.#turn()
  }

  /** Lets messages in: credit, aborts. */
  async #turn(): Promise<void> {
    await new Promise(resolve => setImmediate(resolve))
    this.#signal.throwIfAborted()
  }

  async #until(condition: () => boolean): Promise<void> {
    for (;;) {
      this.#signal.throwIfAborted()
      if (condition()) return
      await new Promise<void>(resolve => {
        this.#wake = resolve
      })
    }
  }
}
