/**
 * Whole sessions over simulated disks: every part is the real one, tasks run where they are called. The databases lie in real
 * files, and each of their writes is an operation of the disk: with FULL it is there after a cut, with NORMAL perhaps not.
 */
import assert from 'node:assert/strict'
import { copyFileSync, existsSync, mkdirSync, rmSync, statSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { type AbsPath, systemClock, systemRandom } from '../../../storage/base/index.js'
import { openFiles, ownerTag } from '../../../storage/files/index.js'
import {
  closeReaders,
  type Database,
  migrate,
  openSqlite,
  readMigrations,
  type Schema
} from '../../../storage/sql/index.js'
import { openLocalEndpoint } from '../../../sync/endpoints/index.js'
import type { End, Mode } from '../../../sync/reconcile/index.js'
import { keyPath, runSession, type SessionInit, type SessionOutcome } from '../../../sync/session/index.js'
import { inPlace } from '../../in-place.js'
import { tempDir } from '../../temp.js'
import type { SyncDisk } from './power-cut-disk.js'
import { addSyncs } from './syncs.worker.js'

const UUID = '0d9a4a52-3f7e-4f30-9a36-5f6a7f5b8c11'
const FILES = ['instance.db', 'snapshot.db'] as const
const SCHEMAS: Readonly<Record<(typeof FILES)[number], Schema>> = {
  'instance.db': 'instance',
  'snapshot.db': 'snapshot'
}

/** What a device holds of one sync: its databases, and both disks. */
export interface Device {
  readonly dir: AbsPath
  readonly disk: SyncDisk
}

/** A place for many of them; `clean` removes it. */
export class Devices {
  readonly #temp = tempDir('sd-cut-')
  readonly #mode: Mode
  readonly #options: Partial<SessionInit>
  #made = 0

  /** @param options - of each session */
  constructor(mode: Mode, options: Partial<SessionInit> = {}) {
    this.#mode = mode
    this.#options = options
    const first = join(this.#temp.path, 'empty')
    mkdirSync(first)
    for (const name of FILES) {
      const sql = openSqlite(join(first, name))
      sql.pragma('synchronous = OFF')
      migrate(sql, readMigrations(SCHEMAS[name]))
      if (name === 'instance.db') addSyncs.addOne(sql, { id: 1, uuid: UUID, mode, policy: 'keep-both' })
      sql.close()
    }
  }

  /** One that never synced. */
  fresh(disk: SyncDisk): Device {
    return this.#copyOf(join(this.#temp.path, 'empty'), disk)
  }

  copy({ dir, disk }: Device): Device {
    return this.#copyOf(dir, disk.copy())
  }

  #copyOf(from: string, disk: SyncDisk): Device {
    const dir = join(this.#temp.path, String(this.#made++)) as AbsPath
    mkdirSync(dir)
    for (const name of FILES) {
      for (const part of [name, `${name}-wal`])
        if (existsSync(join(from, part))) copyFileSync(join(from, part), join(dir, part))
    }
    return { dir, disk }
  }

  /** One session; a person says yes to what a guard halts. */
  async run(device: Device): Promise<SessionOutcome> {
    const outcome = await session(device, this.#mode, this.#options)
    if (outcome.state !== 'halted') return outcome
    return session(device, this.#mode, { ...this.#options, ...yesTo(outcome) })
  }

  /**
   * One session until the power goes at `disk.cutAt`.
   * @param losing - what loses with it what was not durable yet: one disk alone may be pulled out
   * @returns the device afterwards; the one that was handed over is gone
   */
  async cut(device: Device, random: () => number, losing: readonly (End | 'device')[]): Promise<Device> {
    let after: Device | undefined
    // What the databases are at that moment: closing them would tidy them up.
    const closing = (): void => {
      after = this.#copyOf(device.dir, device.disk)
    }
    try {
      const outcome = await session(device, this.#mode, this.#options, closing)
      if (outcome.state === 'halted')
        await session(device, this.#mode, { ...this.#options, ...yesTo(outcome) }, closing)
    } catch (err) {
      if (!device.disk.isCut) throw err
    }
    this.drop(device)
    const wal = join(after!.dir, 'snapshot.db-wal')
    if (losing.includes('device') && existsSync(wal)) truncateSync(wal, Math.floor(statSync(wal).size * random()))
    device.disk.lose(
      losing.filter(part => part !== 'device'),
      random
    )
    return after!
  }

  /** What is written down of what runs did: the paths at an end. Nothing is left that was only about to be done. */
  recorded({ dir }: Device): Readonly<Record<End, ReadonlySet<string>>> {
    const sql = openSqlite(join(dir, 'instance.db'))
    try {
      assert.deepEqual(sql.prepare('SELECT * FROM sync_intents').all(), [])
      const rows = sql
        .prepare<{ at: number; path: Uint8Array; to_path: Uint8Array | null }>(
          'SELECT at, path, to_path FROM sync_changes'
        )
        .all()
      const pathsAt = (at: number): Set<string> =>
        new Set(rows.flatMap(r => (r.at === at ? [keyPath(r.path), keyPath(r.to_path ?? r.path)] : [])))
      return { source: pathsAt(0), destination: pathsAt(1) }
    } finally {
      sql.close()
    }
  }

  drop({ dir }: Device): void {
    closeReaders()
    rmSync(dir, { recursive: true })
  }

  clean(): void {
    closeReaders()
    this.#temp.clean()
  }
}

const yesTo = ({ plan }: Extract<SessionOutcome, { state: 'halted' }>): Partial<SessionInit> => ({
  force: { planHash: plan.hash, totals: plan.totals }
})

/** @param closing - before the databases are closed, which tidies them up */
async function session(
  { dir, disk }: Device,
  mode: Mode,
  options: Partial<SessionInit> = {},
  closing: () => void = () => {}
): Promise<SessionOutcome> {
  const db = inPlaceDatabase(join(dir, 'instance.db'), disk)
  const snapshot = inPlaceDatabase(join(dir, 'snapshot.db'), disk)
  const files = openFiles({ pool: inPlace, owner: ownerTag('test'), disk })
  try {
    const open = (end: End) =>
      openLocalEndpoint({
        ...{ path: `/${end}` as AbsPath, pool: inPlace, files, disk },
        volumes: { volumeOf: async () => undefined },
        trash: { put: () => Promise.reject(new Error('a sync throws nothing into the trash')) },
        ours: () => []
      })
    const ends = { source: await open('source'), destination: await open('destination') }
    try {
      return await runSession({
        ...{ db, snapshot, dir, pool: inPlace, clock: systemClock, random: systemRandom, ends },
        sync: {
          id: 1,
          uuid: UUID,
          mode,
          policy: 'keep-both',
          ignore: [],
          devices: { source: 'ada', destination: 'bob' }
        },
        ...options
      })
    } finally {
      for (const end of ['source', 'destination'] as const) await ends[end].close().catch(() => {})
    }
  } finally {
    await files.close().catch(() => {})
    closing()
    for (const each of [db, snapshot]) await each.close()
  }
}

/** A database without a thread of its own. Each write is there at once and whole, or the power went before it. */
function inPlaceDatabase(file: string, disk: SyncDisk): Database {
  const sql = openSqlite(file)
  sql.pragma('synchronous = OFF')
  return {
    file,
    async write(task, input) {
      disk.step()
      return sql.transaction(() => task(sql, input) as never)
    },
    async maintain(task, input) {
      disk.step()
      return task(sql, input)
    },
    get: (text, params, options) => sql.prepare(text, options).get(params) as never,
    all: (text, params, options) => sql.prepare(text, options).all(params) as never,
    close: async () => sql.close()
  }
}
