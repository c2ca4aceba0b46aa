import { type AbortOptions, hasCode, type RelPath } from '../../storage/base/index.js'
import { BLOCKS_A_PAGE, type Endpoint, PAGE_OF_BLOCKS_BYTES, type StagedFileWriter } from '../endpoints/index.js'
import { type DeltaPart, partsFrom, planDelta } from './delta-plan.js'
import { type ComingList, GrowingList } from './growing-list.js'

/** A file that may have much in common with another one. It is only read. */
export interface Basis {
  readonly at: Pick<Endpoint, 'blocks'>
  /** In the root that is written to. */
  readonly path: RelPath
}

export interface InStepInit extends AbortOptions {
  /** The blocks of the file that is written. */
  readonly wanted: ComingList
  readonly writer: Pick<StagedFileWriter, 'appendBlocks' | 'positionBytes'>
  readonly basis: Basis
  readonly averageBytes: number
  /** Writes what lies there at the source. */
  travel(part: DeltaPart): Promise<void>
  /** So much was found in the basis. */
  onFound(bytes: number): void
  /** More of the basis was cut. */
  onRead(): void
}

/** Messages of blocks on their way to who writes them: 128 blocks each, so up to half a second of writing. */
const AHEAD = 6
/**
 * Where the two part, what is found again within so many averages of blocks travels up to there, without a look whether it stands
 * elsewhere in the basis.
 */
const NEAR_AVERAGES = 32
/**
 * How often they may part until both lists are made to their ends: each time costs three round trips. So at most a thirtieth of a
 * file travels that a full comparison might have found.
 */
const MAX_PARTINGS = 8

/**
 * Writes a file as far as a basis goes along with it: blocks of the one are asked for in the other where they would lie if nothing
 * but their place had changed. Who has the basis reads each once, compares its hash and writes it, while the source still makes its
 * list; the basis is cut into blocks only from where they part, until they are in step again.
 * @returns what is still to be written, up to the end
 * @throws what `ComingList.more`, `StagedFileWriter.appendBlocks` and `travel` throw; of the basis UNREACHABLE and STOPPED
 */
export function writeInStep(init: InStepInit): Promise<readonly DeltaPart[]> {
  return new InStep(init).run()
}

class InStep {
  readonly #init: InStepInit
  /** What is known of the basis: all blocks up to its end. */
  readonly #basis = new GrowingList()
  /** There is nothing more of it to be known, or it cannot be read. */
  #known: 'in part' | 'whole' | 'not at all' = 'in part'
  /** The first block of the file that is not written. */
  #next = 0

  constructor(init: InStepInit) {
    this.#init = init
  }

  async run(): Promise<readonly DeltaPart[]> {
    const { wanted, writer, travel } = this.#init
    // What an interrupted transfer left may end anywhere.
    if (writer.positionBytes > 0) return this.#rest(writer.positionBytes)
    let basisBytes: number | undefined = 0
    for (let partings = 0; ; partings++) {
      basisBytes = await this.#goOn(basisBytes)
      if (basisBytes === undefined) return []
      const again = partings < MAX_PARTINGS ? await this.#lookFor(basisBytes) : undefined
      const fromBytes = wanted.blocks.start(this.#next)
      if (again === undefined) return this.#rest(fromBytes)
      await travel({ fromBytes, lengthBytes: wanted.blocks.start(again.block) - fromBytes })
      this.#next = again.block
      basisBytes = again.basisBytes
    }
  }

  /** From a place in the basis on, until they part. @returns where in the basis; undefined: all is written */
  async #goOn(basisBytes: number): Promise<number | undefined> {
    const { wanted } = this.#init
    const shift = basisBytes - wanted.blocks.start(this.#next)
    const going: Promise<void>[] = []
    let parted: number | undefined
    const append = async (from: number, to: number): Promise<void> => {
      const written = await this.#append(from, to, shift)
      if (from + written < to) parted ??= from + written // those behind it are not written
    }
    // Its answer says that this end gets on, too.
    const aPage = Math.min(BLOCKS_A_PAGE, Math.ceil(PAGE_OF_BLOCKS_BYTES / this.#init.averageBytes))
    let sent = this.#next
    while (parted === undefined && (await wanted.more(sent))) {
      const to = Math.min(wanted.blocks.count, sent + aPage)
      const some = append(sent, to)
      some.catch(() => {}) // told when its turn comes
      going.push(some)
      sent = to
      if (going.length > AHEAD) await going.shift()
    }
    await Promise.all(going)
    this.#next = parted ?? sent
    return parted === undefined ? undefined : wanted.blocks.start(parted) + shift
  }

  async #append(from: number, to: number, shift: number): Promise<number> {
    const { wanted, writer, basis, onFound } = this.#init
    const { blocks } = wanted
    const [atBytes, fromBytes] = [blocks.start(from), blocks.start(from) + shift]
    const asked = { path: basis.path, atBytes, fromBytes, ...blocks.slice(from, to) }
    const written = await writer.appendBlocks(asked).catch(err => {
      if (hasCode(err, 'NOT_GRANTED')) return 0
      throw err
    })
    if (written > 0) onFound(blocks.start(from + written) - atBytes)
    for (let i = from; i < from + written; i++)
      if (blocks.start(i) + shift === this.#basis.endBytes) this.#basis.add(blocks.slice(i, i + 1))
    return written
  }

  /** The block of the file, near the first that is not written, that stands first in the basis behind where they parted. */
  async #lookFor(partedBytes: number): Promise<{ block: number; basisBytes: number } | undefined> {
    const { wanted, averageBytes } = this.#init
    const near = wanted.blocks.start(this.#next) + NEAR_AVERAGES * averageBytes
    while (wanted.blocks.endBytes <= near && (await wanted.more(wanted.blocks.count)));
    const sought = new Map<string, number>()
    for (let i = this.#next; i < wanted.blocks.count && wanted.blocks.start(i) <= near; i++)
      if (!sought.has(wanted.blocks.key(i))) sought.set(wanted.blocks.key(i), i)
    let seen = this.#basis.count
    while (seen > 0 && this.#basis.start(seen - 1) >= partedBytes) seen--
    for (const listing = this.#listing(); ; ) {
      for (; seen < this.#basis.count; seen++) {
        const block = sought.get(this.#basis.key(seen))
        if (block === undefined) continue
        await listing.return()
        return { block, basisBytes: this.#basis.start(seen) }
      }
      if ((await listing.next()).done === true) return undefined
    }
  }

  /** Learns more of the basis with each turn, up to its end. A basis that is not there or cannot be read is no error. */
  async *#listing(): AsyncGenerator<undefined, void, void> {
    if (this.#known !== 'in part') return
    const { basis, averageBytes, onRead, signal } = this.#init
    try {
      for await (const piece of basis.at.blocks(basis.path, {
        averageBytes,
        fromBytes: this.#basis.endBytes,
        signal
      })) {
        onRead()
        if (piece.kind === 'done') break
        this.#basis.add(piece)
        yield
      }
      this.#known = 'whole'
    } catch (err) {
      if (hasCode(err, 'UNREACHABLE', 'STOPPED')) throw err
      signal?.throwIfAborted()
      this.#known = 'not at all' // not there, not readable, changing, too large: the rest travels
    }
  }

  /** From there on by both lists, whole. */
  async #rest(fromBytes: number): Promise<readonly DeltaPart[]> {
    const { wanted } = this.#init
    for await (const _ of this.#listing());
    await wanted.end()
    const basis = this.#known === 'not at all' ? new GrowingList() : this.#basis
    return partsFrom(planDelta(wanted.blocks.slice(), basis.slice()), fromBytes)
  }
}
