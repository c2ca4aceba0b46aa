import { join } from 'node:path'
import {
  type AbortOptions,
  type AbsPath,
  type Clock,
  type EventBus,
  errorCode,
  type JobId,
  type Logger,
  newUuid,
  type Problem,
  pathBytes,
  type Random,
  SpacedriveError,
  textFromBytes,
  toError,
  type WorkerPool
} from '../base/index.js'
import type { EntryKind, Files, PutResult, TrashBatchHeader, TrashItem } from '../files/index.js'
import type { Database } from '../sql/index.js'
import type { Volumes } from '../volumes/index.js'
import { Bins } from './bins.js'
import { Cleaner, type KeepFor } from './cleaner.js'
import { MAX_TRASH_PAGE } from './limits.js'
import { putBack } from './put-back.js'
import { type RemoverComponents, removeItems } from './remover.js'
import { type RestorerComponents, restoreItems } from './restorer.js'
import { placeKey, rowFilter, TrashRows } from './rows.js'
import { settleBins } from './settle.js'
import type {
  Emptied,
  RemoveOptions,
  Restored,
  ThrownAway,
  ThrowOptions,
  Trash,
  TrashEntry,
  TrashFilter,
  TrashPage
} from './trash.js'
import { type RowFilter, type TrashRow, trashWrites } from './trash.worker.js'

export interface TrashComponents {
  readonly db: Database
  readonly files: Files
  readonly volumes: Pick<Volumes, 'placementOf' | 'pathOf' | 'list' | 'volumeOf'>
  readonly pool: WorkerPool
  readonly clock: Clock
  readonly random: Random
  readonly events: EventBus
  readonly log: Logger
  readonly dataDir: AbsPath
  /** See `ownerTag`. */
  readonly owner: string
  readonly keepFor: () => KeepFor
}

export class TrashService implements Trash {
  readonly #components: TrashComponents
  readonly #bins: Bins
  readonly #rows: TrashRows
  readonly #parts: RestorerComponents & RemoverComponents
  readonly #cleaner: Cleaner
  #settled: Promise<void> | undefined
  #stopping = new AbortController()
  #off: () => void = () => {}

  constructor(components: TrashComponents) {
    this.#components = components
    this.#bins = new Bins(components.volumes, join(components.dataDir, 'trash') as AbsPath)
    this.#rows = new TrashRows(components)
    this.#parts = { files: components.files, bins: this.#bins, rows: this.#rows }
    this.#cleaner = new Cleaner({
      ...components,
      bins: this.#bins,
      remove: (filter, options) => this.#remove(filter, options)
    })
  }

  async start(): Promise<void> {
    this.#stopping = new AbortController()
    this.#settled = this.#settle()
    this.#off = this.#components.events.on('volume:added', () => {
      this.#settled = this.#settle()
    })
    this.#cleaner.start(() => this.#settled!)
  }

  async stop(): Promise<void> {
    this.#off()
    this.#stopping.abort(new SpacedriveError('STOPPED', 'the trash is closed'))
    await this.#cleaner.stop()
    await this.#settled
  }

  async binsFor(dirs: readonly AbsPath[], options?: AbortOptions): Promise<readonly (AbsPath | Problem)[]> {
    return this.#components.files.trash.findBins(dirs, this.#components.dataDir, options)
  }

  async put(items: readonly TrashItem[], { command, job, signal }: ThrowOptions): Promise<readonly ThrownAway[]> {
    await this.#settled
    const bins = await this.#binsOf(items, { signal })
    const results = new Array<ThrownAway>(items.length)
    const groups = new Map<AbsPath, number[]>()
    for (const [i, bin] of bins.entries()) {
      if (typeof bin !== 'string') results[i] = { done: false, problem: bin }
      else groups.set(bin, [...(groups.get(bin) ?? []), i])
    }
    for (const [bin, indexes] of groups) {
      const thrown = await this.#putInto(
        bin,
        indexes.map(i => items[i]!),
        { command, job, signal }
      )
      for (const [k, i] of indexes.entries()) results[i] = thrown[k]!
    }
    const done = results.filter(r => r.done)
    if (done.length > 0) {
      const bytes = done.reduce((sum, r) => sum + r.bytes, 0)
      this.#components.events.emit('trash:added', { items: done.length, bytes, command, ...(job && { job }) })
    }
    return results
  }

  async list(
    filter: TrashFilter = {},
    { limit = 100, offset = 0, signal }: { limit?: number; offset?: number } & AbortOptions = {}
  ): Promise<TrashPage> {
    await this.#settled
    const { rows, totals, lastId } = await this.#rows.read(rowFilter(filter), {
      limit: Math.min(limit, MAX_TRASH_PAGE),
      offset,
      signal
    })
    const paths = new Map<string, AbsPath | undefined>()
    for (const row of rows) {
      const key = placeKey(row)
      if (!paths.has(key)) paths.set(key, await this.#bins.pathOf(row))
    }
    return { entries: rows.map(row => this.#entryOf(row, paths.get(placeKey(row)))), totals, lastId }
  }

  async restore(ids: readonly number[], options: { to?: AbsPath } & AbortOptions = {}): Promise<readonly Restored[]> {
    await this.#settled
    const results = await restoreItems(this.#parts, ids, options)
    const back = results.filter(r => r.done).length
    if (back > 0) this.#components.events.emit('trash:restored', { items: back })
    return results
  }

  async remove(filter: TrashFilter, options: RemoveOptions = {}): Promise<Emptied> {
    await this.#settled
    return this.#remove(rowFilter(filter), options)
  }

  async sweep(options: AbortOptions = {}): Promise<Emptied> {
    await this.#settled
    return this.#cleaner.sweep(options)
  }

  async #settle(): Promise<void> {
    try {
      await settleBins({ ...this.#components, bins: this.#bins, busy: this.#rows.busy }, this.#stopping.signal)
    } catch (err) {
      if (!this.#stopping.signal.aborted) this.#components.log.warn('the trash could not be looked through', { err })
    }
  }

  /** One question for each folder that things are taken from. */
  async #binsOf(items: readonly TrashItem[], options: AbortOptions): Promise<(AbsPath | Problem)[]> {
    const parents = items.map(({ at }) => (at.slice(0, at.lastIndexOf('/')) || '/') as AbsPath)
    const dirs = [...new Set(parents)]
    const found = await this.binsFor(dirs, options)
    const byDir = new Map(dirs.map((dir, i) => [dir, found[i]!]))
    return parents.map(dir => byDir.get(dir)!)
  }

  async #remove(filter: RowFilter, options: RemoveOptions = {}): Promise<Emptied> {
    const emptied = await removeItems(this.#parts, filter, options)
    const { items, bytes } = emptied
    if (items > 0) this.#components.events.emit('trash:removed', { items, bytes })
    return emptied
  }

  async #putInto(
    bin: AbsPath,
    items: readonly TrashItem[],
    { command, job, signal }: ThrowOptions
  ): Promise<ThrownAway[]> {
    const { files, clock, random } = this.#components
    const header = { id: newUuid(clock.nowMs(), random), atMs: clock.nowMs(), command, job: job ?? null }
    this.#rows.busy.add(header.id)
    try {
      // Not to be cut off once it has begun: what moved gets its rows.
      signal?.throwIfAborted()
      const results = await files.trash.put(bin, header, items)
      try {
        return await this.#record(bin, header, items, results)
      } catch (cause) {
        return await putBack(files.trash, { bin, batch: header.id, cause }, items, results)
      }
    } catch (err) {
      signal?.throwIfAborted()
      const { code, message } = { code: errorCode(err), message: toError(err).message }
      return items.map(({ at }) => ({ done: false, problem: { path: at, code, message } }))
    } finally {
      this.#rows.busy.delete(header.id)
    }
  }

  async #record(
    bin: AbsPath,
    header: TrashBatchHeader,
    items: readonly TrashItem[],
    results: readonly PutResult[]
  ): Promise<ThrownAway[]> {
    const kept = results.flatMap((r, i) => {
      const there = r.done ? r : r.kept
      return there === undefined ? [] : [{ i, ...there }]
    })
    const ids =
      kept.length === 0
        ? []
        : await this.#components.db.write(trashWrites.record, {
            id: header.id,
            ...(await this.#bins.placeOf(bin)),
            deletedAt: header.atMs,
            command: header.command,
            job: header.job,
            items: kept.map(({ i, n, stat, files, bytes }) => ({
              n,
              path: pathBytes(items[i]!.origin ?? items[i]!.at),
              kind: stat.kind,
              size: bytes,
              files
            }))
          })
    const idOf = new Map(kept.map(({ i }, k) => [i, ids[k]!]))
    return results.map((r, i): ThrownAway => {
      const id = idOf.get(i)
      if (r.done) return { done: true, id: id!, files: r.files, bytes: r.bytes }
      return id === undefined ? { done: false, problem: r.problem } : { done: false, problem: r.problem, id }
    })
  }

  #entryOf(row: TrashRow, bin: AbsPath | undefined): TrashEntry {
    const path = textFromBytes(row.path) as AbsPath
    return {
      id: row.id,
      path,
      kind: row.kind as EntryKind,
      files: row.files,
      bytes: row.size,
      deletedAtMs: row.deleted_at,
      command: row.command,
      job: row.job as JobId | null,
      bin: bin ?? null,
      lies: bin === undefined ? null : (`${bin}/${row.batch}/${row.n}` as AbsPath),
      back: bin === undefined ? path : this.#bins.moved(path, row, bin)
    }
  }
}
