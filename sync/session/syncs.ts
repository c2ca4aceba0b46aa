import { join } from 'node:path'
import {
  type AbortOptions,
  type AbsPath,
  type Clock,
  displayPath,
  isWithin,
  newUuid,
  type Random,
  type RelPath,
  SpacedriveError,
  type WorkerPool
} from '../../storage/base/index.js'
import { ensurePrivateDir, removeEmptyDir, removeFile } from '../../storage/files/index.js'
import { type Database, openDatabase } from '../../storage/sql/index.js'
import type { Endpoint } from '../endpoints/index.js'
import {
  type ConflictPolicy,
  ENDS,
  type End,
  type HaltedBefore,
  MAX_REPLACE_PERCENT,
  type Mode,
  type Operation
} from '../reconcile/index.js'
import { planning } from './plan.worker.js'
import { runSession, type SessionInit, type SessionOutcome } from './session.js'
import { type RunRow, syncWrites } from './syncs.worker.js'

/** Where an end of a sync is, and which folder it was when the sync was made. */
export interface SyncEnd {
  readonly path: AbsPath
  readonly inode: string
  readonly birthNs: string
}

export interface Sync {
  readonly id: number
  readonly uuid: string
  readonly name: string
  readonly mode: Mode
  readonly policy: ConflictPolicy
  readonly source: SyncEnd
  readonly destination: SyncEnd
  readonly ignore: readonly string[]
  readonly maxDeletePercent: number
  readonly addedAtMs: number
  readonly halted: HaltedBefore | undefined
}

export interface SyncSpec {
  readonly name: string
  readonly source: AbsPath
  /** Made when its parent exists. */
  readonly destination: AbsPath
  readonly mode: Mode
  readonly policy: ConflictPolicy
  readonly ignore: readonly string[]
  readonly maxDeletePercent: number
}

export interface SyncsInit {
  /** The instance database. */
  readonly db: Database
  readonly dataDir: AbsPath
  readonly pool: WorkerPool
  readonly clock: Clock
  readonly random: Random
  /** Opens a folder of this device. @param create - makes it when its parent exists */
  open(path: AbsPath, options?: { create?: boolean } & AbortOptions): Promise<Endpoint>
  deviceName(): string
}

export interface LastRun {
  readonly id: string
  readonly beganAtMs: number
  readonly endedAtMs: number
  readonly state: string
}

export type RunOptions = Pick<SessionInit, 'signal' | 'planHash' | 'planOnly' | 'onPhase' | 'onScan' | 'onProgress'> & {
  readonly force?: boolean | undefined
  /** What is written down of the run. */
  readonly describe?: ((outcome: SessionOutcome) => { readonly state: string; readonly result: unknown }) | undefined
}

/** A line of a plan. */
export interface PlannedOperation {
  readonly kind: Operation['kind']
  readonly end: End
  readonly path: RelPath
  readonly to: RelPath | undefined
  readonly reason: string
}

/** Shown of a plan unless more is asked for. */
const SHOWN_OPERATIONS = 200

/** The syncs of this device. One session runs at a time: those of one root would have to take turns anyway. */
export interface Syncs {
  /** @throws {SpacedriveError} SYNC_EXISTS, BAD_NAME, ENDS_OVERLAP, and what opening the folders throws */
  add(spec: SyncSpec, options?: AbortOptions): Promise<Sync>
  list(): readonly Sync[]
  /** By name. @throws {SpacedriveError} SYNC_NOT_FOUND */
  find(name: string): Sync
  lastRun(sync: Sync): LastRun | undefined
  /** @throws {SpacedriveError} ROOT_MISSING, ROOT_REPLACED (no force lets that pass), and what a session throws */
  run(sync: Sync, options?: RunOptions): Promise<SessionOutcome>
  /** What the last plan of a sync holds, the first of its operations. */
  planned(sync: Sync, options?: { limit?: number }): Promise<readonly PlannedOperation[]>
  /** Leaves files and versions where they are. */
  remove(sync: Sync): Promise<void>
}

const NAME = /^[\p{L}\p{N}][\p{L}\p{N}._ -]{0,63}$/u

interface Raw {
  readonly [column: string]: string | number | null
}

export function syncs(init: SyncsInit): Syncs {
  return new SyncList(init)
}

class SyncList implements Syncs {
  readonly #init: SyncsInit
  #turn: Promise<unknown> = Promise.resolve()

  constructor(init: SyncsInit) {
    this.#init = init
  }

  async add(spec: SyncSpec, options: AbortOptions = {}): Promise<Sync> {
    const { db, clock, random } = this.#init
    const { name, mode, policy, ignore, maxDeletePercent } = spec
    if (!NAME.test(name)) {
      throw new SpacedriveError('BAD_NAME', `could not add a sync ${JSON.stringify(name)}: that is no name for one`, {
        hint: 'Use letters, digits, blanks, dots, dashes and underscores, 64 at most, beginning with a letter or digit.'
      })
    }
    if (this.list().some(s => s.name === name)) {
      throw new SpacedriveError('SYNC_EXISTS', `there is a sync ${name} already`, {
        hint: 'Choose another name, or `sync remove` that one: files stay.'
      })
    }
    const source = await this.#endOf(spec.source, false, options)
    this.#ensureApart(source.path, spec.destination)
    const destination = await this.#endOf(spec.destination, true, options)
    this.#ensureApart(source.path, destination.path)
    await db.write(syncWrites.add, {
      ...{ uuid: newUuid(clock.nowMs(), random), name, mode, policy },
      ...{ source: JSON.stringify(source), destination: JSON.stringify(destination) },
      ...{ options: JSON.stringify({ ignore, maxDeletePercent }), addedAt: clock.nowMs() }
    })
    return this.find(name)
  }

  list(): readonly Sync[] {
    return this.#init.db.all<Raw>('SELECT * FROM syncs ORDER BY name').map(syncOf)
  }

  find(name: string): Sync {
    const raw = this.#init.db.get<Raw>('SELECT * FROM syncs WHERE name = ?', [name])
    if (raw !== undefined) return syncOf(raw)
    throw new SpacedriveError('SYNC_NOT_FOUND', `there is no sync ${displayPath(name)}`, {
      hint: '`sync list` shows those there are.'
    })
  }

  lastRun({ id }: Sync): LastRun | undefined {
    const raw = this.#init.db.get<Raw>(
      'SELECT id, began_at, ended_at, state FROM sync_runs WHERE sync = ? AND ended_at IS NOT NULL ORDER BY began_at DESC LIMIT 1',
      [id]
    )
    return (
      raw && {
        ...{ id: raw.id as string, beganAtMs: raw.began_at as number },
        ...{ endedAtMs: raw.ended_at as number, state: raw.state as string }
      }
    )
  }

  run(sync: Sync, options: RunOptions = {}): Promise<SessionOutcome> {
    const turn = this.#turn.then(() => this.#run(this.find(sync.name), options))
    this.#turn = turn.catch(() => {})
    return turn
  }

  async planned({ uuid }: Sync, { limit = SHOWN_OPERATIONS } = {}): Promise<readonly PlannedOperation[]> {
    const planFile = join(this.#dirOf(uuid), 'plan.db')
    const list = await this.#init.pool.run(planning.operations, { planFile, from: 0, limit })
    return list.map(op => ({
      ...{ kind: op.kind, end: op.end, path: op.path, reason: op.reason },
      to: op.kind === 'move' ? op.to : undefined
    }))
  }

  async remove({ id, uuid }: Sync): Promise<void> {
    const turn = this.#turn.then(async () => {
      await this.#init.db.write(syncWrites.remove, { id })
      const dir = this.#dirOf(uuid)
      for (const file of ['snapshot.db', 'plan.db'])
        for (const end of ['', '-wal', '-shm']) await removeFile(join(dir, `${file}${end}`))
      await removeEmptyDir(dir)
    })
    this.#turn = turn.catch(() => {})
    await turn
  }

  async #run(sync: Sync, { force, describe, ...options }: RunOptions): Promise<SessionOutcome> {
    const { db, pool, clock, random, deviceName } = this.#init
    const { signal } = options
    signal?.throwIfAborted()
    const dir = this.#dirOf(sync.uuid)
    await ensurePrivateDir(dir)
    const ends: Partial<Record<End, Endpoint>> = {}
    let snapshot: Database | undefined
    const beganAt = clock.nowMs()
    try {
      for (const end of ENDS) ends[end] = await this.#openSame(sync[end], signal)
      snapshot = await openDatabase({ file: join(dir, 'snapshot.db'), schema: 'snapshot', synchronous: 'NORMAL' })
      const outcome = await runSession({
        ...options,
        ...{ db, snapshot, dir, pool, clock, random, ends: ends as Record<End, Endpoint> },
        ...(force === true && sync.halted !== undefined && { force: sync.halted }),
        sync: {
          ...{ id: sync.id, uuid: sync.uuid, mode: sync.mode, policy: sync.policy, ignore: sync.ignore },
          limits: { maxDeletePercent: sync.maxDeletePercent, maxReplacePercent: MAX_REPLACE_PERCENT },
          devices: { source: deviceName(), destination: deviceName() }
        }
      })
      if (outcome.state === 'planned' || outcome.state === 'other-plan') return outcome
      const { state, result } = describe?.(outcome) ?? { state: outcome.state, result: {} }
      const { plan } = outcome
      const run: RunRow = {
        id: outcome.state === 'done' ? outcome.run : newUuid(beganAt, random),
        ...{ sync: sync.id, beganAt, endedAt: clock.nowMs(), state, result: JSON.stringify(result) }
      }
      const halted = outcome.state === 'halted' ? JSON.stringify({ planHash: plan.hash, totals: plan.totals }) : null
      await db.write(syncWrites.ran, { run, halted })
      return outcome
    } finally {
      await snapshot?.close()
      for (const end of ENDS) await ends[end]?.close()
    }
  }

  #dirOf(uuid: string): AbsPath {
    return join(this.#init.dataDir, 'syncs', uuid) as AbsPath
  }

  async #endOf(path: AbsPath, create: boolean, options: AbortOptions): Promise<SyncEnd> {
    const endpoint = await this.#init.open(path, { create, ...options })
    try {
      const { root } = await endpoint.about(options)
      return { path: endpoint.local?.path ?? path, inode: String(root.inode), birthNs: String(root.birthNs) }
    } finally {
      await endpoint.close()
    }
  }

  /** The very folder that the sync was made for: a disk that is away, or another one at its place, deletes nothing. */
  async #openSame({ path, inode, birthNs }: SyncEnd, signal: AbortSignal | undefined): Promise<Endpoint> {
    const hint = 'Bring the folder back (is its disk mounted?), or `sync remove` and `sync add` anew: files stay.'
    const endpoint = await this.#init.open(path, { ...(signal && { signal }) }).catch(err => {
      throw new SpacedriveError('ROOT_MISSING', `could not sync: ${displayPath(path)} is not there`, {
        hint,
        cause: err
      })
    })
    const { root } = await endpoint.about()
    if (String(root.inode) === inode && String(root.birthNs) === birthNs) return endpoint
    await endpoint.close()
    throw new SpacedriveError(
      'ROOT_REPLACED',
      `could not sync: ${displayPath(path)} is another folder than when the sync was made`,
      { hint }
    )
  }

  #ensureApart(source: AbsPath, destination: AbsPath): void {
    if (isWithin(source, destination) || isWithin(destination, source)) {
      throw new SpacedriveError(
        'ENDS_OVERLAP',
        `could not add a sync: ${displayPath(source)} and ${displayPath(destination)} lie in one another`,
        { hint: 'Name two folders of which none holds the other.' }
      )
    }
    for (const sync of this.list())
      for (const theirs of [sync.source.path, sync.destination.path])
        for (const mine of [source, destination])
          if (theirs !== mine && (isWithin(theirs, mine) || isWithin(mine, theirs))) {
            throw new SpacedriveError(
              'ENDS_OVERLAP',
              `could not add a sync: ${displayPath(mine)} overlaps ${displayPath(theirs)} of the sync ${sync.name}`,
              { hint: 'Two syncs may share a folder, but none may lie within that of another.' }
            )
          }
  }
}

function syncOf(raw: Raw): Sync {
  const { ignore, maxDeletePercent } = JSON.parse(raw.options as string) as Pick<Sync, 'ignore' | 'maxDeletePercent'>
  return {
    ...{ id: raw.id as number, uuid: raw.uuid as string, name: raw.name as string },
    ...{ mode: raw.mode as Mode, policy: raw.policy as ConflictPolicy },
    ...{ source: JSON.parse(raw.source as string), destination: JSON.parse(raw.destination as string) },
    ...{ ignore, maxDeletePercent, addedAtMs: raw.added_at as number },
    halted: raw.halted === null ? undefined : (JSON.parse(raw.halted as string) as HaltedBefore)
  }
}
