import type { TreeEntry } from '../endpoints/index.js'

/** What a table says of an entry: never told, told just so, or told otherwise. */
export type Told = 'new' | 'same' | 'changed'

/**
 * Remembers which entries were told, for a million of them in some 40 MB: of each path 64 bits and of what was told of it
 * 64 bits, mixed with numbers drawn for this table. For a changed entry to pass as the same both must collide (2^-128); two
 * paths with one number (2^-64) only make one be told again.
 */
export class ToldTable {
  readonly #seed: Uint32Array
  /** Four a row: the path's number, the entry's. */
  #rows = new Uint32Array(4 * FIRST_ROWS)
  /** Row + 1; 0: empty. Twice as many as rows, so that a search ends soon. */
  #slots = new Uint32Array(2 * FIRST_ROWS)
  #met = new Uint8Array(FIRST_ROWS)
  #size = 0
  #metCount = 0

  /** @param seed - 16 random bytes */
  constructor(seed: Uint8Array) {
    this.#seed = new Uint32Array(seed.slice(0, 16).buffer)
  }

  get size(): number {
    return this.#size
  }

  /** Told, but never met by `meet`. */
  get unmet(): number {
    return this.#size - this.#metCount
  }

  add(entry: TreeEntry): void {
    const [a, b] = this.#number(entry.path)
    const row = this.#find(a, b)
    const [c, d] = this.#number(told(entry))
    if (row >= 0) {
      this.#rows[4 * row + 2] = c
      this.#rows[4 * row + 3] = d
      return
    }
    if (this.#size === this.#met.length) this.#grow()
    this.#rows.set([a, b, c, d], 4 * this.#size)
    this.#slots[this.#slot(a, b)] = ++this.#size
  }

  /** Compares with what was told and notes that it was met. */
  meet(entry: TreeEntry): Told {
    const [a, b] = this.#number(entry.path)
    const row = this.#find(a, b)
    if (row < 0) return 'new'
    if (this.#met[row] === 0) this.#metCount++
    this.#met[row] = 1
    const [c, d] = this.#number(told(entry))
    return this.#rows[4 * row + 2] === c && this.#rows[4 * row + 3] === d ? 'same' : 'changed'
  }

  #find(a: number, b: number): number {
    return this.#slots[this.#slot(a, b)]! - 1
  }

  /** Where it is, or where it would be. */
  #slot(a: number, b: number): number {
    const mask = this.#slots.length - 1
    for (let at = a & mask; ; at = (at + 1) & mask) {
      const row = this.#slots[at]! - 1
      if (row < 0 || (this.#rows[4 * row] === a && this.#rows[4 * row + 1] === b)) return at
    }
  }

  #grow(): void {
    const rows = new Uint32Array(2 * this.#rows.length)
    rows.set(this.#rows)
    const met = new Uint8Array(2 * this.#met.length)
    met.set(this.#met)
    this.#rows = rows
    this.#met = met
    this.#slots = new Uint32Array(2 * this.#slots.length)
    for (let row = 0; row < this.#size; row++) {
      this.#slots[this.#slot(rows[4 * row]!, rows[4 * row + 1]!)] = row + 1
    }
  }

  /** 64 bits of a string: two lanes of MurmurHash3's mixing (Appleby), each over all characters. */
  #number(text: string): readonly [number, number] {
    let a = this.#seed[0]!
    let b = this.#seed[1]!
    for (let i = 0; i < text.length; i++) {
      const c = text.charCodeAt(i)
      a = Math.imul(a ^ c, 0xcc9e2d51)
      a = (a << 15) | (a >>> 17)
      b = Math.imul(b ^ c ^ this.#seed[2]!, 0x1b873593)
      b = (b << 13) | (b >>> 19)
      a = (a + b) | 0
    }
    return [final(a ^ text.length), final(b ^ a ^ this.#seed[3]!)]
  }
}

/** Rows before the table grows; a power of two. */
const FIRST_ROWS = 1024

function final(h: number): number {
  let x = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35)
  return (x ^ (x >>> 16)) >>> 0
}

/** What makes an entry another one: not its ids, which the index may keep otherwise, nor what it does not keep at all. */
function told({ stat }: TreeEntry): string {
  const { kind, sizeBytes, mtimeNs, ctimeNs, mode } = stat
  // A directory's size says nothing; its times change with what is in it, which is told by itself.
  if (kind === 'directory') return `d ${mode}`
  return `${kind} ${sizeBytes} ${mtimeNs} ${ctimeNs} ${mode}`
}
