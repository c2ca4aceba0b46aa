import type { RelPath } from '../../storage/base/index.js'
import type { End } from './entry.js'
import { LooseObjects } from './loose-objects.js'
import type { Operation, PlanRow } from './operation.js'
import { isUnread } from './unread.js'

/** What a plan does to one end. Files and links alike count as files. */
export interface EndTotals {
  created: number
  /** Get other content. */
  replaced: number
  /** Would be gone: renames are none, and what comes back under another name in the same plan is not counted. */
  removed: number
  /** Of `removed`: loose objects of git repositories that stay (`loose-objects.ts`). */
  repacked: number
  moved: number
  directoriesMade: number
  directoriesRemoved: number
  attributes: number
  /** Of content that this end gets from the other. */
  bytes: number
}

export interface Totals {
  readonly source: Readonly<EndTotals>
  readonly destination: Readonly<EndTotals>
  /** What is done to either end; what only the index learns, and times of directories, are none. */
  readonly operations: number
  readonly conflicts: number
  readonly problems: number
}

/** Adds up the rows of a plan as they pass. */
export class Tally {
  readonly #ends: Record<End, EndTotals> = { source: noTotals(), destination: noTotals() }
  readonly #came: Record<End, ContentCounts> = {
    source: new ContentCounts(),
    destination: new ContentCounts()
  }
  readonly #loose: Record<End, LooseObjects> = { source: new LooseObjects(), destination: new LooseObjects() }
  readonly #holds: (end: End, path: RelPath) => boolean
  #operations = 0
  #conflicts = 0
  #problems = 0

  /** @param init.holds - whether an end holds a file now; left out: it is taken to */
  constructor({ holds = () => true }: { holds?: (end: End, path: RelPath) => boolean } = {}) {
    this.#holds = holds
  }

  add(row: PlanRow): void {
    if (row.row === 'operation') this.#count(row.operation)
    else if (row.row === 'conflict') this.#conflicts++
    else if (row.row === 'problem') this.#problems++
  }

  get totals(): Totals {
    return {
      source: this.#of('source'),
      destination: this.#of('destination'),
      operations: this.#operations,
      conflicts: this.#conflicts,
      problems: this.#problems
    }
  }

  #of(end: End): EndTotals {
    return { ...this.#ends[end], repacked: this.#loose[end].count(path => this.#holds(end, path)) }
  }

  #count(op: Operation): void {
    if (op.kind === 'version' || op.kind === 'park' || op.reason === 'directory-time') return
    this.#operations++
    const end = this.#ends[op.end]
    switch (op.kind) {
      case 'create':
      case 'replace':
        if (op.kind === 'create') end.created++
        else end.replaced++
        if (op.content.kind !== 'file') return
        end.bytes += op.content.sizeBytes
        if (!isUnread(op.content.hash)) this.#came[op.end].add(op.content.hash)
        return
      case 'remove': {
        const counted = op.expected.kind !== 'file' || !this.#came[op.end].take(op.expected.hash)
        if (counted) end.removed++
        this.#loose[op.end].add(op.path, counted)
        return
      }
      case 'make-directory':
        end.directoriesMade++
        return
      case 'remove-directory':
        end.directoriesRemoved++
        return
      case 'attributes':
        end.attributes++
        return
      default:
        end.moved++
    }
  }
}

/** How often each content came: 52 bits of its hash in a flat table, for a million of them must not cost a hundred megabytes. */
export class ContentCounts {
  #keys = new Float64Array(1024).fill(-1)
  #counts = new Uint32Array(1024)
  #size = 0

  add(hash: string): void {
    if (this.#size * 2 >= this.#keys.length) this.#grow()
    this.#put(keyOf(hash), 1)
  }

  /** @returns whether there was one */
  take(hash: string): boolean {
    const at = this.#slot(keyOf(hash))
    if (this.#keys[at] === -1 || this.#counts[at] === 0) return false
    this.#counts[at]!--
    return true
  }

  #put(key: number, count: number): void {
    const at = this.#slot(key)
    if (this.#keys[at] === -1) this.#size++
    this.#keys[at] = key
    this.#counts[at]! += count
  }

  #slot(key: number): number {
    let at = key % this.#keys.length
    while (this.#keys[at] !== -1 && this.#keys[at] !== key) at = (at + 1) % this.#keys.length
    return at
  }

  #grow(): void {
    const [keys, counts] = [this.#keys, this.#counts]
    this.#keys = new Float64Array(keys.length * 2).fill(-1)
    this.#counts = new Uint32Array(keys.length * 2)
    this.#size = 0
    for (const [i, key] of keys.entries()) if (key !== -1) this.#put(key, counts[i]!)
  }
}

const keyOf = (hash: string): number => Number.parseInt(hash.slice(0, 13), 16) || 0

export const noTotals = (): EndTotals => ({
  created: 0,
  replaced: 0,
  removed: 0,
  repacked: 0,
  moved: 0,
  directoriesMade: 0,
  directoriesRemoved: 0,
  attributes: 0,
  bytes: 0
})
