import { BLOCK_HASH_BYTES } from '../../storage/content/index.js'
import type { BlockPiece } from '../endpoints/index.js'
import type { BlockList } from './block-list.js'

/** Blocks of one file from its first byte on, as far as they are known. */
export class GrowingList {
  readonly #lengths: number[] = []
  /** Their hashes, each byte a character. */
  readonly #keys: string[] = []
  readonly #starts: number[] = []
  #endBytes = 0

  get count(): number {
    return this.#lengths.length
  }

  get endBytes(): number {
    return this.#endBytes
  }

  add({ lengths, hashes }: BlockList): void {
    const keys = Buffer.from(hashes.buffer, hashes.byteOffset, hashes.length).toString('latin1')
    for (const [i, length] of lengths.entries()) {
      this.#keys.push(keys.slice(i * BLOCK_HASH_BYTES, (i + 1) * BLOCK_HASH_BYTES))
      this.#lengths.push(length)
      this.#starts.push(this.#endBytes)
      this.#endBytes += length
    }
  }

  key(index: number): string {
    return this.#keys[index]!
  }

  /** Where a block begins; of the one behind the last: where that will. */
  start(index: number): number {
    return this.#starts[index] ?? this.#endBytes
  }

  slice(from = 0, to = this.count): BlockList {
    const hashes = Buffer.from(this.#keys.slice(from, to).join(''), 'latin1')
    return { lengths: Uint32Array.from(this.#lengths.slice(from, to)), hashes: new Uint8Array(hashes) }
  }
}

type Done = BlockPiece & { readonly kind: 'done' }

/** The list of a file while it comes; it is read on as fast as it does. */
export class ComingList {
  readonly blocks = new GrowingList()
  /** Rejects with what it failed with. */
  readonly #end: Promise<Done>
  #isOver = false
  #wake = (): void => {}

  constructor(pieces: AsyncIterable<BlockPiece>, onPiece: () => void = () => {}) {
    this.#end = this.#read(pieces, onPiece)
    this.#end.catch(() => {}) // told to who waits
  }

  /** Waits until there are more blocks than so many. @returns false: there are no more @throws what the list failed with */
  async more(than: number): Promise<boolean> {
    while (this.blocks.count <= than && !this.#isOver) {
      await new Promise<void>(resolve => {
        this.#wake = resolve
      })
    }
    if (this.#isOver) await this.#end
    return this.blocks.count > than
  }

  /** Once all of it is there. */
  end(): Promise<Done> {
    return this.#end
  }

  async #read(pieces: AsyncIterable<BlockPiece>, onPiece: () => void): Promise<Done> {
    try {
      for await (const piece of pieces) {
        onPiece()
        if (piece.kind === 'done') return piece
        this.blocks.add(piece)
        this.#wake()
      }
      throw new TypeError('a list of blocks has an end') // every end promises one, and the client of a remote one checks it
    } finally {
      this.#isOver = true
      this.#wake()
    }
  }
}
