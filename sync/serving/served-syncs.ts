import {
  type AbortOptions,
  type AbsPath,
  type Clock,
  type DeviceId,
  deadline,
  displayPath,
  type EventBus,
  hasCode,
  pathBytes,
  ROOT,
  SpacedriveError,
  type WorkerPool
} from '../../storage/base/index.js'
import type { Database } from '../../storage/sql/index.js'
import type { Endpoint, FollowedPage, FollowOptions } from '../endpoints/index.js'
import type { ServedFolder } from '../history/index.js'
import type { End, Mode } from '../reconcile/index.js'
import { leftWrites, openEnd, type TakeOptions, type Vectors } from '../session/index.js'
import { foldersOf } from './folders.js'
import { KeptThere } from './kept-there.js'
import { COUNT_AGAIN_MS, TURN_WAIT_MS } from './limits.js'
import { isWritten, type RawServed, type ServedSync, servedOf } from './record.js'
import type { ServedScans } from './served-scans.js'
import { servingWrites } from './serving.worker.js'
import { ServingEnd } from './serving-end.js'

export interface ServedSyncsInit {
  /** The instance database. */
  readonly db: Database
  readonly clock: Clock
  readonly events: EventBus
  readonly vectors?: Vectors | undefined
  readonly scans: ServedScans
  /** Contents of versions that one session may be told of; MAX_TOLD_CONTENTS unless given. */
  readonly mostTold?: number
  readonly pool: WorkerPool
  nameOf(device: DeviceId): string
  /** Opens a folder of this device. @param create - makes it when its parent exists */
  open(path: AbsPath, options?: { create?: boolean } & AbortOptions): Promise<Endpoint>
  /** Those who change one folder take turns, syncs of this device among them. */
  turn(path: AbsPath, options: TakeOptions): Promise<() => void>
}

/** What another device asks for. */
export interface AskedFor {
  readonly uuid: string
  readonly name: string
  readonly mode: Mode
  readonly side: End
  readonly theirs: string
  readonly path: string
}

/** What the serving side decides for its end. */
export interface Accepting {
  /** How long what is replaced or deleted is kept there, as `formatPolicy` writes it; left out: as the mode has it. */
  readonly versions?: string | undefined
  /** More than this share of its files gone is stopped by its guard; left out: as delivered. */
  readonly maxDeletePercent?: number | undefined
  /** A rule accepts: the folder must really be where it was judged. */
  readonly by?: 'us' | 'rule' | undefined
}

/** The syncs that other devices drive, of which one end lies here. */
export interface ServedSyncs {
  /** All of them, those that wait for an answer too; by age. */
  list(): readonly ServedSync[]
  get(id: number): ServedSync | undefined
  find(device: DeviceId, uuid: string): ServedSync | undefined
  /** The folders that others write to, with what of their versions is kept. */
  folders(): readonly ServedFolder[]
  /** A device asks for one. @throws {SpacedriveError} TOO_MANY */
  ask(device: DeviceId, asked: AskedFor): Promise<void>
  /** From now on that folder is its end. @throws {SpacedriveError} NOT_WRITTEN; what opening the folder throws */
  accept(sync: ServedSync, path: AbsPath, options?: Accepting & AbortOptions): Promise<ServedSync>
  /** A person says yes to what a guard here stopped. @throws {SpacedriveError} NOT_HALTED */
  allow(sync: ServedSync): Promise<void>
  pause(sync: ServedSync, paused: boolean): Promise<void>
  /** Files and versions stay. */
  remove(sync: ServedSync): Promise<void>
  /** All of a device. */
  forget(device: DeviceId): Promise<void>
  /**
   * One that is no more, once its driver was cut off: what it was told and what was staged for it go, what a crash left is settled.
   * @throws what opening the folder throws; BUSY, ROOT_REPLACED
   */
  tidy(sync: ServedSync, options?: AbortOptions): Promise<void>
  /** What changed in the folder of a sync since its driver asked last. */
  follow(sync: ServedSync, endpoint: Endpoint, options: FollowOptions): AsyncIterable<FollowedPage>
  /** The end of a sync, open for writing. @throws what opening it throws; BUSY */
  openEnd(sync: ServedSync, endpoint: Endpoint, options?: AbortOptions): Promise<ServingEnd>
  /** What that end keeps of what was replaced or deleted there, for a session of its driver. @throws {SpacedriveError} NOT_GRANTED */
  kept(sync: ServedSync, endpoint: Endpoint): KeptThere
}

export function servedSyncs(init: ServedSyncsInit): ServedSyncs {
  return new ServedList(init)
}

class ServedList implements ServedSyncs {
  readonly #init: ServedSyncsInit

  constructor(init: ServedSyncsInit) {
    this.#init = init
  }

  list(): readonly ServedSync[] {
    return this.#init.db.all<RawServed>('SELECT * FROM served_syncs ORDER BY id').map(servedOf)
  }

  folders(): readonly ServedFolder[] {
    return foldersOf(this.list())
  }

  get(id: number): ServedSync | undefined {
    return this.#one('id = ?', [id])
  }

  find(device: DeviceId, uuid: string): ServedSync | undefined {
    return this.#one('device = ? AND uuid = ?', [device, uuid])
  }

  async ask(device: DeviceId, { path, ...asked }: AskedFor): Promise<void> {
    const { db, clock, events } = this.#init
    const row = { ...asked, device, path: pathBytes(path), at: clock.nowMs() }
    if (!(await db.write(servingWrites.ask, row))) return
    events.emit('sync:requested', { sync: asked.uuid, name: asked.name, device })
  }

  async accept(sync: ServedSync, path: AbsPath, asked: Accepting & AbortOptions = {}): Promise<ServedSync> {
    const { versions, maxDeletePercent, by = 'us', ...options } = asked
    const { db, clock, events, open } = this.#init
    const { id, device, uuid, name } = sync
    if (!isWritten(sync) && (versions ?? maxDeletePercent) !== undefined)
      throw new SpacedriveError(
        'NOT_WRITTEN',
        `${displayPath(name)} only reads here: nothing is replaced or deleted, and nothing kept`
      )
    const endpoint = await open(path, { create: true, ...options })
    try {
      const { root } = await endpoint.about(options)
      const real = endpoint.local!.path
      if (by === 'rule' && real !== path)
        throw new SpacedriveError('MOVED', `${displayPath(path)} leads to ${displayPath(real)} by now`)
      await db.write(servingWrites.accept, {
        ...{ id, path: pathBytes(real), at: clock.nowMs() },
        ...{ versions: versions ?? null, maxDelete: maxDeletePercent ?? null },
        ...{ inode: String(root.inode), birth: String(root.birthNs) }
      })
    } finally {
      await endpoint.close()
    }
    events.emit('sync:accepted', { sync: uuid, name, device, by })
    return this.get(id)!
  }

  async allow({ id, name, halted }: ServedSync): Promise<void> {
    if (halted === undefined)
      throw new SpacedriveError('NOT_HALTED', `nothing of ${displayPath(name)} was stopped here`)
    await this.#init.db.write(servingWrites.allow, { id, at: this.#init.clock.nowMs() })
  }

  async pause({ id }: ServedSync, paused: boolean): Promise<void> {
    await this.#init.db.write(servingWrites.pause, { id, paused })
  }

  async remove(sync: ServedSync): Promise<void> {
    const { id, uuid, name } = sync
    await this.#leave([sync])
    await this.#init.db.write(servingWrites.remove, { id })
    this.#init.events.emit('sync:removed', { sync: uuid, name })
  }

  async forget(device: DeviceId): Promise<void> {
    const all = this.list().filter(sync => sync.device === device)
    await this.#leave(all)
    await this.#init.db.write(servingWrites.forget, { device })
    for (const sync of all) await this.tidy(sync).catch(() => {}) // of a folder that is away it goes when that comes back
  }

  async tidy(sync: ServedSync, options: AbortOptions = {}): Promise<void> {
    await this.#init.scans.remove(sync.uuid)
    if (sync.folder === undefined || !isWritten(sync)) return
    const { path, inode, birthNs } = sync.folder
    const endTurn = await this.#turn(path, options)
    try {
      const endpoint = await this.#init.open(path, options)
      try {
        const { root } = await endpoint.about(options)
        if (String(root.inode) !== inode || String(root.birthNs) !== birthNs)
          throw new SpacedriveError('ROOT_REPLACED', `another folder is at ${displayPath(path)}`)
        await (await openEnd(endpoint, sync.uuid, this.#init.clock, options)).close()
        await this.#init.db.write(leftWrites.settled, { uuid: sync.uuid, path })
      } finally {
        await endpoint.close()
      }
    } finally {
      endTurn()
    }
  }

  follow({ uuid }: ServedSync, endpoint: Endpoint, options: FollowOptions): AsyncIterable<FollowedPage> {
    return this.#init.scans.follow(uuid, endpoint, options)
  }

  async openEnd(sync: ServedSync, endpoint: Endpoint, options: AbortOptions = {}): Promise<ServingEnd> {
    const { db, clock, nameOf } = this.#init
    const vectors =
      sync.mode === 'bidirectional' ? await this.#init.vectors?.of(endpoint, sync.uuid, options) : undefined
    return ServingEnd.open(
      {
        ...{ db, clock, sync, endpoint, vectors, from: nameOf(sync.device) },
        files: () => this.#files(sync, endpoint, options),
        placing: steps => this.#init.scans.placing(sync.uuid, steps),
        placed: (steps, results) => this.#init.scans.placed(sync.uuid, steps, results),
        turn: more => this.#turn(endpoint.local!.path, more)
      },
      options
    )
  }

  kept(sync: ServedSync, endpoint: Endpoint): KeptThere {
    const { clock, pool, open, nameOf, mostTold } = this.#init
    const from = nameOf(sync.device)
    return new KeptThere({ sync, endpoint, pool, from, mostTold, open, nowMs: () => clock.nowMs() })
  }

  /** Before they go: what is staged in their folders is looked for later, unless `tidy` says that it is settled. */
  async #leave(all: readonly ServedSync[]): Promise<void> {
    const left = all.flatMap(sync => {
      const { uuid, folder } = sync
      if (folder === undefined || !isWritten(sync)) return []
      return [{ uuid, place: { ...folder, device: null, volume: null, within: null }, root: null }]
    })
    if (left.length > 0) await this.#init.db.write(leftWrites.leave, { left, nowMs: this.#init.clock.nowMs() })
  }

  #one(where: string, params: readonly (string | number)[]): ServedSync | undefined {
    const raw = this.#init.db.get<RawServed>(`SELECT * FROM served_syncs WHERE ${where}`, params)
    return raw && servedOf(raw)
  }

  /** How many files the folder holds: counted by now and then, and kept up with in between. */
  async #files({ id }: ServedSync, endpoint: Endpoint, options: AbortOptions): Promise<number> {
    const { db, clock } = this.#init
    const counted = this.get(id)?.counted
    if (counted !== undefined && clock.nowMs() - counted.atMs < COUNT_AGAIN_MS) return counted.files
    let files = 0
    for await (const { entries } of endpoint.walk(ROOT, options))
      for (const { stat, unknown } of entries)
        if (unknown === undefined && (stat.kind === 'file' || stat.kind === 'symlink')) files++
    await db.write(servingWrites.counted, { id, files, at: clock.nowMs() })
    return files
  }

  /** Waits a while and no longer: who holds it may wait for a folder that the asking device holds. */
  async #turn(path: AbsPath, { wanted, signal }: TakeOptions): Promise<() => void> {
    const limit = deadline(TURN_WAIT_MS, 'waiting for a turn', signal)
    try {
      return await this.#init.turn(path, { wanted, signal: limit.signal })
    } catch (err) {
      signal?.throwIfAborted()
      if (!hasCode(err, 'TIMEOUT')) throw err
      throw new SpacedriveError('BUSY', `another sync is at work in ${displayPath(path)}`)
    } finally {
      limit.clear()
    }
  }
}
