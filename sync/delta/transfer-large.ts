import {
  type AbortOptions,
  type ContentHash,
  displayPath,
  hasCode,
  linkSignals,
  type RelPath,
  SpacedriveError
} from '../../storage/base/index.js'
import { blockAverage, sameContentStat } from '../../storage/content/index.js'
import type { EntryStat } from '../../storage/files/index.js'
import {
  type ByteRange,
  type Endpoint,
  type EndpointStage,
  givenOnce,
  type StagedFileWriter
} from '../endpoints/index.js'
import { AppendQueue } from './append-queue.js'
import { type DeltaPart, partsFrom } from './delta-plan.js'
import { ComingList } from './growing-list.js'
import { type Basis, writeInStep } from './in-step.js'
import { ReadHash } from './read-hash.js'

export interface TransferLargeInit extends AbortOptions {
  readonly from: Pick<Endpoint, 'read' | 'blocks' | 'hashStart'>
  readonly path: RelPath
  /** What the file was found to be; another size by now: CHANGED_WHILE_READING. */
  readonly sizeBytes: number
  /** Where it is known: the content must be this. */
  readonly hash?: ContentHash | undefined
  readonly to: Pick<EndpointStage, 'openFile'>
  readonly stagedAs: RelPath
  /** A file of the destination that may have much in common with it. It is only read. */
  readonly basis?: Basis | undefined
  /** Mode and time that the staged file gets, from the stat of what was read. */
  attributes?(stat: EntryStat): FileAttributes
  /** Bytes of the file that are there now and were not before, and where they came from; fewer than 0 when it begins again. */
  onBytes?(bytes: number, from: BytesFrom): void
  /** Content was gone through at an end, though none of it came or was found by that: it goes on. */
  onRead?(): void
}

/** `source`: they travelled. `stage`, `basis`: they were there, in what an interrupted transfer left or in the basis. */
export type BytesFrom = 'source' | 'stage' | 'basis'

export interface FileAttributes {
  readonly mode?: number
  readonly mtimeNs?: bigint
}

export interface TransferredLarge {
  readonly hash: ContentHash
  /** Of the source, the same before and after. */
  readonly stat: EntryStat
  /** Read at the source: what travelled, before compression. */
  readonly movedBytes: number
  /** Found at the destination: in what an interrupted transfer left, or in the basis. */
  readonly foundBytes: number
}

/** Less is sooner sent than compared. */
export const MIN_COMPARED_BYTES = 1024 * 1024
/** Ranges in one call of `read`: a message of some 40 KiB. */
const MAX_RANGES = 2048
/** Of the basis, taken at once: for progress, and so that an abort does not wait long. */
const STRETCH_BYTES = 32 * 1024 * 1024

/**
 * Brings one large file into a staging place, whole and checked against the hash that its own end has for it. What is there
 * already does not travel: what an interrupted transfer left (if its hash is that of the file's beginning at the source), and
 * blocks that the basis has in common with it. See docs/delta.md.
 *
 * Interrupted or failed, it keeps what is there for the next time.
 * @throws {SpacedriveError} CHANGED_WHILE_READING: the source is not (any more) what it was said to be; what `read` and
 *   `EndpointStage.openFile` throw; `signal.reason`
 */
export async function transferLarge(init: TransferLargeInit): Promise<TransferredLarge> {
  const { to, stagedAs, sizeBytes, signal } = init
  const writer = await to.openFile(stagedAs, { sizeBytes, onBytes: () => init.onRead?.(), signal })
  try {
    await keepWhatFits(writer, init)
    const came = { source: 0, stage: 0, basis: 0 }
    const onBytes = (bytes: number, where: BytesFrom): void => {
      came[where] += bytes
      init.onBytes?.(bytes, where)
    }
    try {
      return await new LargeTransfer(writer, { ...init, onBytes }, init.basis).run()
    } catch (err) {
      if (!(err instanceof BasisFailed)) throw err
      for (const where of ['source', 'stage', 'basis'] as const) init.onBytes?.(-came[where], where)
      await writer.restart()
      return await new LargeTransfer(writer, init, undefined).run()
    }
  } finally {
    await writer.close().catch(() => {}) // an end that is gone has closed it
  }
}

/** What a stretch of the basis may fail with while all else is well. */
const BASIS_CODES = ['MISSING', 'NOT_A_FILE', 'LINK_IN_PATH', 'NO_PERMISSION', 'NOT_GRANTED', 'CHANGED_WHILE_READING']
/** The basis cannot be used after all, or is another by now: then all of the file travels. */
class BasisFailed extends Error {}

/** What an interrupted transfer left counts only as the beginning of what the file is now. */
async function keepWhatFits(writer: StagedFileWriter, init: TransferLargeInit): Promise<void> {
  const { from, path, signal } = init
  const there = writer.positionBytes
  if (there === 0) return
  const how = { onBytes: () => init.onRead?.(), signal }
  const [left, now] = await Promise.all([writer.prefixHash(), from.hashStart(path, there, how)])
  if (left !== now.hash) await writer.restart()
}

interface Compared {
  /** What is still to be written. */
  readonly parts: readonly DeltaPart[]
  readonly hash: ContentHash | undefined
}

/** false: it is too large for that. */
async function isListed(wanted: ComingList): Promise<boolean> {
  try {
    await wanted.more(0)
    return true
  } catch (err) {
    if (hasCode(err, 'TOO_LARGE')) return false
    throw err
  }
}

class LargeTransfer {
  readonly #init: TransferLargeInit
  readonly #writer: StagedFileWriter
  readonly #queue: AppendQueue
  readonly #basis: Basis | undefined
  /** Of what was read, where that was the whole file and nobody had told its hash. */
  #hash: ReadHash | undefined
  /** Of the source; the same at each look, or it was changed. */
  #stat: EntryStat | undefined
  #movedBytes = 0
  #foundBytes = 0

  constructor(writer: StagedFileWriter, init: TransferLargeInit, basis: Basis | undefined) {
    this.#writer = writer
    this.#init = init
    this.#basis = basis
    this.#queue = new AppendQueue(writer)
  }

  async run(): Promise<TransferredLarge> {
    const { sizeBytes, hash: known, path } = this.#init
    const there = this.#writer.positionBytes
    this.#found(there, 'stage')
    const compared = await this.#compare(sizeBytes - there)
    const parts = compared?.parts ?? partsFrom([{ fromBytes: 0, lengthBytes: sizeBytes }], there)
    // What is known is compared with what was written, at the end that wrote it.
    if (known === undefined && compared === undefined && there === 0) this.#hash = new ReadHash()
    await this.#write(parts)
    const hash = compared?.hash ?? (await this.#hashAtSource())
    if (known !== undefined && hash !== known) throw changed(path)
    await this.#finish(hash)
    return { hash, stat: this.#stat!, movedBytes: this.#movedBytes, foundBytes: this.#foundBytes }
  }

  /** Writes what the basis has in common with it as far as they go along. undefined: there is nothing to compare with. */
  async #compare(leftBytes: number): Promise<Compared | undefined> {
    const { from, path, sizeBytes, signal } = this.#init
    const [writer, basis] = [this.#writer, this.#basis]
    if (basis === undefined || leftBytes < MIN_COMPARED_BYTES) return undefined
    const averageBytes = blockAverage(sizeBytes)
    const over = new AbortController()
    const linked = linkSignals(signal, over.signal)
    const onRead = (): void => this.#init.onRead?.()
    const wanted = new ComingList(from.blocks(path, { averageBytes, signal: linked.signal }), onRead)
    try {
      if (!(await isListed(wanted))) return undefined
      const travel = (part: DeltaPart): Promise<void> => this.#write([part])
      const onFound = (bytes: number): void => this.#found(bytes, 'basis')
      const rest = { wanted, writer, basis, averageBytes, travel, onFound, onRead, signal: linked.signal }
      const parts = await writeInStep(rest)
      const { stat, hash } = await wanted.end()
      this.#look(stat)
      signal?.throwIfAborted()
      return { parts, hash }
    } catch (err) {
      throw hasCode(err, 'SIZE_EXCEEDED') ? changed(path) : err
    } finally {
      over.abort()
      linked.clear()
    }
  }

  async #write(parts: readonly DeltaPart[]): Promise<void> {
    const { from, path, signal } = this.#init
    const found = parts.filter(part => part.basisBytes !== undefined)
    const moved = parts.filter(part => part.basisBytes === undefined)
    let next = 0
    const foundBefore = async (atBytes: number): Promise<void> => {
      while (next < found.length && found[next]!.fromBytes < atBytes) await this.#appendFound(found[next++]!)
    }
    const how = { shared: true, hashed: this.#hash !== undefined, signal }
    for (let at = 0; at < moved.length; at += MAX_RANGES) {
      const ranges = moved.slice(at, at + MAX_RANGES).map(rangeOf)
      for await (const piece of from.read(path, { ranges, ...how })) {
        this.#hash?.take(piece)
        if (piece.kind === 'opened' || piece.kind === 'done') {
          this.#look(piece.stat)
          continue
        }
        await foundBefore(piece.atBytes)
        if (piece.kind === 'data') await this.#appendMoved(piece.bytes)
        else await this.#appendHole(piece.lengthBytes)
      }
    }
    await foundBefore(Number.POSITIVE_INFINITY)
    await this.#queue.drain()
  }

  async #appendMoved(bytes: Uint8Array): Promise<void> {
    this.#movedBytes += bytes.length
    const { length, buffer } = bytes
    const onTaken = givenOnce(buffer)
    await this.#queue.append(bytes, {
      onTaken,
      onWritten: () => {
        onTaken()
        this.#init.onBytes?.(length, 'source')
      }
    })
  }

  async #appendHole(lengthBytes: number): Promise<void> {
    await this.#queue.appendHole(lengthBytes, () => this.#init.onBytes?.(lengthBytes, 'source'))
  }

  async #appendFound({ basisBytes, lengthBytes }: DeltaPart): Promise<void> {
    const { path } = this.#basis!
    for (let at = 0; at < lengthBytes; at += STRETCH_BYTES) {
      this.#init.signal?.throwIfAborted()
      const stretch = { path, fromBytes: basisBytes! + at, lengthBytes: Math.min(STRETCH_BYTES, lengthBytes - at) }
      const written = this.#writer.appendStretch(stretch).catch(err => {
        throw hasCode(err, ...BASIS_CODES) ? new BasisFailed('the basis cannot be read', { cause: err }) : err
      })
      await this.#queue.add(written, () => this.#found(stretch.lengthBytes, 'basis'))
    }
  }

  /** What the source says of all of it, where not all of it went through here. */
  async #hashAtSource(): Promise<ContentHash> {
    const { from, path, sizeBytes, hash, signal } = this.#init
    const read = this.#stat === undefined ? undefined : this.#hash?.digest()
    if (read !== undefined) return read
    if (hash !== undefined && this.#stat !== undefined) return hash // each half was compared with it at its end
    const whole = await from.hashStart(path, sizeBytes, { onBytes: () => this.#init.onRead?.(), signal })
    this.#look(whole.stat)
    return whole.hash
  }

  async #finish(hash: ContentHash): Promise<void> {
    try {
      await this.#writer.finish({ hash, ...this.#init.attributes?.(this.#stat!) })
    } catch (err) {
      if (!hasCode(err, 'HASH_MISMATCH')) throw err
      // What was found is not what it was said to be: the basis was changed meanwhile, or an end told of other blocks.
      throw this.#foundBytes > 0 ? new BasisFailed('the basis was changed', { cause: err }) : changed(this.#init.path)
    }
  }

  #found(bytes: number, from: 'stage' | 'basis'): void {
    this.#foundBytes += bytes
    if (bytes > 0) this.#init.onBytes?.(bytes, from)
  }

  /** @throws CHANGED_WHILE_READING */
  #look(stat: EntryStat): void {
    const { path, sizeBytes } = this.#init
    if (stat.sizeBytes !== sizeBytes) throw changed(path)
    if (this.#stat !== undefined && !sameContentStat(stat, this.#stat)) throw changed(path)
    this.#stat = stat
  }
}

const rangeOf = ({ fromBytes, lengthBytes }: DeltaPart): ByteRange => ({ fromBytes, lengthBytes })

const changed = (path: RelPath): SpacedriveError =>
  new SpacedriveError('CHANGED_WHILE_READING', `could not read ${displayPath(path)}: it was changed meanwhile`, {
    hint: 'It is read again later; close the program that writes to it to be sure.'
  })
