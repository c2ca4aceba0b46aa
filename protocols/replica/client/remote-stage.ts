import { type AbortOptions, type ContentHash, hasCode } from '../../../storage/base/index.js'
import type {
  EndpointStage,
  HandedOver,
  StagedBlocks,
  StagedEntries,
  StagedFileWriter,
  StagedReport,
  StagedSource,
  StagedStretch,
  VerifiedFile
} from '../../../sync/endpoints/index.js'
import { READ_PIECE_BYTES } from '../../../sync/endpoints/index.js'
import { wireError } from '../../wire/index.js'
import { blocksData } from '../blocks.js'
import { stagedToWire } from '../staging.js'
import type { Caller } from './caller.js'

const HASH_BYTES = 32

/** A staging place at the other end. */
export class RemoteStage implements EndpointStage {
  readonly id: string
  readonly #caller: Caller
  /** By which that end knows it. */
  readonly handle: number
  readonly fresh: boolean

  constructor(caller: Caller, id: string, handle: number, fresh = false) {
    this.#caller = caller
    this.id = id
    this.handle = handle
    this.fresh = fresh
  }

  get packBytes(): number {
    return this.#caller.upBytes
  }

  async write(
    entries: StagedEntries,
    data: Uint8Array,
    { signal, onTaken }: AbortOptions & HandedOver = {}
  ): Promise<StagedReport> {
    const wire = stagedToWire(entries, data)
    const input = { stage: this.handle, ...wire.values }
    const answer = await this.#caller.call('stageWrite', input, { signal, data: wire.data, onTaken })
    const { problems } = answer.value
    if (answer.data.length !== HASH_BYTES * wire.values.count || problems.some(p => p.index >= wire.values.count))
      throw wireError('MALFORMED', 'the device reported of other files than were staged')
    return { hashes: answer.data, problems }
  }

  async openFile(
    path: StagedSource['path'],
    { sizeBytes, signal }: { sizeBytes: number } & AbortOptions
  ): Promise<StagedFileWriter> {
    const { value } = await this.#caller.call('openFile', { stage: this.handle, path, sizeBytes }, { signal })
    return new RemoteWriter(this.#caller, value.writer, path, sizeBytes, value.positionBytes)
  }

  async verify(
    files: readonly VerifiedFile[],
    options: AbortOptions = {}
  ): Promise<('whole' | 'different' | 'missing')[]> {
    const { value } = await this.#caller.call('stageVerify', { stage: this.handle, files: [...files] }, options)
    if (value.length !== files.length)
      throw wireError('MALFORMED', 'the device verified other files than were asked for')
    return value
  }

  async discard(options: AbortOptions = {}): Promise<void> {
    await this.#caller.call('stageDiscard', { stage: this.handle }, options)
  }

  async close(): Promise<void> {
    await this.#caller.call('stageClose', { stage: this.handle })
  }
}

class RemoteWriter implements StagedFileWriter {
  readonly path: StagedSource['path']
  readonly sizeBytes: number
  readonly #caller: Caller
  readonly #writer: number
  #positionBytes: number
  /** An answer to what was asked before the file was emptied may be heard after it was, and says how long it had been. */
  #emptied = 0
  /** Let go of at the other end, too. */
  #finished = false

  constructor(caller: Caller, writer: number, path: StagedSource['path'], sizeBytes: number, positionBytes: number) {
    this.#caller = caller
    this.#writer = writer
    this.path = path
    this.sizeBytes = sizeBytes
    this.#positionBytes = positionBytes
  }

  get positionBytes(): number {
    return this.#positionBytes
  }

  async prefixHash(): Promise<ContentHash> {
    return (await this.#caller.call('prefixHash', { writer: this.#writer })).value.hash
  }

  async append(bytes: Uint8Array, { onTaken }: HandedOver = {}): Promise<void> {
    const pieces: Promise<void>[] = []
    const pieceBytes = Math.min(READ_PIECE_BYTES, this.#caller.upBytes)
    let untaken = Math.ceil(bytes.length / pieceBytes)
    const took = (): void => {
      if (--untaken === 0) onTaken?.()
    }
    for (let at = 0; at < bytes.length; at += pieceBytes)
      pieces.push(this.#append(bytes.subarray(at, at + pieceBytes), took))
    await Promise.all(pieces)
  }

  async appendHole(lengthBytes: number): Promise<void> {
    const asked = this.#caller.call('appendHole', { writer: this.#writer, lengthBytes })
    await this.#appended(asked)
  }

  async appendStretch(stretch: StagedStretch): Promise<void> {
    await this.#appended(this.#caller.call('appendStretch', { writer: this.#writer, stretch }))
  }

  async appendBlocks({ lengths, hashes, ...where }: StagedBlocks): Promise<number> {
    const input = { writer: this.#writer, ...where, count: lengths.length }
    const asked = this.#caller.call('appendBlocks', input, { data: blocksData({ lengths, hashes }) })
    const { count } = await this.#appended(asked)
    if (count > lengths.length) throw wireError('MALFORMED', 'the device found more blocks than were named')
    return count
  }

  async restart(): Promise<void> {
    await this.#caller.call('restart', { writer: this.#writer })
    this.#isEmpty()
  }

  async finish(expected: { hash?: ContentHash; mode?: number; mtimeNs?: bigint }): Promise<{ hash: ContentHash }> {
    try {
      const { value } = await this.#caller.call('finish', { writer: this.#writer, expected })
      this.#finished = true
      return value
    } catch (err) {
      if (hasCode(err, 'HASH_MISMATCH')) this.#isEmpty() // it is emptied there
      throw err
    }
  }

  async close(): Promise<void> {
    if (this.#finished) return
    this.#finished = true
    await this.#caller.call('closeWriter', { writer: this.#writer })
  }

  async #append(piece: Uint8Array, onTaken: () => void): Promise<void> {
    await this.#appended(this.#caller.call('append', { writer: this.#writer }, { data: [piece], onTaken }))
  }

  async #appended<T extends { readonly positionBytes: number }>(asked: Promise<{ readonly value: T }>): Promise<T> {
    const emptied = this.#emptied
    const { value } = await asked
    if (emptied === this.#emptied) this.#positionBytes = value.positionBytes
    return value
  }

  #isEmpty(): void {
    this.#emptied++
    this.#positionBytes = 0
  }
}
