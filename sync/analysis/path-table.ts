/**
 * Rows by path, for a million of them in some 20 MB: instead of the path, 96 bits of it, mixed with numbers drawn for this
 * table (so that nobody can make two paths meet; by chance it happens once in 10^16 tables of a million).
 */
export class PathTable {
  readonly #mixer: Mixer
  /** Three a row. */
  #keys = new Uint32Array(3 * FIRST_ROWS)
  /** Row + 1; 0: empty. At least twice as many as rows, so that a search ends soon. */
  #slots = new Uint32Array(2 * FIRST_ROWS)
  #size = 0

  /** @param seed - 16 random bytes */
  constructor(seed: Uint8Array) {
    this.#mixer = new Mixer(seed)
  }

  get size(): number {
    return this.#size
  }

  /** The row of a path, a new one if it has none yet. Rows are counted from 0. */
  add(path: string): number {
    const key = this.#mixer.mix(path)
    const slot = this.#slot(key)
    const known = this.#slots[slot]! - 1
    if (known >= 0) return known
    if (3 * this.#size === this.#keys.length) {
      this.#grow()
      return this.add(path)
    }
    this.#keys.set(key, 3 * this.#size)
    this.#slots[slot] = ++this.#size
    return this.#size - 1
  }

  /** -1: it has none. */
  find(path: string): number {
    return this.#slots[this.#slot(this.#mixer.mix(path))]! - 1
  }

  /** Where it is, or where it would be. */
  #slot(key: Uint32Array): number {
    const mask = this.#slots.length - 1
    for (let at = key[0]! & mask; ; at = (at + 1) & mask) {
      const row = this.#slots[at]! - 1
      if (row < 0) return at
      const i = 3 * row
      if (this.#keys[i] === key[0] && this.#keys[i + 1] === key[1] && this.#keys[i + 2] === key[2]) return at
    }
  }

  #grow(): void {
    const keys = new Uint32Array(2 * this.#keys.length)
    keys.set(this.#keys)
    this.#keys = keys
    this.#slots = new Uint32Array(2 * this.#slots.length)
    for (let row = 0; row < this.#size; row++) this.#slots[this.#slot(keys.subarray(3 * row, 3 * row + 3))] = row + 1
  }
}

/** 96 bits of a text: three lanes of MurmurHash3's mixing (Appleby), each over all characters. */
export class Mixer {
  readonly #seed: Uint32Array
  readonly #out = new Uint32Array(3)

  constructor(seed: Uint8Array) {
    this.#seed = new Uint32Array(seed.slice(0, 16).buffer)
  }

  /** Good until the next call. */
  mix(text: string): Uint32Array {
    let a = this.#seed[0]!
    let b = this.#seed[1]!
    let c = this.#seed[2]!
    for (let i = 0; i < text.length; i++) {
      const x = text.charCodeAt(i)
      a = Math.imul(a ^ x, 0xcc9e2d51)
      a = (a << 15) | (a >>> 17)
      b = Math.imul(b ^ x ^ a, 0x1b873593)
      b = (b << 13) | (b >>> 19)
      c = Math.imul(c ^ x ^ b, 0x85ebca6b)
      c = (c << 11) | (c >>> 21)
      a = (a + c) | 0
    }
    this.#out[0] = final(a ^ text.length)
    this.#out[1] = final(b ^ this.#seed[3]!)
    this.#out[2] = final(c)
    return this.#out
  }
}

/** Rows before the table grows; a power of two. */
const FIRST_ROWS = 1024

function final(h: number): number {
  let x = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35)
  return x ^ (x >>> 16)
}

/** A typed array of at least `length`, grown by doubling, with what it held. */
export function grown<T extends Float64Array | BigInt64Array | Uint32Array | Uint8Array>(array: T, length: number): T {
  if (length <= array.length) return array
  const larger = new (array.constructor as new (n: number) => T)(Math.max(length, 2 * array.length))
  larger.set(array as never)
  return larger
}
