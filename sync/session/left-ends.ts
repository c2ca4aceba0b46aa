import {
  type AbortOptions,
  type Clock,
  displayPath,
  type EventBus,
  hasCode,
  type Logger,
  SpacedriveError
} from '../../storage/base/index.js'
import type { Database } from '../../storage/sql/index.js'
import type { Endpoint } from '../endpoints/index.js'
import { openEnd } from './ends.js'
import { markerOf } from './guard.js'
import { type LeftEnd, leftWrites } from './left.worker.js'
import type { Sync, SyncEnd } from './record.js'
import { type EndComponents, openRoot, SureRoots } from './roots.js'
import type { Runs } from './runs.js'

export interface LeftEndsInit extends EndComponents {
  /** The instance database. */
  readonly db: Database
  readonly clock: Clock
  readonly events: EventBus
  readonly log: Logger
  readonly runs: Pick<Runs, 'turn'>
}

/**
 * What syncs that are no more left staged at ends that were away, as they went: when a disk comes, and at the start, each is
 * looked for. In the very folder alone, in its turn, and nothing but the staging place of that sync and this daemon: what a
 * crash left half done there is settled and old contents go into the versions first, as at the start of a session.
 */
export class LeftEnds {
  readonly #init: LeftEndsInit
  #stopping = new AbortController()
  #sweeping: Promise<void> = Promise.resolve()
  #off: (() => void)[] = []

  constructor(init: LeftEndsInit) {
    this.#init = init
  }

  start(): void {
    this.#stopping = new AbortController()
    this.#off = (['volume:added', 'volume:changed'] as const).map(type =>
      this.#init.events.on(type, () => this.#begin())
    )
    this.#begin()
  }

  async stop(): Promise<void> {
    for (const off of this.#off) off()
    this.#stopping.abort(new SpacedriveError('STOPPED', 'what removed syncs left is not looked for any more'))
    await this.#sweeping
  }

  /** One that cannot be had now waits for the next time. */
  async sweep(options: AbortOptions = {}): Promise<void> {
    for (const left of this.#rows()) {
      options.signal?.throwIfAborted()
      try {
        await this.#settle(left, options)
      } catch (err) {
        options.signal?.throwIfAborted()
        this.#init.log.info('what a removed sync left could not be looked for', {
          folder: displayPath(left.place.path),
          err
        })
      }
    }
  }

  #begin(): void {
    const { signal } = this.#stopping
    this.#sweeping = this.#sweeping.then(() => this.sweep({ signal })).catch(() => {})
  }

  /** Not those of a sync that is there (again): what is staged for it is its own. */
  #rows(): readonly LeftEnd[] {
    return this.#init.db
      .all<{ uuid: string; place: string; root: string | null }>(
        `SELECT uuid, place, root FROM syncs_left WHERE uuid NOT IN (SELECT uuid FROM syncs)
           AND uuid NOT IN (SELECT uuid FROM served_syncs) ORDER BY left_at`
      )
      .map(({ uuid, place, root }) => ({ uuid, place: JSON.parse(place) as SyncEnd, root }))
  }

  async #settle({ uuid, place, root }: LeftEnd, options: AbortOptions): Promise<void> {
    const { db, clock, log, runs } = this.#init
    const endTurn = await runs.turn(place.path, options)
    try {
      if (!this.#rows().some(left => left.uuid === uuid && left.place.path === place.path)) return
      const endpoint = await this.#open(place, root, options)
      if (endpoint === undefined) return
      try {
        await (await openEnd(endpoint, uuid, clock, options)).close()
        await db.write(leftWrites.settled, { uuid, path: place.path })
        log.info('what a removed sync left was cleaned', { folder: displayPath(place.path) })
      } finally {
        await endpoint.close()
      }
    } finally {
      endTurn()
    }
  }

  /** @returns undefined: it is away still, or another folder stands there */
  async #open(place: SyncEnd, root: string | null, { signal }: AbortOptions): Promise<Endpoint | undefined> {
    const components = { ...this.#init, sure: new SureRoots() }
    const known = { source: place, destination: place, agreed: true } as unknown as Sync
    const opened = await openRoot(components, known, 'destination', { marked: root !== null, signal })
    if ('reason' in opened) return undefined
    const { endpoint } = opened
    try {
      const stat = (await endpoint.about()).root
      if (String(stat.inode) === place.inode && String(stat.birthNs) === place.birthNs) return endpoint
      const marker = await markerOf(endpoint, { ...(signal && { signal }) }).catch(err => {
        if (!hasCode(err, 'MARKER_DAMAGED')) throw err
      })
      if (root !== null && marker?.root === root) return endpoint
      await endpoint.close()
      return undefined
    } catch (err) {
      await endpoint.close()
      throw err
    }
  }
}
