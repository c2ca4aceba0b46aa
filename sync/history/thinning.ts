/** Old versions go by the policies of their syncs, every hour, at the end that holds them (SYNC.md 8). */

import type { AbsPath, ContentHash } from '../../storage/base/index.js'
import {
  type AbortOptions,
  displayPath,
  hasCode,
  type Logger,
  SpacedriveError,
  type Startable
} from '../../storage/base/index.js'
import type { Endpoint } from '../endpoints/index.js'
import { ENDS, type End, otherEnd } from '../reconcile/index.js'
import {
  changing,
  type Loan,
  lockRoot,
  MAX_CHANGES,
  type Sync,
  scanEnd,
  versionPolicyOf,
  WAITING_CODES
} from '../session/index.js'
import { LARGE_SHARE, type ThinReport, type VersionPolicy, VersionStore } from '../versions/index.js'
import type { HistoryInit } from './history.js'
import { openStoreAt } from './store-at.js'
import { thinServed } from './thin-served.js'
import { lastCopies } from './thinning.worker.js'

/** Between two looks. */
export const THIN_EVERY_MS = 3_600_000
/** After a start other things come first. */
const FIRST_MS = 5 * 60_000
/** What versions take is added up once a day. */
const USAGE_EVERY_MS = 24 * 3_600_000

/** A store that takes more of its volume than is seemly. */
export interface LargeStore {
  readonly end: End
  readonly bytes: number
  readonly share: number
}

export class Thinning implements Startable {
  readonly #init: HistoryInit
  readonly #log: Logger
  readonly #large = new Map<AbsPath, { readonly atMs: number; readonly bytes: number; readonly share: number }>()
  #stopping = new AbortController()
  #timer: { clear(): void } | undefined
  #running: Promise<unknown> = Promise.resolve()

  constructor(init: HistoryInit, log: Logger) {
    this.#init = init
    this.#log = log
  }

  async start(): Promise<void> {
    this.#stopping = new AbortController()
    this.#wait(FIRST_MS)
  }

  async stop(): Promise<void> {
    this.#stopping.abort(new SpacedriveError('STOPPED', 'versions are not thinned any more'))
    this.#timer?.clear()
    await this.#running
  }

  #wait(ms: number): void {
    const { signal } = this.#stopping
    this.#timer = this.#init.clock.timer(() => {
      this.#running = this.sweep({ signal })
        .catch(err => {
          if (!signal.aborted) this.#log.warn('versions could not be thinned', { err })
        })
        .then(() => {
          if (!signal.aborted) this.#wait(THIN_EVERY_MS)
        })
    }, ms)
  }

  /** Thins what every sync keeps, and forgets runs that are too old. One that cannot be had now waits for the next time. */
  async sweep({ signal }: AbortOptions = {}): Promise<void> {
    const { db, clock, syncs } = this.#init
    const options: AbortOptions = { ...(signal && { signal }) }
    for (const sync of syncs.list()) {
      signal?.throwIfAborted()
      while (await db.write(changing.tidy, { sync: sync.id, nowMs: clock.nowMs(), max: MAX_CHANGES }))
        signal?.throwIfAborted()
      try {
        await this.thin(sync, options)
      } catch (err) {
        signal?.throwIfAborted()
        if (!hasCode(err, 'ROOT_AWAY', 'SYNC_NOT_FOUND', ...WAITING_CODES))
          this.#log.warn('versions were not thinned', { sync: sync.name, err })
      }
    }
    await this.sweepServed(options)
    await this.#init.vectors?.tidy(options)
  }

  /** What other devices' syncs keep here. */
  async sweepServed(options: AbortOptions = {}): Promise<void> {
    for (const folder of this.#init.servedFolders?.() ?? []) {
      options.signal?.throwIfAborted()
      // Where syncs of both devices write, neither knows by itself what the other end still holds.
      if (this.#policiesAt(folder.path).length > 0) continue
      const shown = displayPath(folder.path)
      try {
        const report = await thinServed(this.#init, folder, options)
        if (report !== undefined && report.linesDropped + report.contentsRemoved > 0)
          this.#log.info('versions were thinned', { folder: shown, ...report })
      } catch (err) {
        options.signal?.throwIfAborted()
        if (!hasCode(err, 'MISSING', 'NOT_A_DIRECTORY'))
          this.#log.warn('versions were not thinned', { folder: shown, err })
      }
    }
  }

  /** What is said in the state of a sync. */
  largeOf(sync: Sync): readonly LargeStore[] {
    return ENDS.flatMap(end => {
      const found = sync[end].device === null ? this.#large.get(sync[end].path) : undefined
      return found !== undefined && found.share > LARGE_SHARE ? [{ end, bytes: found.bytes, share: found.share }] : []
    })
  }

  /** @throws {SpacedriveError} ROOT_AWAY */
  async thin(sync: Sync, options: AbortOptions): Promise<Partial<Record<End, ThinReport>>> {
    // While a disk has errors nothing goes: what was kept may be the only good copy.
    if (this.#hasDiskErrors(sync) || ENDS.every(end => !this.#isOurs(sync, end))) return {}
    return this.#init.syncs.lend(sync, ENDS, options, async loan => {
      const reports: Partial<Record<End, ThinReport>> = {}
      for (const end of ENDS) {
        const report = this.#isOurs(sync, end) ? await this.#thinEnd(sync, end, loan, options) : undefined
        if (report !== undefined) reports[end] = report
      }
      return reports
    })
  }

  /** The end that holds versions thins them itself; what another device's sync keeps there, too, stays. */
  #isOurs(sync: Sync, end: End): boolean {
    const { device, path } = sync[end]
    return device === null && this.#init.servedFolders?.().some(s => s.path === path) !== true
  }

  async #thinEnd(sync: Sync, end: End, loan: Loan, options: AbortOptions): Promise<ThinReport | undefined> {
    const { open, clock } = this.#init
    const endpoint = loan.ends[end]!
    const there = await openStoreAt(open, endpoint.local!.path, options)
    if (there === undefined) return undefined
    let scanned: Promise<void> | undefined
    try {
      const { root, store, close } = await this.#init.openEnd(endpoint, sync.uuid, clock, options)
      const unlock = await lockRoot(root, clock, options)
      try {
        const report = await store.thin({
          ...{ policies: this.#policiesAt(sync[end].path), ...options },
          mustStay: async hashes => {
            // What both ends hold by now, not by the last run.
            scanned ??= this.#scan(loan, options)
            await scanned
            return this.#lastCopies(end, hashes, loan)
          }
        })
        if (report.linesDropped + report.contentsRemoved > 0)
          this.#log.info('versions were thinned', { sync: sync.name, end, ...report })
        await this.#measure(sync[end].path, new VersionStore(root, clock), options)
        return report
      } finally {
        unlock()
        await close()
      }
    } finally {
      await there.close()
    }
  }

  /** Of all syncs that write there: what one of them keeps stays. */
  #policiesAt(path: AbsPath): readonly VersionPolicy[] {
    return this.#init.syncs
      .list()
      .filter(s => ENDS.some(end => s[end].device === null && s[end].path === path))
      .map(versionPolicyOf)
  }

  /** Of what the other end holds and this one does not any more. */
  async #lastCopies(end: End, hashes: readonly ContentHash[], { snapshot }: Loan): Promise<ReadonlySet<ContentHash>> {
    return new Set(await snapshot.maintain(lastCopies.of, { at: end, other: otherEnd(end), hashes }))
  }

  async #scan({ ends, snapshot }: Loan, options: AbortOptions): Promise<void> {
    const { pool } = this.#init
    for (const at of ENDS) await scanEnd({ at, endpoint: ends[at] as Endpoint, snapshot, pool, ...options })
  }

  async #measure(path: AbsPath, store: VersionStore, options: AbortOptions): Promise<void> {
    const nowMs = this.#init.clock.nowMs()
    const known = this.#large.get(path)
    if (known !== undefined && nowMs - known.atMs < USAGE_EVERY_MS) return
    const { bytes, share } = await store.usage(options)
    this.#large.set(path, { atMs: nowMs, bytes, share })
    if (share > LARGE_SHARE)
      this.#log.warn('versions take much of their disk', { path: displayPath(path), bytes, share })
  }

  #hasDiskErrors(sync: Sync): boolean {
    return this.#init.syncs.lastRun(sync)?.report?.reason === 'disk-errors'
  }
}
