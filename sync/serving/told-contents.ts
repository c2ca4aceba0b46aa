import { type ContentHash, SpacedriveError } from '../../storage/base/index.js'
import { MAX_TOLD_CONTENTS } from './limits.js'

/** Contents that a driver was told of in one session: those, and no others, it may have. Half of each hash is held. */
export class ToldContents {
  readonly #told = new Set<string>()
  readonly #most: number

  constructor(most: number = MAX_TOLD_CONTENTS) {
    this.#most = most
  }

  /** @throws {SpacedriveError} TOO_MANY */
  add(hash: ContentHash): void {
    this.#told.add(keyOf(hash))
    if (this.#told.size <= this.#most) return
    throw new SpacedriveError(
      'TOO_MANY',
      `more than ${this.#most.toLocaleString('en')} contents were kept since then`,
      {
        hint: 'A later moment, or a part of the folder at a time on that device itself: `sync restore NAME PATH --at TIME --to DIR`.'
      }
    )
  }

  has(hash: ContentHash): boolean {
    return this.#told.has(keyOf(hash))
  }

  /** @throws {SpacedriveError} NOT_GRANTED */
  ensure(hashes: readonly ContentHash[]): void {
    if (hashes.every(hash => this.has(hash))) return
    throw new SpacedriveError('NOT_GRANTED', 'that content is none that was told of')
  }
}

const keyOf = (hash: ContentHash): string => Buffer.from(hash.slice(0, 32), 'hex').toString('latin1')
