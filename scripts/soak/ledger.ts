import type { ContentHash } from '../../storage/base/index.js'
import { hashBytes } from '../../storage/content/index.js'

/** Splits a place into the device and the path: neither holds it. */
const SEPARATOR = '\0'
/** Nobody misses it. */
const EMPTY = hashBytes(Buffer.alloc(0))

/**
 * What must be found somewhere at the end: each content that was written or was there, with the places where nobody but a
 * sync may take it away. A place goes when the script itself overwrites or removes what it holds there; a content that has no place
 * left may be gone.
 */
export class Ledger {
  readonly #at = new Map<string, ContentHash>()
  readonly #places = new Map<ContentHash, Set<string>>()

  /** Every content that must be somewhere, and where it was put. */
  wanted(): { hash: ContentHash; places: string[] }[] {
    return [...this.#places].map(([hash, places]) => ({
      hash,
      places: [...places].map(p => p.replace(SEPARATOR, ':'))
    }))
  }

  get size(): number {
    return this.#places.size
  }

  /** @param was - what stood there, null for nothing */
  wrote(device: string, path: string, hash: ContentHash, was: ContentHash | null): void {
    this.removed(device, path, was)
    if (hash !== EMPTY) this.#put(device + SEPARATOR + path, hash)
  }

  /**
   * @param was - what stood there. Where it is not what was put there a sync took that away, and must have kept it; and what stands there
   *   instead a sync has moved there, if it was put anywhere on this device.
   */
  removed(device: string, path: string, was: ContentHash | null): void {
    const place = device + SEPARATOR + path
    const hash = this.#at.get(place)
    this.#at.delete(place)
    if (was === null) return
    if (was === hash) this.#unplace(hash, place)
    else
      for (const moved of [...(this.#places.get(was) ?? [])])
        if (moved.startsWith(device + SEPARATOR)) {
          this.#at.delete(moved)
          this.#unplace(was, moved)
        }
  }

  #unplace(hash: ContentHash, place: string): void {
    const places = this.#places.get(hash)
    places?.delete(place)
    if (places?.size === 0) this.#places.delete(hash)
  }

  /**
   * All is at rest: a place stands wherever a content is. What a sync takes away from there it has to keep; what is not there was
   * kept already.
   */
  settled(
    trees: Iterable<readonly [device: string, files: Iterable<readonly [path: string, hash: ContentHash]>]>
  ): void {
    this.#at.clear()
    const renewed = new Set<ContentHash>()
    for (const [device, files] of trees) {
      for (const [path, hash] of files) {
        if (!renewed.has(hash)) this.#places.delete(hash)
        renewed.add(hash)
        this.#put(device + SEPARATOR + path, hash)
      }
    }
  }

  #put(place: string, hash: ContentHash): void {
    this.#at.set(place, hash)
    const places = this.#places.get(hash)
    if (places === undefined) this.#places.set(hash, new Set([place]))
    else places.add(place)
  }

  /** A file, or a folder with all that is known in it. */
  moved(device: string, from: string, to: string): void {
    for (const [path, hash] of this.#below(device, from)) {
      this.removed(device, path, hash)
      this.wrote(device, to + path.slice(from.length), hash, null)
    }
  }

  #below(device: string, dir: string): (readonly [string, ContentHash])[] {
    const start = device + SEPARATOR
    const found: (readonly [string, ContentHash])[] = []
    for (const [place, hash] of this.#at) {
      if (!place.startsWith(start + dir)) continue
      const path = place.slice(start.length)
      if (path === dir || path.startsWith(`${dir}/`)) found.push([path, hash])
    }
    return found
  }
}
