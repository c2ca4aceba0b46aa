import { pathBytes } from '../base/index.js'
import { createHasher } from '../content/index.js'
import type { Batch, Columns, DirectoryStat, Head } from './batch.js'

/** Bytes of a digest kept: two listings of one directory do not share them by accident, and nobody gains by making them. */
const DIGEST_BYTES = 16
const FIRST_CAPACITY = 1_024
const FIRST_NAME_BYTES = 32 * 1_024

interface Scratch extends Columns {
  readonly names: Buffer<ArrayBuffer>
}

/**
 * What the last builder of this thread wrote into: the next one does, too. Made anew for each slice, they would be a megabyte
 * of garbage outside the heap that V8 lets lie for long. Only what is too large to be kept is let go of.
 */
let spare: Scratch | undefined
const KEPT_CAPACITY = 32_768

function scratch(): Scratch {
  const taken = spare
  spare = undefined
  return (
    taken ?? {
      names: Buffer.allocUnsafeSlow(FIRST_NAME_BYTES),
      ends: new Uint32Array(FIRST_CAPACITY),
      stats: new BigInt64Array(4 * FIRST_CAPACITY),
      sizes: new Float64Array(FIRST_CAPACITY),
      modes: new Int32Array(FIRST_CAPACITY),
      marks: new Int32Array(FIRST_CAPACITY)
    }
  )
}

/** Collects what a slice of a walk sees. */
export class BatchBuilder {
  count = 0
  readonly #heads: Head[] = []
  readonly #refEntries: number[] = []
  readonly #refs: number[] = []
  #nameBytes = 0
  #columns = scratch()

  /** @returns the number of the entry in this batch */
  add(name: string, stat: DirectoryStat, sizeBytes: number, mark: number): number {
    const i = this.count++
    if (i === this.#columns.ends.length) this.#grow()
    // At most three bytes for each unit of UTF-16.
    while (this.#nameBytes + 3 * name.length > this.#columns.names.length) this.#growNames()
    this.#nameBytes += this.#write(name)
    const { ends, stats, sizes, modes, marks } = this.#columns
    ends[i] = this.#nameBytes
    stats[4 * i] = stat.mtimeNs
    stats[4 * i + 1] = stat.ctimeNs
    stats[4 * i + 2] = stat.birthNs
    stats[4 * i + 3] = stat.inode
    sizes[i] = sizeBytes
    modes[i] = stat.mode
    marks[i] = mark
    return i
  }

  /** Lets later heads refer to entry `i`. */
  refer(i: number, ref: number): void {
    this.#refEntries.push(i)
    this.#refs.push(ref)
  }

  /** The columns so far, `count` entries of them; good until the next entry. */
  get columns(): Columns {
    return this.#columns
  }

  head(head: Head): void {
    this.#heads.push(head)
  }

  get heads(): number {
    return this.#heads.length
  }

  /** Takes back the entries from `first` on: a listing that turned out to be what is recorded already. */
  rewind(first: number): void {
    this.count = first
    this.#nameBytes = first === 0 ? 0 : this.#columns.ends[first - 1]!
    while ((this.#refEntries.at(-1) ?? -1) >= first) {
      this.#refEntries.pop()
      this.#refs.pop()
    }
  }

  /** A digest of the entries from `first` on. */
  digest(first: number): Uint8Array {
    const hasher = createHasher()
    const end = this.count
    const columns = this.#columns
    const from = first === 0 ? 0 : columns.ends[first - 1]!
    // Where names end relative to the first, so that the digest does not depend on the place in the batch.
    const ends = columns.ends.slice(first, end)
    for (let i = 0; i < ends.length; i++) ends[i]! -= from
    hasher.update(bytesOf(ends))
    hasher.update(columns.names.subarray(from, this.#nameBytes))
    hasher.update(bytesOf(columns.stats.subarray(4 * first, 4 * end)))
    hasher.update(bytesOf(columns.sizes.subarray(first, end)))
    hasher.update(bytesOf(columns.modes.subarray(first, end)))
    hasher.update(bytesOf(columns.marks.subarray(first, end)))
    return hasher.digestBytes().subarray(0, DIGEST_BYTES)
  }

  /** The builder is not used after it. */
  finish(): Batch {
    const n = this.count
    const { names, ends, stats, sizes, modes, marks } = this.#columns
    if (ends.length <= KEPT_CAPACITY) spare = this.#columns
    return {
      heads: this.#heads,
      names: new Uint8Array(names.subarray(0, this.#nameBytes)),
      ends: ends.slice(0, n),
      stats: stats.slice(0, 4 * n),
      sizes: sizes.slice(0, n),
      modes: modes.slice(0, n),
      marks: marks.slice(0, n),
      refEntries: Int32Array.from(this.#refEntries),
      refs: Float64Array.from(this.#refs)
    }
  }

  #write(name: string): number {
    const at = this.#nameBytes
    const { names } = this.#columns
    for (let i = 0; i < name.length; i++) {
      const c = name.charCodeAt(i)
      if (c > 0x7f) {
        const bytes = pathBytes(name)
        names.set(bytes, at)
        return bytes.length
      }
      names[at + i] = c
    }
    return name.length
  }

  #grow(): void {
    const double = <T extends { set(from: T): void; length: number }>(from: T, make: (length: number) => T): T => {
      const to = make(2 * from.length)
      to.set(from)
      return to
    }
    const { names, ends, stats, sizes, modes, marks } = this.#columns
    this.#columns = {
      names,
      ends: double(ends, n => new Uint32Array(n)),
      stats: double(stats, n => new BigInt64Array(n)),
      sizes: double(sizes, n => new Float64Array(n)),
      modes: double(modes, n => new Int32Array(n)),
      marks: double(marks, n => new Int32Array(n))
    }
  }

  #growNames(): void {
    const before = this.#columns.names
    const names = Buffer.allocUnsafeSlow(2 * before.length)
    before.copy(names)
    this.#columns = { ...this.#columns, names }
  }
}

const bytesOf = (array: Uint32Array | BigInt64Array | Float64Array | Int32Array): Uint8Array =>
  new Uint8Array(array.buffer, array.byteOffset, array.byteLength)
