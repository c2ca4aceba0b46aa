import type { TreeEntry } from '../endpoints/index.js'
import { grown, Mixer, PathTable } from './path-table.js'

/** What a table says of an entry: never told, told just so, or told otherwise. */
export type Told = 'new' | 'same' | 'changed'

/**
 * Remembers which entries were told, for a million of them in some 40 MB. Of what was told of a path 64 bits are kept: for a
 * changed entry to pass as the same they must collide (2^-64).
 */
export class ToldTable {
  readonly #paths: PathTable
  readonly #mixer: Mixer
  /** Two a row. */
  #told = new Uint32Array(2048)
  #met = new Uint8Array(1024)
  #metCount = 0

  /** @param seed - 16 random bytes */
  constructor(seed: Uint8Array) {
    this.#paths = new PathTable(seed)
    this.#mixer = new Mixer(seed)
  }

  get size(): number {
    return this.#paths.size
  }

  /** Told, but never met by `meet`. */
  get unmet(): number {
    return this.#paths.size - this.#metCount
  }

  add(entry: TreeEntry): void {
    const row = this.#paths.add(entry.path)
    this.#told = grown(this.#told, 2 * row + 2)
    this.#met = grown(this.#met, row + 1)
    const [a, b] = this.#mixer.mix(told(entry))
    this.#told[2 * row] = a!
    this.#told[2 * row + 1] = b!
  }

  /** Compares with what was told and notes that it was met. */
  meet(entry: TreeEntry): Told {
    const row = this.#paths.find(entry.path)
    if (row < 0) return 'new'
    if (this.#met[row] === 0) this.#metCount++
    this.#met[row] = 1
    const [a, b] = this.#mixer.mix(told(entry))
    return this.#told[2 * row] === a && this.#told[2 * row + 1] === b ? 'same' : 'changed'
  }
}

/** What makes an entry another one: not its ids, which the index may keep otherwise, nor what it does not keep at all. */
function told({ stat }: TreeEntry): string {
  const { kind, sizeBytes, mtimeNs, ctimeNs, mode } = stat
  // A directory's size says nothing; its times change with what is in it, which is told by itself.
  if (kind === 'directory') return `d ${mode}`
  return `${kind} ${sizeBytes} ${mtimeNs} ${ctimeNs} ${mode}`
}
