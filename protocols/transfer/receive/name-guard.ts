import { isWithin, type RelPath } from '../../../storage/base/index.js'

/**
 * On a file system that takes `A` and `a` (or two Unicode forms) for one name: finds the entries whose name an earlier one
 * has. Without it the second would silently overwrite the first.
 */
export class NameGuard {
  readonly #seen = new Set<string>()
  #collided: RelPath | undefined

  /** Entries in manifest order. @returns true when it must not be written, because it or a folder above it collides */
  collides(path: RelPath): boolean {
    if (this.#collided !== undefined && isWithin(path, this.#collided)) return true
    const folded = path.normalize('NFC').toLowerCase()
    if (!this.#seen.has(folded)) {
      this.#seen.add(folded)
      return false
    }
    this.#collided = path
    return true
  }
}
