import {
  type AbortOptions,
  hasCode,
  isWithin,
  linkSignals,
  type Problem,
  type Random,
  type RelPath
} from '../../storage/base/index.js'
import type { EntryStat } from '../../storage/files/index.js'
import type { Endpoint, TreeEntry } from '../endpoints/index.js'
import { MAX_DESTINATION } from './limits.js'
import { grown, PathTable } from './path-table.js'

/** What stands at a path of the destination, as far as deciding needs it. */
export type Standing = Pick<EntryStat, 'kind' | 'sizeBytes' | 'mtimeNs' | 'mode'>

/** `known`: it had been indexed; `looked`: the disk was asked for it. Without `standing`: nothing is there. */
export interface Stands {
  readonly path: RelPath
  readonly how: 'known' | 'looked'
  readonly standing?: Standing | undefined
  readonly problem?: Problem | undefined
}

export interface DestinationInit extends AbortOptions {
  readonly endpoint: Endpoint
  /** The subtrees that something will be put into. Those that are not there are indexed at once: nothing stands in them. */
  readonly roots: readonly RelPath[]
  readonly random: Random
  /** Told now and then, for the progress. */
  readonly onFound?: ((path: RelPath, counts: DestinationCounts) => void) | undefined
  /** For tests: MAX_DESTINATION. */
  readonly maxEntries?: number | undefined
}

export interface DestinationCounts {
  readonly files: number
  readonly bytes: number
}

/**
 * What stands at a destination, indexed in the background so that thousands of questions need no look at the disk. Answers at
 * once from the first moment on: what is not known yet is looked at. An answer is a hint: whoever places says what it expects, and
 * finds out.
 */
export interface DestinationIndex {
  /** True once everything below the roots is known. */
  readonly ready: boolean
  readonly counts: DestinationCounts
  /** At once, without a look at the disk; undefined: not known yet, or outside of the roots. */
  known(path: RelPath): Stands | undefined
  /** In the order of the paths; at most 1,000 (MAX_LOOKS). Paths outside of the roots are looked at. */
  standing(paths: readonly RelPath[], options?: AbortOptions): Promise<readonly Stands[]>
  /** What has come to stand there since, by our own doing. */
  note(path: RelPath, standing: Standing): void
  /** It was taken away by our own doing. */
  forget(path: RelPath): void
  /** Resolves when the indexing has ended, however: a failure only means that the disk goes on being asked. */
  settled(): Promise<void>
  /** Ends the indexing; what is known stays known. */
  stop(): Promise<void>
}

const KINDS = ['file', 'directory', 'symlink', 'other', 'gone'] as const

export function destinationIndex(init: DestinationInit): DestinationIndex {
  return new Destination(init)
}

class Destination implements DestinationIndex {
  readonly #init: DestinationInit
  readonly #paths: PathTable
  readonly #over = new AbortController()
  readonly #walking: Promise<void>
  #kinds = new Uint8Array(1024)
  #sizes = new Float64Array(1024)
  #mtimesNs = new BigInt64Array(1024)
  #modes = new Uint32Array(1024)
  #counts = { files: 0, bytes: 0 }
  #ready = false

  constructor(init: DestinationInit) {
    this.#init = init
    this.#paths = new PathTable(init.random.bytes(16))
    const linked = linkSignals(init.signal, this.#over.signal)
    this.#walking = this.#walk(linked.signal)
      .then(complete => {
        this.#ready = complete
      })
      .catch(() => {}) // a hint that is missing: the disk is asked
      .finally(() => linked.clear())
  }

  get ready(): boolean {
    return this.#ready
  }

  get counts(): DestinationCounts {
    return { ...this.#counts }
  }

  known(path: RelPath): Stands | undefined {
    const row = this.#paths.find(path)
    if (row >= 0) {
      const kind = KINDS[this.#kinds[row]!]!
      if (kind === 'gone') return { path, how: 'known' }
      const standing = { kind, sizeBytes: this.#sizes[row]!, mtimeNs: this.#mtimesNs[row]!, mode: this.#modes[row]! }
      return { path, how: 'known', standing }
    }
    return this.#ready && this.#init.roots.some(root => isWithin(path, root)) ? { path, how: 'known' } : undefined
  }

  async standing(paths: readonly RelPath[], { signal }: AbortOptions = {}): Promise<readonly Stands[]> {
    signal?.throwIfAborted()
    const answers = paths.map(path => this.known(path))
    const open = paths.filter((_, i) => answers[i] === undefined)
    if (open.length === 0) return answers as Stands[]
    const looked = await this.#init.endpoint.look(open, { signal })
    let next = 0
    return answers.map(answer => {
      if (answer !== undefined) return answer
      const { path, entry, problem } = looked[next++]!
      return { path, how: 'looked', standing: entry?.stat, problem }
    })
  }

  note(path: RelPath, { kind, sizeBytes, mtimeNs, mode }: Standing): void {
    if (this.#paths.size >= this.#max && this.#paths.find(path) < 0) {
      this.#ready = false
      return
    }
    const row = this.#paths.add(path)
    this.#kinds = grown(this.#kinds, row + 1)
    this.#sizes = grown(this.#sizes, row + 1)
    this.#mtimesNs = grown(this.#mtimesNs, row + 1)
    this.#modes = grown(this.#modes, row + 1)
    this.#kinds[row] = KINDS.indexOf(kind)
    this.#sizes[row] = sizeBytes
    this.#mtimesNs[row] = mtimeNs
    this.#modes[row] = mode
  }

  forget(path: RelPath): void {
    const row = this.#paths.find(path)
    if (row >= 0) this.#kinds[row] = KINDS.indexOf('gone')
  }

  settled(): Promise<void> {
    return this.#walking
  }

  async stop(): Promise<void> {
    this.#over.abort()
    await this.#walking
  }

  get #max(): number {
    return this.#init.maxEntries ?? MAX_DESTINATION
  }

  /** @returns false when there was more than can be held */
  async #walk(signal: AbortSignal): Promise<boolean> {
    const { endpoint, roots, onFound } = this.#init
    for (const root of roots) {
      try {
        for await (const { entries } of endpoint.walk(root, { signal })) {
          for (const entry of entries) if (!this.#found(entry)) return false
          onFound?.(root, this.counts)
        }
      } catch (err) {
        if (!hasCode(err, 'MISSING')) throw err
      }
    }
    return true
  }

  /** What a note says is newer than what the walk saw. */
  #found({ path, stat, unknown }: TreeEntry): boolean {
    if (this.#paths.find(path) >= 0) return true
    if (this.#paths.size >= this.#max) return false
    // Nothing can be said of what is below: the disk is asked.
    if (unknown !== undefined && stat.kind === 'directory') return false
    this.note(path, stat)
    if (stat.kind !== 'directory') this.#counts.files++
    if (stat.kind === 'file') this.#counts.bytes += stat.sizeBytes
    return true
  }
}
