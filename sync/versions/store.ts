import type { AbortOptions, Clock, ContentHash, RelPath } from '../../storage/base/index.js'
import { hashBytes } from '../../storage/content/index.js'
import type { FileRoot, OtherContent, Staging } from '../../storage/files/index.js'
import { formatLine, type VersionLine } from './line.js'
import { formatReach, SINCE_LIST, VersionLog } from './log.js'
import { type DoneBatch, type NewLine, takenBy } from './taken.js'
import { PARTS, type ThinInit, type ThinReport, thinStore } from './thin.js'

/** Where a list is written anew before it takes its place. */
const NEW = '.new'
/** The lines that a batch which a crash cut short may have written, several times over: a batch has up to 4,000 steps. */
const RECOVER_LINES = 40_000
/** A store larger than this share of its volume is said in `status` (SYNC.md 8); it is never thinned for that. */
export const LARGE_SHARE = 0.1

export interface StoreUsage {
  readonly bytes: number
  readonly contents: number
  /** Of the volume, 0 to 1. */
  readonly share: number
}

export interface StoreProblem {
  readonly hash: ContentHash
  readonly code: 'VERSION_DAMAGED' | 'VERSION_MISSING'
  /** A path that had it. */
  readonly path: RelPath
}

/**
 * The versions of one end (SYNC.md 8): `.spacedrive/versions/`, which needs neither the archive nor the database nor the other
 * device to be read.
 *
 *   await store.record(lines)            // before the batch: durable
 *   await root.place(steps)              // what it replaces goes to asidePath(hash, n) of the staging place
 *   await store.keep(staging)            // and from there into the store; also the first thing after a crash
 *
 * One for each root: every sync of that root writes through the same.
 */
export class VersionStore extends VersionLog {
  readonly #root: FileRoot
  readonly #clock: Clock
  #last: { readonly atMs: number; readonly run: string } | undefined
  /** Thinning writes lists anew: nobody else writes into them meanwhile. */
  #writing: Promise<unknown> = Promise.resolve()

  constructor(root: FileRoot, clock: Clock) {
    super(root.versions)
    this.#root = root
    this.#clock = clock
  }

  /**
   * Writes down what is about to be changed. A line about what then does not happen is harmless: until then that stood there,
   * and after it too.
   * @returns the moment they carry
   */
  record(lines: readonly Omit<VersionLine, 'atMs'>[], options?: AbortOptions): Promise<number> {
    return this.#alone(() => this.#record(lines, options))
  }

  async #record(lines: readonly Omit<VersionLine, 'atMs'>[], options?: AbortOptions): Promise<number> {
    this.#last ??= await this.#newest(options)
    const last = this.#last
    // Another run is another moment, also within one millisecond.
    const after = last.run === lines[0]?.run ? last.atMs : last.atMs + 1
    const atMs = Math.max(this.#clock.nowMs(), after)
    const text = lines.map(line => formatLine({ ...line, atMs })).join('')
    if (text === '') return atMs
    if (last.atMs < 0 && (await this.#root.versions.lists(options)).length === 0) {
      // The very first: what was here before, nobody wrote down.
      await this.#root.versions.append(
        SINCE_LIST,
        formatReach({ begunMs: atMs, sinceMs: atMs, thinnedMs: atMs }),
        options
      )
    }
    this.#last = { atMs, run: lines.at(-1)!.run }
    await this.#root.versions.append(dayOf(atMs), text, options)
    return atMs
  }

  /**
   * Takes in what lies aside in a staging place of this root. What is not what it was taken for (a program that had it open wrote to it
   * meanwhile) is kept as what it is, with a line of its own.
   * @param done - of what is not in it all is read
   * @returns how many contents came in
   */
  async keep(staging: Staging, done?: DoneBatch, options?: AbortOptions): Promise<number> {
    const taken = done && takenBy(done)
    const { kept, others } = await this.#root.versions.keep(staging, { ...options, taken })
    const lineOf = ({ path, instead }: OtherContent): NewLine | undefined => {
      const from = taken?.find(one => one.path === path)?.from
      return done?.lines.find(line => line.path === from && line.was?.kind === 'file' && line.was.hash === instead)
    }
    return kept + (await this.#keepOthers(staging, others, lineOf, options))
  }

  /**
   * The first thing after a crash, for each staging place of this root that is left: whatever old content lies in it comes
   * into the store. Anything else in it may be staged content, and stays.
   */
  async recover(staging: Staging, options?: AbortOptions): Promise<number> {
    const lost = new Map<ContentHash, NewLine>()
    let n = 0
    for await (const line of this.newestFirst(options)) {
      if (line.was?.kind === 'file' && !lost.has(line.was.hash)) lost.set(line.was.hash, line)
      if (++n >= RECOVER_LINES) break
    }
    const { kept, others } = await this.#root.versions.keep(staging, { ...options, lost: [...lost.keys()] })
    return kept + (await this.#keepOthers(staging, others, ({ instead }) => lost.get(instead), options))
  }

  async #keepOthers(
    staging: Staging,
    others: readonly OtherContent[],
    lineOf: (other: OtherContent) => NewLine | undefined,
    options?: AbortOptions
  ): Promise<number> {
    if (others.length === 0) return 0
    const lines = others.flatMap((other): NewLine[] => {
      const line = lineOf(other)
      if (line === undefined) return []
      const { hash, sizeBytes, mtimeNs, mode } = other
      // After the run that took it, as if it had stood there in between: a moment of its own, which can be gone back to.
      const run = runAfter(line.run)
      return [{ run, path: line.path, why: line.why, was: { kind: 'file', hash, sizeBytes, mtimeNs, mode } }]
    })
    await this.record(lines, options)
    return (await this.#root.versions.keep(staging, { ...options, others })).kept
  }

  /** Copies a kept content into a staging place. @throws {SpacedriveError} NO_VERSION */
  stage(staging: Staging, hash: ContentHash, path: RelPath, options?: AbortOptions): Promise<void> {
    return this.#root.versions.stage(staging, hash, path, options)
  }

  has(hashes: readonly ContentHash[], options?: AbortOptions): Promise<readonly boolean[]> {
    return this.#root.versions.has(hashes, options)
  }

  /** Lets go what the policy does not keep. Nothing else ever removes a version. */
  thin(init: ThinInit): Promise<ThinReport> {
    return this.#alone(() =>
      thinStore(
        {
          nowMs: this.#clock.nowMs(),
          versions: this.#root.versions,
          lists: () => this.dayLists(init),
          backwards: list => this.backwards(list, init),
          reach: () => this.reach(init),
          write: (name, text) => this.#writeAnew(name, text, init)
        },
        init
      )
    )
  }

  /** Reads every kept content and compares it with its hash. */
  async *verify(options: AbortOptions = {}): AsyncGenerator<StoreProblem> {
    const seen = new Set<ContentHash>()
    for await (const { path, was } of this.newestFirst(options)) {
      if (was?.kind !== 'file' || seen.has(was.hash)) continue
      seen.add(was.hash)
      const { state } = await this.#root.versions.verify(was.hash, options)
      if (state === 'different') yield { hash: was.hash, code: 'VERSION_DAMAGED', path }
      if (state === 'missing') yield { hash: was.hash, code: 'VERSION_MISSING', path }
    }
  }

  async usage(options?: AbortOptions): Promise<StoreUsage> {
    let bytes = 0
    let contents = 0
    for (const part of PARTS)
      for (const { sizeBytes } of await this.#root.versions.contents(part, options)) {
        bytes += sizeBytes
        contents++
      }
    const { totalBytes } = await this.#root.space()
    return { bytes, contents, share: totalBytes === 0 ? 0 : bytes / totalBytes }
  }

  #alone<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#writing.then(work)
    this.#writing = turn.catch(() => {})
    return turn
  }

  async #newest(options?: AbortOptions): Promise<{ readonly atMs: number; readonly run: string }> {
    for await (const { atMs, run } of this.newestFirst(options)) return { atMs, run }
    return { atMs: -1, run: '' }
  }

  /** A list with this text in its place, whole or as it was; without text it goes. */
  async #writeAnew(name: string, text: string, options: AbortOptions): Promise<void> {
    const { versions } = this.#root
    if (text === '') return versions.swap({ to: name }, options)
    await versions.swap({ to: `${name}${NEW}` }, options)
    await versions.append(`${name}${NEW}`, text, options)
    await versions.swap({ to: name, from: `${name}${NEW}` }, options)
  }
}

/** What was written to something that a run had taken from its name is no change of that run. The same whenever it is asked for. */
function runAfter(run: string): string {
  const digits = hashBytes(Buffer.from(`written after ${run}`))
  return [
    digits.slice(0, 8),
    digits.slice(8, 12),
    digits.slice(12, 16),
    digits.slice(16, 20),
    digits.slice(20, 32)
  ].join('-')
}

const dayOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10)
