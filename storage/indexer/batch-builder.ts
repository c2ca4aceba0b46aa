import { pathBytes } from '../base/index.js'
import { createHasher } from '../content/index.js'
import type { Batch, Columns, DirectoryStat, Head } from './batch.js'

/** Bytes of a digest kept: two listings of one directory do not share them by accident, and nobody gains by making them. */
const DIGEST_BYTES = 16
const FIRST_CAPACITY = 1_024
const FIRST_NAME_BYTES = 32 * 1_024

/** Collects what a slice of a walk sees. */
export class BatchBuilder {
  count = 0
  readonly #heads: Head[] = []
  readonly #refEntries: number[] = []
  readonly #refs: number[] = []
  #nameBytes = 0
  #names = Buffer.allocUnsafeSlow(FIRST_NAME_BYTES)
  #ends = new Uint32Array(FIRST_CAPACITY)
  #stats = new BigInt64Array(4 * FIRST_CAPACITY)
  #sizes = new Float64Array(FIRST_CAPACITY)
  #modes = new Int32Array(FIRST_CAPACITY)
  #marks = new Int32Array(FIRST_CAPACITY)

  /** @returns the number of the entry in this batch */
  add(name: string, stat: DirectoryStat, sizeBytes: number, mark: number): number {
    const i = this.count++
    if (i === this.#ends.length) this.#grow()
    // At most three bytes for each unit of UTF-16.
    while (this.#nameBytes + 3 * name.length > this.#names.length) this.#growNames()
    this.#nameBytes += this.#write(name)
    this.#ends[i] = this.#nameBytes
    this.#stats[4 * i] = stat.mtimeNs
    this.#stats[4 * i + 1] = stat.ctimeNs
    this.#stats[4 * i + 2] = stat.birthNs
    this.#stats[4 * i + 3] = stat.inode
    this.#sizes[i] = sizeBytes
    this.#modes[i] = stat.mode
    this.#marks[i] = mark
    return i
  }

  /** Lets later heads refer to entry `i`. */
  refer(i: number, ref: number): void {
    this.#refEntries.push(i)
    this.#refs.push(ref)
  }

  /** The columns so far, `count` entries of them; good until the next entry. */
  get columns(): Columns {
    return {
      names: this.#names,
      ends: this.#ends,
      stats: this.#stats,
      sizes: this.#sizes,
      modes: this.#modes,
      marks: this.#marks
    }
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
    this.#nameBytes = first === 0 ? 0 : this.#ends[first - 1]!
    while ((this.#refEntries.at(-1) ?? -1) >= first) {
      this.#refEntries.pop()
      this.#refs.pop()
    }
  }

  /** A digest of the entries from `first` on. */
  digest(first: number): Uint8Array {
    const hasher = createHasher()
    const end = this.count
    const from = first === 0 ? 0 : this.#ends[first - 1]!
    // Where names end relative to the first, so that the digest does not depend on the place in the batch.
    const ends = this.#ends.slice(first, end)
    for (let i = 0; i < ends.length; i++) ends[i]! -= from
    hasher.update(bytesOf(ends))
    hasher.update(this.#names.subarray(from, this.#nameBytes))
    hasher.update(bytesOf(this.#stats.subarray(4 * first, 4 * end)))
    hasher.update(bytesOf(this.#sizes.subarray(first, end)))
    hasher.update(bytesOf(this.#modes.subarray(first, end)))
    hasher.update(bytesOf(this.#marks.subarray(first, end)))
    return hasher.digestBytes().subarray(0, DIGEST_BYTES)
  }

  finish(): Batch {
    const n = this.count
    return {
      heads: this.#heads,
      names: new Uint8Array(this.#names.subarray(0, this.#nameBytes)),
      ends: this.#ends.slice(0, n),
      stats: this.#stats.slice(0, 4 * n),
      sizes: this.#sizes.slice(0, n),
      modes: this.#modes.slice(0, n),
      marks: this.#marks.slice(0, n),
      refEntries: Int32Array.from(this.#refEntries),
      refs: Float64Array.from(this.#refs)
    }
  }

  #write(name: string): number {
    const at = this.#nameBytes
    for (let i = 0; i < name.length; i++) {
      const c = name.charCodeAt(i)
      if (c > 0x7f) {
        const bytes = pathBytes(name)
        this.#names.set(bytes, at)
        return bytes.length
      }
      this.#names[at + i] = c
    }
    return name.length
  }

  #grow(): void {
    const double = <T extends { set(from: T): void; length: number }>(from: T, make: (length: number) => T): T => {
      const to = make(2 * from.length)
      to.set(from)
      return to
    }
    this.#ends = double(this.#ends, n => new Uint32Array(n))
    this.#stats = double(this.#stats, n => new BigInt64Array(n))
    this.#sizes = double(this.#sizes, n => new Float64Array(n))
    this.#modes = double(this.#modes, n => new Int32Array(n))
    this.#marks = double(this.#marks, n => new Int32Array(n))
  }

  #growNames(): void {
    const names = Buffer.allocUnsafeSlow(2 * this.#names.length)
    this.#names.copy(names)
    this.#names = names
  }
}

const bytesOf = (array: Uint32Array | BigInt64Array | Float64Array | Int32Array): Uint8Array =>
  new Uint8Array(array.buffer, array.byteOffset, array.byteLength)
