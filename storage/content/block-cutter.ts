/**
 * Where content is cut into blocks, so that two files with much in common have blocks in common (docs/delta.md).
 *
 * A window of 32 bytes moves over the content; its sum (gear hash: h = 2h + GEAR[byte], 32 bit, so that a byte leaves it after
 * 32 steps) ends a block where enough of its high bits are 0. More bits are asked for up to the average length and fewer
 * beyond it, so lengths keep near the average; none is under a quarter or over four times of it, but for the last.
 *
 * Both ends must cut alike: what is here is part of the protocol, as are the vectors of the test.
 */
import { type GearScan, gearScan } from './gear.js'

/** Of files up to 512 MiB: 20 bytes a block in a list are 0.03 % of the file. */
export const MIN_BLOCK_AVERAGE = 64 * 1024
/** Of files of 32 GiB and more; a block is then at most 16 MiB. */
export const MAX_BLOCK_AVERAGE = 4 * 1024 * 1024
/** Up to so many blocks the average stays as it is. */
const MANY_BLOCKS = 8192
/** Bytes that a sum depends on. */
const WINDOW = 32
/** The least and the most that a block has, in averages. */
const SHORTEST = 1 / 4
const LONGEST = 4
/** Bits more, or fewer, than the average asks for: keeps most blocks within half and twice the average. */
const NORMAL_BITS = 2

/** The average length of blocks for a file of this size: a power of two. Larger for very large files, so that lists stay small. */
export function blockAverage(sizeBytes: number): number {
  let average = MIN_BLOCK_AVERAGE
  while (average < MAX_BLOCK_AVERAGE && sizeBytes > average * MANY_BLOCKS) average *= 2
  return average
}

/** No block is longer. */
export const MAX_BLOCK_BYTES = LONGEST * MAX_BLOCK_AVERAGE

/** Whether both ends can cut by this average. */
export function isBlockAverage(average: number): boolean {
  return average >= MIN_BLOCK_AVERAGE && average <= MAX_BLOCK_AVERAGE && Number.isInteger(Math.log2(average))
}

/** Finds the ends of blocks in content that comes in pieces: each is held (`gearScan`) while its ends are asked for. */
export class BlockCutter {
  readonly #shortest: number
  readonly #average: number
  readonly #longest: number
  /** High bits that must be 0 up to the average length, and beyond. */
  readonly #strict: number
  readonly #lax: number
  readonly #scan: GearScan = gearScan()
  #length = 0
  #sum = 0

  /** @param average - see `isBlockAverage` */
  constructor(average: number) {
    if (!isBlockAverage(average)) throw new RangeError(`expected an average length of blocks, got ${average}`)
    const bits = Math.log2(average)
    this.#shortest = average * SHORTEST
    this.#average = average
    this.#longest = average * LONGEST
    this.#strict = -1 << (32 - bits - NORMAL_BITS)
    this.#lax = -1 << (32 - bits + NORMAL_BITS)
  }

  /** Bytes of the block that is not yet ended. */
  get openBytes(): number {
    return this.#length
  }

  /**
   * @param length - of the content that is held (`gearScan`)
   * @returns where in it the block ends that goes on at `from` (the index after its last byte); -1: not in this piece
   */
  next(length: number, from: number): number {
    const begin = from - this.#length
    const reach = (bytes: number): number => Math.min(length, begin + bytes)
    let sum = this.#sum
    // Before the window of the first possible end nothing counts.
    let at = Math.max(from, reach(this.#shortest - WINDOW))
    if (at < reach(this.#shortest)) {
      sum = this.#scan.sum(at, reach(this.#shortest), sum)
      at = reach(this.#shortest)
    }
    for (const [end, mask] of [
      [reach(this.#average), this.#strict],
      [reach(this.#longest), this.#lax]
    ] as const) {
      if (at >= end) continue
      const cut = this.#scan.find(at, end, sum, mask)
      if (cut >= 0) return this.#cut(cut)
      sum = this.#scan.lastSum
      at = end
    }
    if (at - begin === this.#longest) return this.#cut(at)
    this.#length = at - begin
    this.#sum = sum
    return -1
  }

  #cut(end: number): number {
    this.#length = 0
    this.#sum = 0
    return end
  }
}
