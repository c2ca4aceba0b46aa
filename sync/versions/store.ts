import { type AbortOptions, type Clock, type ContentHash, isWithin, type RelPath } from '../../storage/base/index.js'
import type { FileRoot, Staging } from '../../storage/files/index.js'
import { type EntryThen, type ListNow, TreeThen } from './as-of.js'
import { formatLine, parseLine, type VersionLine } from './line.js'
import { Thinner, type VersionPolicy } from './policy.js'

/** Read at once of a list. */
const PIECE_BYTES = 1024 * 1024
/** Where a list is written anew before it takes its place. */
const NEW = '.new'
/** The lines that a batch which a crash cut short may have written, several times over: a batch has 1,000 steps. */
const RECOVER_LINES = 10_000
const DAY_LIST = /^\d{4}-\d{2}-\d{2}$/
/** A store larger than this share of its volume is said in `status` (SYNC.md 8); it is never thinned for that. */
export const LARGE_SHARE = 0.1

/** A run that changed something at this end: a moment that can be gone back to (the one just before it). */
export interface Snapshot {
  readonly run: string
  readonly firstMs: number
  readonly lastMs: number
  readonly changes: number
}

/** One earlier state of a path. */
export interface PathVersion extends VersionLine {
  /** The name it had when this line was written: it may have been moved since. */
  readonly path: RelPath
}

export interface ThinInit extends AbortOptions {
  readonly policy: VersionPolicy
  /** Whether a content is the last copy of something that is still wanted (still at the source and not at this end, say). */
  mustStay(hash: ContentHash): boolean | Promise<boolean>
}

export interface ThinReport {
  readonly linesDropped: number
  readonly contentsRemoved: number
  readonly bytesFreed: number
}

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
export class VersionStore {
  readonly #root: FileRoot
  readonly #clock: Clock
  #lastMs: number | undefined
  /** Thinning writes lists anew: nobody else writes into them meanwhile. */
  #writing: Promise<unknown> = Promise.resolve()

  constructor(root: FileRoot, clock: Clock) {
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
    this.#lastMs ??= await this.#newestMs(options)
    const atMs = Math.max(this.#clock.nowMs(), this.#lastMs)
    this.#lastMs = atMs
    const text = lines.map(line => formatLine({ ...line, atMs })).join('')
    if (text !== '') await this.#root.versions.append(dayOf(atMs), text, options)
    return atMs
  }

  /** Takes in what lies aside in a staging place of this root. */
  keep(staging: Staging, options?: AbortOptions): Promise<number> {
    return this.#root.versions.keep(staging, options)
  }

  /**
   * The first thing after a crash, for each staging place of this root that is left: whatever old content lies in it comes
   * into the store. Anything else in it may be staged content, and stays.
   */
  async recover(staging: Staging, options?: AbortOptions): Promise<number> {
    const lost = new Set<ContentHash>()
    let n = 0
    for await (const { was } of this.newestFirst(options)) {
      if (was?.kind === 'file') lost.add(was.hash)
      if (++n >= RECOVER_LINES) break
    }
    return this.#root.versions.keep(staging, { ...options, lost: [...lost] })
  }

  /** Every line, newest first. One that cannot be read is passed over: a crash cut it off, and nothing was done then. */
  async *newestFirst(options: AbortOptions = {}): AsyncGenerator<VersionLine> {
    for (const list of (await this.#lists(options)).reverse())
      for await (const text of this.#backwards(list, options)) {
        const line = parseLine(text)
        if (line !== undefined) yield line
      }
  }

  /** What there was of `path` and of everything below it, newest first, under whatever names. */
  async *versionsOf(path: RelPath, options?: AbortOptions): AsyncGenerator<PathVersion> {
    let paths: readonly RelPath[] = [path]
    for await (const line of this.newestFirst(options)) {
      if (line.to !== undefined) {
        const { to } = line
        // What bears the name now bore another; a folder above it may have been moved as a whole.
        const renamed = paths.map(p => (isWithin(p, to) ? ((line.path + p.slice(to.length)) as RelPath) : p))
        if (renamed.some((p, i) => p !== paths[i])) yield line
        paths = renamed
      } else if (line.was !== null && paths.some(p => isWithin(line.path, p))) yield line
    }
  }

  /** The runs that changed something here, newest first. */
  async *snapshots(options?: AbortOptions): AsyncGenerator<Snapshot> {
    let current: Snapshot | undefined
    for await (const { run, atMs } of this.newestFirst(options)) {
      if (current?.run === run) current = { ...current, firstMs: atMs, changes: current.changes + 1 }
      else {
        if (current !== undefined) yield current
        current = { run, firstMs: atMs, lastMs: atMs, changes: 1 }
      }
    }
    if (current !== undefined) yield current
  }

  /**
   * What `path` and everything below it was at a moment: after whatever happened at `atMs`, before what came later.
   * @param list - today's tree
   */
  async *asOf(path: RelPath, atMs: number, list: ListNow, options?: AbortOptions): AsyncGenerator<EntryThen> {
    const then = new TreeThen()
    for await (const line of this.newestFirst(options)) {
      if (line.atMs <= atMs) break
      then.undo(line)
    }
    yield* then.entries(path, list)
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
    return this.#alone(() => this.#thin(init))
  }

  async #thin({ policy, mustStay, signal }: ThinInit): Promise<ThinReport> {
    const thinner = new Thinner(policy, this.#clock.nowMs())
    const wanted = new Set<ContentHash>()
    let oldestKeptMs = Number.POSITIVE_INFINITY
    const dropped = new Map<string, Set<number>>() // by list: how many lines from its end
    const lists = await this.#lists({ signal })
    for (const list of [...lists].reverse()) {
      let n = 0
      for await (const text of this.#backwards(list, { signal })) {
        const line = parseLine(text)
        const index = n++
        if (line?.was?.kind !== 'file') continue
        const { hash } = line.was
        if (thinner.keeps(line.path, line.atMs) || (await mustStay(hash))) {
          wanted.add(hash)
          oldestKeptMs = line.atMs
        } else entryOf(dropped, list.name).add(index)
      }
    }
    let linesDropped = 0
    for (const list of lists)
      linesDropped += await this.#rewrite(list, dropped.get(list.name) ?? new Set(), oldestKeptMs, policy, signal)
    return { linesDropped, ...(await this.#removeUnnamed(wanted, signal)) }
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

  /** Oldest first. */
  async #lists(options: AbortOptions = {}): Promise<{ name: string; sizeBytes: number }[]> {
    const lists = (await this.#root.versions.lists(options)).filter(({ name }) => DAY_LIST.test(name))
    return lists.sort((a, b) => (a.name < b.name ? -1 : 1))
  }

  async #newestMs(options?: AbortOptions): Promise<number> {
    for await (const { atMs } of this.newestFirst(options)) return atMs
    return 0
  }

  /** The lines of a list from its end, without line feeds. */
  async *#backwards(
    { name, sizeBytes }: { name: string; sizeBytes: number },
    { signal }: AbortOptions
  ): AsyncGenerator<string> {
    let rest = Buffer.alloc(0)
    for (let end = sizeBytes; end > 0; ) {
      const position = Math.max(0, end - PIECE_BYTES)
      const piece = await this.#root.versions.read(name, { position, maxBytes: end - position, signal })
      end = position
      const bytes = Buffer.concat([piece, rest])
      const first = position === 0 ? 0 : bytes.indexOf(0x0a) + 1
      rest = first > 0 ? bytes.subarray(0, first) : position === 0 ? Buffer.alloc(0) : bytes
      if (first === 0 && position > 0) continue // not one whole line in it
      const lines = bytes.subarray(first).toString('utf8').split('\n').reverse()
      for (const line of lines) if (line !== '') yield line
    }
  }

  /** @returns how many lines went */
  async #rewrite(
    list: { name: string; sizeBytes: number },
    drop: ReadonlySet<number>,
    oldestKeptMs: number,
    policy: VersionPolicy,
    signal: AbortSignal | undefined
  ): Promise<number> {
    const stays: string[] = []
    let went = 0
    let n = 0
    for await (const text of this.#backwards(list, { signal })) {
      const index = n++
      const line = parseLine(text)
      // Names alone lead nowhere once the contents before them are gone.
      const idle = line !== undefined && line.was?.kind !== 'file' && line.atMs < oldestKeptMs
      if (drop.has(index) || (idle && !isYoung(line.atMs, policy, this.#clock.nowMs()))) went++
      else stays.push(text)
    }
    if (went === 0) return 0
    const { versions } = this.#root
    if (stays.length > 0) {
      await versions.swap({ to: `${list.name}${NEW}` }, { signal })
      await versions.append(`${list.name}${NEW}`, `${stays.reverse().join('\n')}\n`, { signal })
      await versions.swap({ to: list.name, from: `${list.name}${NEW}` }, { signal })
    } else await versions.swap({ to: list.name }, { signal })
    return went
  }

  /** Contents that no line names any more. Lines are there before contents, so one on its way in is never met here. */
  async #removeUnnamed(
    wanted: ReadonlySet<ContentHash>,
    signal: AbortSignal | undefined
  ): Promise<Pick<ThinReport, 'contentsRemoved' | 'bytesFreed'>> {
    let contentsRemoved = 0
    let bytesFreed = 0
    for (const part of PARTS) {
      const gone = (await this.#root.versions.contents(part, { signal })).filter(({ hash }) => !wanted.has(hash))
      if (gone.length === 0) continue
      contentsRemoved += await this.#root.versions.remove(
        gone.map(({ hash }) => hash),
        { signal }
      )
      for (const { sizeBytes } of gone) bytesFreed += sizeBytes
    }
    return { contentsRemoved, bytesFreed }
  }
}

const PARTS: readonly string[] = Array.from({ length: 256 }, (_, i) => i.toString(16).padStart(2, '0'))

const dayOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10)

function isYoung(atMs: number, policy: VersionPolicy, nowMs: number): boolean {
  return new Thinner(policy.kind === 'trashcan' ? policy : { kind: 'trashcan', days: 1 }, nowMs).keeps('', atMs)
}

function entryOf(map: Map<string, Set<number>>, key: string): Set<number> {
  const found = map.get(key) ?? new Set<number>()
  map.set(key, found)
  return found
}
