import {
  type AbortOptions,
  type AbsPath,
  type Clock,
  hasCode,
  linkSignals,
  newUuid,
  type Random,
  SpacedriveError,
  type WorkerPool
} from '../../storage/base/index.js'
import type { PlaceResult, PlaceStep } from '../../storage/files/index.js'
import type { Database } from '../../storage/sql/index.js'
import {
  type Endpoint,
  type FollowedEntry,
  type FollowedMove,
  type FollowedPage,
  type FollowOptions,
  fromColumns
} from '../endpoints/index.js'
import { type MovesToTell, type PlacedName, Scan, Snapshots, Turns, telling } from '../session/index.js'

export interface ServedScansInit {
  readonly dataDir: AbsPath
  readonly clock: Clock
  readonly random: Random
  readonly pool: WorkerPool
}

/** Looked at between two signs of progress. */
const TOLD_EVERY = 16_384

/**
 * What a served folder looked like when its driver asked last, in a database for each sync (`telling`, sync/session): the driver is told
 * what is otherwise by now. It may be lost at any time; then everything is told (docs/decisions/160).
 */
export class ServedScans {
  readonly #init: ServedScansInit
  readonly #snapshots: Snapshots
  /** One question at a time of a sync; who places waits for its end. */
  readonly #turns = new Turns()

  constructor(init: ServedScansInit) {
    this.#init = init
    this.#snapshots = new Snapshots(init.dataDir, init.clock, 'served')
  }

  /** @throws what looking at the folder throws; `signal.reason` */
  async *follow(sync: string, endpoint: Endpoint, options: FollowOptions): AsyncGenerator<FollowedPage, void, void> {
    const endTurn = await this.#turns.take([sync], options)
    try {
      let begun = false
      try {
        for await (const page of this.#held(sync, endpoint, options)) {
          begun ||= page.kind !== 'looked'
          yield page
        }
      } catch (err) {
        if (!hasCode(err, 'DATABASE_CORRUPT')) throw err
        await this.#snapshots.remove(sync) // it is made anew, and everything told
        if (begun) throw err
        yield* this.#held(sync, endpoint, options)
      }
    } finally {
      endTurn()
    }
  }

  /** Before names are given and taken: whatever comes of it, they are told the next time. */
  async placing(sync: string, steps: readonly PlaceStep[]): Promise<void> {
    const names = steps.flatMap((step): PlacedName[] => {
      if (step.kind !== 'move') return [{ path: step.path, deep: false }]
      return [step.path, step.to].map(path => ({ path, deep: true }))
    })
    const endTurn = await this.#turns.take([sync])
    try {
      await this.#snapshots.use(sync, db => db.write(telling.placing, names))
    } finally {
      endTurn()
    }
  }

  /** After that: directories that were renamed bear their names here at once, so that what they hold is neither told nor noted. */
  async placed(sync: string, steps: readonly PlaceStep[], results: readonly PlaceResult[]): Promise<void> {
    const moves = steps.flatMap((step, i): FollowedMove[] => {
      const result = results[i]
      if (step.kind !== 'move' || result?.done !== true || result.stat?.kind !== 'directory') return []
      const { inode, birthNs } = result.stat
      return [{ path: step.path, to: step.to, inode, birthNs }]
    })
    if (moves.length === 0) return
    const endTurn = await this.#turns.take([sync])
    try {
      await this.#snapshots.use(sync, db => db.write(telling.placed, moves))
    } catch {
      // They were given: the next scan finds what has which name.
    } finally {
      endTurn()
    }
  }

  /** The sync is no more. */
  async remove(sync: string): Promise<void> {
    const endTurn = await this.#turns.take([sync])
    try {
      await this.#snapshots.remove(sync)
    } finally {
      endTurn()
    }
  }

  async close(): Promise<void> {
    await this.#snapshots.close()
  }

  /** With the database open, and nothing at work any more when it ends. */
  async *#held(sync: string, endpoint: Endpoint, options: FollowOptions): AsyncGenerator<FollowedPage, void, void> {
    const over = new AbortController()
    const linked = linkSignals(options.signal, over.signal)
    const { opened, closed, release } = this.#hold(sync)
    const work: Promise<unknown>[] = []
    try {
      yield* this.#follow(await opened, endpoint, { ...options, signal: linked.signal }, work)
    } finally {
      over.abort(new SpacedriveError('CANCELLED', 'nobody asks any more'))
      await Promise.allSettled(work)
      linked.clear()
      release()
      await closed
    }
  }

  async *#follow(
    db: Database,
    endpoint: Endpoint,
    asked: FollowOptions,
    work: Promise<unknown>[]
  ): AsyncGenerator<FollowedPage, void, void> {
    const { since, placed = 0, hints, signal } = asked
    const isNew = await db.write(telling.open, { since, placed, all: hints === undefined })
    const scan = new Scan({
      ...{ at: 'source', endpoint, snapshot: db, pool: this.#init.pool, hints, statsOnly: true, signal },
      onProgress: ({ entries }) => progress.to(entries)
    })
    const looking = scan.look().catch(async err => {
      await db.write(telling.unsure, undefined)
      throw err
    })
    work.push(looking)
    const progress = new Progress(looking)
    yield* progress.pages()
    await db.write(telling.looked, undefined)
    const moves = isNew ? undefined : await db.maintain(telling.moves, undefined)
    if (moves === undefined) yield* everything(db, isNew, asked)
    else yield* changes(db, moves, asked)
    const mark = newUuid(this.#init.clock.nowMs(), this.#init.random)
    // First here: what was told under it is known, whether or not the driver hears of it.
    await db.write(telling.close, { mark })
    yield { kind: 'end', mark, later: scan.scanned.later }
  }

  /** Kept open until it is released. */
  #hold(sync: string): { opened: Promise<Database>; closed: Promise<void>; release(): void } {
    let release = (): void => {}
    const released = new Promise<void>(resolve => {
      release = resolve
    })
    let done: Promise<void> = Promise.resolve()
    const opened = new Promise<Database>((resolve, reject) => {
      done = this.#snapshots.use(sync, async db => {
        resolve(db)
        await released
      })
      done.catch(reject)
    })
    return { opened, closed: done.catch(() => {}), release }
  }
}

async function* everything(
  db: Database,
  isNew: boolean,
  { signal }: AbortOptions
): AsyncGenerator<FollowedPage, void, void> {
  if (!isNew) await db.write(telling.whole, undefined)
  yield { kind: 'whole' }
  for (let after: Uint8Array | undefined, more = true; more; more = after !== undefined) {
    signal?.throwIfAborted()
    const page = await db.maintain(telling.all, { after })
    if (page.columns.count > 0) yield { kind: 'entries', entries: fromColumns(page.columns) }
    after = page.next
  }
}

async function* changes(
  db: Database,
  { placed, found }: MovesToTell,
  { signal }: AbortOptions
): AsyncGenerator<FollowedPage, void, void> {
  yield { kind: 'since', moves: [...placed, ...found] }
  for (let after: Uint8Array | undefined, more = true; more; more = after !== undefined) {
    signal?.throwIfAborted()
    const { columns, from, next } = await db.maintain(telling.changed, { moves: found, after })
    const entries: FollowedEntry[] = columns.count === 0 ? [] : fromColumns(columns)
    for (const { index, path } of from) entries[index] = { ...entries[index]!, from: path }
    if (entries.length > 0) yield { kind: 'entries', entries }
    after = next
  }
  for (let after: Uint8Array | undefined, more = true; more; more = after !== undefined) {
    signal?.throwIfAborted()
    const { paths, next } = await db.maintain(telling.gone, { moves: found, after })
    if (paths.length > 0) yield { kind: 'gone', paths }
    after = next
  }
}

/** A work that goes on, as pages of how far it came. */
class Progress {
  readonly #work: Promise<void>
  #entries = 0
  #told = 0
  #over = false
  #wake = (): void => {}

  constructor(work: Promise<void>) {
    this.#work = work.finally(() => {
      this.#over = true
      this.#wake()
    })
    this.#work.catch(() => {}) // thrown by `pages`
  }

  to(entries: number): void {
    this.#entries = entries
    if (entries - this.#told >= TOLD_EVERY) this.#wake()
  }

  async *pages(): AsyncGenerator<FollowedPage, void, void> {
    while (!this.#over) {
      await new Promise<void>(resolve => {
        this.#wake = resolve
      })
      if (this.#entries > this.#told) yield this.#next()
    }
    await this.#work
  }

  #next(): FollowedPage {
    const entries = this.#entries - this.#told
    this.#told = this.#entries
    return { kind: 'looked', entries }
  }
}
