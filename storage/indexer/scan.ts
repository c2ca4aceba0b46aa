import { type AbsPath, displayPath, isWithin, type Problem, type RelPath, SpacedriveError } from '../base/index.js'
import type { Library } from '../libraries/index.js'
import type { Written } from './apply.worker.js'
import { indexing } from './apply.worker.js'
import type { Gate } from './gate.js'
import type { IndexLocation } from './indexer.js'
import type { IndexerParts } from './parts.js'
import { type RootLook, resolving } from './resolve.worker.js'
import type { RuleScope } from './rules.js'
import { type Recurse, type WalkItem, walking } from './walk.worker.js'

/** Items of the stack given to one slice. */
const ITEMS_A_SLICE = 128
/** Batches waiting for the writer: the walk goes on beside it, but not ahead of it. */
const BATCHES_AHEAD = 2
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
    const { parts, library, location, maxDepth, signal, gate } = this.#init
    const items = await parts.pool.run(
      resolving.resolve,
      { databaseFile: library.database.file, root: this.#root, changes, maxDepth },
      { signal }
    )
    const stack: WalkItem[] = [...items]
    let ahead: Promise<unknown>[] = []
    const drain = async (): Promise<void> => {
      const all = ahead
      ahead = []
      await Promise.all(all)
    }
    try {
      while (stack.length > 0) {
        signal.throwIfAborted()
        if (gate.wanted) {
          await drain()
          await gate.letPass()
        }
        const out = await parts.pool.run(walking.slice, this.#slice(stack.splice(-ITEMS_A_SLICE)), { signal })
        for (const item of out.rest) stack.push(item)
        this.#nextRef = out.nextRef
        this.#init.onSeen(out.seen)
        // A directory that went between being named and being listed: its parent's word on it is asked again.
        this.#again.push(...out.lost)
        for (const { problem } of out.batch.heads) if (problem !== null) this.#init.onProblem(problem)
        if (out.batch.heads.length === 0) continue
        const { batch } = out
        if (ahead.length >= BATCHES_AHEAD) await ahead.shift()
        const write = this.#write(base => library.database.write(indexing.applyBatch, { ...base, batch })).then(
          ({ again }) => void this.#again.push(...again)
        )
        write.catch(() => {}) // told by `drain`
        ahead.push(write)
      }
      await drain()
    } catch (err) {
      await Promise.allSettled(ahead)
      throw err
    }
    if (this.#again.some(rel => rel === '')) throw offline(location.path, 'gone')
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

  #slice(items: readonly WalkItem[]): Parameters<typeof walking.slice>[0] {
    const { library, location, recurse, force, scopes, parts } = this.#init
    const { device, nameless, births } = this.#rootLook!
    return {
      databaseFile: library.database.file,
      root: location.path,
      rootDevice: device,
      ...{ nameless, births, items, recurse, force, scopes },
      firstRef: this.#nextRef,
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
