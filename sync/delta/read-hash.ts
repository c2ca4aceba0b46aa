import type { ContentHash } from '../../storage/base/index.js'
import { createHasher, hashZeros } from '../../storage/content/index.js'
import type { ReadPiece } from '../endpoints/index.js'

/** The hash of what is read: made by the end that reads it, where that says so, else here as it comes by. */
export class ReadHash {
  readonly #hasher = createHasher()
  #there = false
  #told: ContentHash | undefined

  take(piece: ReadPiece): void {
    if (piece.kind === 'opened') this.#there = piece.hashed === true
    else if (piece.kind === 'done') this.#told = piece.hash
    else if (this.#there) return
    else if (piece.kind === 'data') this.#hasher.update(piece.bytes)
    else hashZeros(this.#hasher, piece.lengthBytes)
  }

  /** Once all of it has come; undefined: the end that promised it did not tell it. */
  digest(): ContentHash | undefined {
    return this.#there ? this.#told : this.#hasher.digest()
  }
}
