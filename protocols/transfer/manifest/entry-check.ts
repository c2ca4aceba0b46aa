import { displayPath, isPlainUtf8, parseRelPath, type RelPath, SpacedriveError } from '../../../storage/base/index.js'
import { malformed, type RawEntry } from './page.js'
import { addTo, noTotals } from './totals.js'
import type { BuildOptions, ManifestTotals } from './types.js'

/** Levels below the folder that receives (DESIGN 12). */
export const DEFAULT_MAX_DEPTH = 64
/** Entries of one offer (DESIGN 12). */
export const DEFAULT_MAX_ENTRIES = 100_000

/**
 * Judges entries one after the other, in memory for one path: strictly growing order makes every path unique, and puts
 * each directory before what it holds, so that nothing can lie under a link or a file.
 */
export class EntryCheck {
  readonly #maxEntries: number
  readonly #maxDepth: number
  readonly #plain: boolean
  readonly #openDirectories: RelPath[] = []
  #last: Uint8Array | undefined
  readonly #totals = noTotals()

  constructor({ maxEntries = DEFAULT_MAX_ENTRIES, maxDepth = DEFAULT_MAX_DEPTH, names = 'any' }: BuildOptions = {}) {
    this.#maxEntries = maxEntries
    this.#maxDepth = maxDepth
    this.#plain = names === 'plain'
  }

  get totals(): ManifestTotals {
    return { ...this.#totals }
  }

  /** @throws {SpacedriveError} MALFORMED, TOO_MANY_ENTRIES */
  add({ entry, pathBytes }: RawEntry): void {
    const { index, path, kind } = entry
    const shown = displayPath(path)
    if (index >= this.#maxEntries) throw tooManyEntries(this.#maxEntries)
    const parsed = parseRelPath(path)
    if ('refused' in parsed) throw malformed(`the path "${shown}" was refused: ${parsed.refused}`)
    if (this.#plain && !isPlainName(path)) throw malformed(`the path "${shown}" has characters that are not allowed`)
    if (this.#last !== undefined && compareTreeBytes(this.#last, pathBytes) >= 0)
      throw malformed(`the path "${shown}" is twice there or out of order`)
    const slash = path.lastIndexOf('/')
    const parent = path.slice(0, Math.max(0, slash))
    while (this.#openDirectories.length > 0 && this.#openDirectories.at(-1) !== parent) this.#openDirectories.pop()
    if (slash >= 0 && this.#openDirectories.length === 0)
      throw malformed(`the path "${shown}" is not below a directory of the manifest`)
    if (this.#openDirectories.length >= this.#maxDepth)
      throw malformed(`the path "${shown}" is more than ${this.#maxDepth} levels deep`)
    if (kind === 'directory') this.#openDirectories.push(path)
    this.#last = pathBytes
    addTo(this.#totals, entry)
    if (!Number.isSafeInteger(this.#totals.bytes)) throw malformed('its sizes add up to more than 2^53 bytes')
  }
}

/** Valid UTF-8 without control characters and without what turns the direction of text (C3 of the threats). */
export function isPlainName(path: string): boolean {
  return isPlainUtf8(path) && !CONTROL.test(path)
}

const CONTROL = /[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069\u2028\u2029]/

/** Byte order in which `/` comes before everything: a directory directly before what it holds. */
export function compareTreeBytes(a: Uint8Array, b: Uint8Array): number {
  const n = Math.min(a.length, b.length)
  for (let i = 0; i < n; i++) {
    const x = a[i]!
    const y = b[i]!
    if (x === y) continue
    return x === 0x2f ? -1 : y === 0x2f ? 1 : x - y
  }
  return a.length - b.length
}

export function tooManyEntries(max: number): SpacedriveError {
  return new SpacedriveError('TOO_MANY_ENTRIES', `could not take more than ${max} files and folders at once`, {
    hint: 'Send fewer at a time, or pack them into an archive.'
  })
}
