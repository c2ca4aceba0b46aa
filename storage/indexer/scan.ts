import { type AbsPath, displayPath, isWithin, type Problem, type RelPath, SpacedriveError } from '../base/index.js'
import type { Library } from '../libraries/index.js'
import type { Written } from './apply.worker.js'
import { indexing } from './apply.worker.js'
import { buffersOf } from './batch.js'
import type { Gate } from './gate.js'
import type { IndexLocation } from './indexer.js'
import type { IndexerParts } from './parts.js'
import { type RootLook, resolving } from './resolve.worker.js'
import type { RuleScope } from './rules.js'
import { type Recurse, type WalkItem, walking } from './walk.worker.js'
import { WalkStack } from './walk-stack.js'

/** Batches waiting for the writer: the walk goes on beside it, but not ahead of it. */
const BATCHES_AHEAD = 3
/** Numbers for directories without an id set aside for a slice: more than it can meet, and 2^53 lasts. */
const REFS_A_SLICE = 2 ** 24
/** Rows removed by one write: some 30 ms of the writer thread. */
const SETTLE_ROWS = 2_000
/** How often what changed under the walk is looked at again before it is left to the watcher. */
const MAX_AGAIN = 3

export interface ScanInit {
  library: Library
  location: IndexLocation
  scopes: readonly RuleScope[]
  recurse: Recurse
  force: boolean
  maxDepth: number
  gate: Gate
  parts: IndexerParts
  signal: AbortSignal
  onWritten(written: Written): void
  onSeen(seen: { entries: number; directories: number; same: number; bytes: number }): void
  onProblem(problem: Problem): void
}

/** One pass over a tree or over some paths of it: looks through the pool, records through the writer thread. */
export class Scan {
  readonly #init: ScanInit
  readonly #run: number
  #root = 0
  #rootLook: RootLook | undefined
  #nextRef = -1
  #open = false
  #again: RelPath[] = []

  constructor(init: ScanInit) {
    this.#init = init
    this.#run = init.parts.nextRun()
  }

  /** @throws LOCATION_OFFLINE when the folder is not there or is not the one that was indexed */
  async begin(): Promise<number> {
    const { library, location, force, parts } = this.#init
    const { path } = location
    const databaseFile = library.database.file
    const look = await parts.pool.run(resolving.lookAtRoot, { path, databaseFile }, { signal: this.#init.signal })
    this.#rootLook = look
    if (look.state !== 'there') throw offline(path, look.state)
    const recorded = library.database.get<{ inode: bigint; birth_ns: bigint; n: bigint }>(
      `SELECT e.inode, e.birth_ns, d.files + d.dirs AS n FROM locations l JOIN entries e ON e.id = l.entry
       JOIN directories d ON d.id = e.id WHERE l.id = ?`,
      [location.number],
      { bigint: true }
    )
    const other = recorded !== undefined && (recorded.inode !== look.inode || recorded.birth_ns !== look.birthNs)
    if (other && look.empty && recorded.n > 0n && !look.nameless) throw offline(path, 'another')
    const begun = await this.#write(async base =>
      library.database.write(indexing.beginRun, { ...base, location: location.number, path, force })
    )
    this.#open = true
    this.#root = begun.root
    return begun.root
  }

  /** Walks from a directory (relative to the location), or looks at the given paths. */
  async walk(changes: readonly { path: RelPath; subtree?: boolean }[]): Promise<void> {
    const { parts, library, location, maxDepth, signal, gate, recurse } = this.#init
    const { pool } = parts
    const items = await pool.run(
      resolving.resolve,
      { databaseFile: library.database.file, root: this.#root, changes, maxDepth },
      { signal }
    )
    const stack = new WalkStack(items)
    // Several at once only where none meets what another one looks at: whoever looks later must also record later.
    const width = recurse === 'all' && items.length === 1 ? pool.bulkWidth : 1
    const slices = new Set<Promise<void>>()
    const writes = new Set<Promise<void>>()
    try {
      for (;;) {
        signal.throwIfAborted()
        if (gate.wanted) {
          while (slices.size > 0) await Promise.race(slices)
          await Promise.all(writes)
          await gate.letPass()
        }
        while (slices.size < width) {
          const taken = stack.take(width - slices.size)
          if (taken === undefined) break
          track(slices, this.#slice(taken, stack, writes))
        }
        if (slices.size === 0) break
        await Promise.race(slices)
        while (writes.size > BATCHES_AHEAD) await Promise.race(writes)
      }
      await Promise.all(writes)
    } catch (err) {
      await Promise.allSettled(slices)
      await Promise.allSettled(writes)
      throw err
    }
    if (this.#again.some(rel => rel === '')) throw offline(location.path, 'gone')
  }

  /** Looks at some items; what they lead to goes onto the stack only once the write of what leads there was begun. */
  async #slice(items: readonly WalkItem[], stack: WalkStack, writes: Set<Promise<void>>): Promise<void> {
    const { parts, library, signal } = this.#init
    const { batch, rest, seen, lost } = await parts.pool.run(walking.slice, this.#sliceInput(items), {
      signal
    })
    this.#init.onSeen(seen)
    // A directory that went between being named and being listed: its parent's word on it is asked again.
    this.#again.push(...lost)
    for (const { problem } of batch.heads) if (problem !== null) this.#init.onProblem(problem)
    if (batch.heads.length > 0) {
      const write = this.#write(base =>
        library.database.write(indexing.applyBatch, { ...base, batch }, { transfer: buffersOf(batch) })
      )
      track(
        writes,
        write.then(({ again }) => void this.#again.push(...again))
      )
    }
    stack.give(items, rest)
  }

  /** What was missing and is nowhere else is gone; what changed under the walk is looked at again. */
  async settle(): Promise<void> {
    const { library, location, signal, gate } = this.#init
    const { device, inode } = this.#rootLook!
    const { path } = location
    for (let round = 0; round <= MAX_AGAIN; round++) {
      for (;;) {
        signal.throwIfAborted()
        const settled = await this.#write(base =>
          library.database.write(indexing.settleRun, { ...base, limit: SETTLE_ROWS, root: { path, device, inode } })
        )
        for (const missed of settled.again) this.#lookAgain(missed as AbsPath)
        if (!settled.more) break
        await gate.letPass()
      }
      if (this.#again.length === 0) return
      const paths = [...new Set(this.#again.splice(0))]
      if (round < MAX_AGAIN) await this.walk(paths.map(rel => ({ path: rel })))
    }
  }

  async end(): Promise<void> {
    if (!this.#open) return
    this.#open = false
    await this.#init.library.database.write(indexing.endRun, { run: this.#run })
  }

  #sliceInput(items: readonly WalkItem[]): Parameters<typeof walking.slice>[0] {
    const { library, location, recurse, force, scopes, parts } = this.#init
    const { device, nameless, births } = this.#rootLook!
    const firstRef = this.#nextRef
    this.#nextRef -= REFS_A_SLICE
    return {
      databaseFile: library.database.file,
      root: location.path,
      rootDevice: device,
      ...{ nameless, births, items, recurse, force, scopes, firstRef },
      ours: parts.ours()
    }
  }

  /** Paths that another look is due at; those of other locations are theirs. */
  #lookAgain(path: AbsPath): void {
    const root = this.#init.location.path
    if (path !== root && isWithin(path, root)) this.#again.push(path.slice(prefixLength(root)) as RelPath)
  }

  async #write<T extends Written>(
    write: (base: { run: number; host: number; nowMs: number; seqLimit: number; links: boolean }) => Promise<T>
  ): Promise<T> {
    const { library, parts, recurse } = this.#init
    const seqLimit = await library.reserveSeq()
    const links = recurse === 'new'
    const written = await write({ run: this.#run, host: library.host, nowMs: parts.clock.nowMs(), seqLimit, links })
    for (const path of written.links) this.#lookAgain(path as AbsPath)
    this.#init.onWritten(written)
    return written
  }
}

/** Keeps a promise in a set until it is settled. Its failure is told to whoever waits for the set. */
function track(set: Set<Promise<void>>, promise: Promise<void>): void {
  set.add(promise)
  promise.then(
    () => set.delete(promise),
    () => {}
  )
}

const prefixLength = (path: AbsPath): number => (path === '/' ? 1 : path.length + 1)

function offline(path: AbsPath, why: string): SpacedriveError {
  const shown = displayPath(path)
  const words =
    why === 'another'
      ? `${shown} is empty and not the folder that was indexed`
      : why === 'not-a-directory'
        ? `${shown} is no folder any more`
        : why === 'denied'
          ? `${shown} may not be looked at`
          : `the folder ${shown} is not there`
  return new SpacedriveError('LOCATION_OFFLINE', `could not index: ${words}`, {
    hint:
      why === 'denied'
        ? 'Give the user of the daemon the right to read it.'
        : 'Connect or mount its disk; what is known of it stays. If it was moved, add it at its new place.',
    details: { path: shown }
  })
}
