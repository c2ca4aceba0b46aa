/** Two real folders and everything that a session needs, without a daemon. */
import { lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import {
  type AbsPath,
  type Clock,
  hasCode,
  newUuid,
  systemClock,
  systemRandom,
  type WorkerPool
} from '../../../storage/base/index.js'
import { type Files, openFiles, ownerTag } from '../../../storage/files/index.js'
import { type InstanceDatabase, openInstance } from '../../../storage/instance/index.js'
import { type Database, openDatabase } from '../../../storage/sql/index.js'
import { type Endpoint, openLocalEndpoint } from '../../../sync/endpoints/index.js'
import type { ConflictPolicy, End, Mode } from '../../../sync/reconcile/index.js'
import { runSession, type SessionInit, type SessionOutcome } from '../../../sync/session/index.js'
import { sharedPool } from '../../shared-pool.js'
import { tempDir } from '../../temp.js'
import { addSyncs } from './syncs.worker.js'

export interface SyncFixture {
  readonly source: string
  readonly destination: string
  readonly db: InstanceDatabase
  readonly snapshot: Database
  run(options?: Partial<SessionInit>): Promise<SessionOutcome>
  /** As after a daemon that was killed: databases stay, nothing else does. */
  close(): Promise<void>
}

export interface FixtureEnd {
  readonly path: AbsPath
  /** Of the sync. */
  readonly uuid: string
  readonly mode: Mode
}

export type OpenSync = (options: FixtureOptions) => Promise<SyncFixture>

export interface FixtureOptions {
  readonly mode: Mode
  readonly policy?: ConflictPolicy
  readonly ignore?: readonly string[]
  readonly clock?: Clock
  /** Opens an end in another way than as a folder of this device. */
  readonly openEnd?: (end: End, at: FixtureEnd) => Promise<Endpoint | undefined>
  /** A folder in which all of it lies and stays, made by another process perhaps; else a fresh one. */
  readonly at?: string
  /** Threads of its own, closed with it; else those of all tests. */
  readonly pool?: WorkerPool
  /** Comes between a session and its ends. */
  hook?(endpoint: Endpoint): void
}

export async function openSync({
  mode,
  policy = 'keep-both',
  ignore = [],
  clock = systemClock,
  openEnd = async () => undefined,
  at,
  pool = sharedPool(),
  hook = () => {}
}: FixtureOptions): Promise<SyncFixture> {
  const temp = at === undefined ? tempDir('sd-sync-') : { path: at, clean: () => {} }
  const dir = join(temp.path, 'data') as AbsPath
  const folders = { source: join(temp.path, 'source'), destination: join(temp.path, 'destination') }
  for (const path of [dir, ...Object.values(folders)]) mkdirSync(path, { recursive: true })
  const db = await openInstance(dir)
  const known = db.get<{ uuid: string }>('SELECT uuid FROM syncs WHERE id = 1')?.uuid
  const uuid = known ?? newUuid(clock.nowMs(), systemRandom)
  if (known === undefined) await db.write(addSyncs.addOne, { id: 1, uuid, mode, policy })
  const snapshot = await openDatabase({ file: join(dir, 'snapshot.db'), schema: 'snapshot', synchronous: 'NORMAL' })
  const files = openFiles({ pool, owner: ownerTag(dir), clock })
  const open = async (end: End): Promise<Endpoint> =>
    (await openEnd(end, { path: folders[end] as AbsPath, uuid, mode })) ?? openHere(folders[end], { pool, files, dir })
  return {
    ...folders,
    ...{ db, snapshot },
    async run(options = {}) {
      const ends = { source: await open('source'), destination: await open('destination') }
      for (const end of Object.values(ends)) hook(end)
      try {
        return await runSession({
          ...{ db, snapshot, dir, pool, clock, random: systemRandom, ends },
          sync: { id: 1, uuid, mode, policy, ignore, devices: { source: 'ada', destination: 'bob' } },
          ...options
        })
      } finally {
        await ends.source.close()
        await ends.destination.close()
      }
    },
    async close() {
      await files.close()
      await pool.close()
      await snapshot.close()
      await db.close()
      temp.clean()
    }
  }
}

/** A folder as the end of a sync. @param options.dir - the data directory */
export const openHere = (
  path: string,
  { pool, files, dir }: { pool: WorkerPool; files: Files; dir: AbsPath }
): Promise<Endpoint> =>
  openLocalEndpoint({
    ...{ path: path as AbsPath, pool, files, ours: () => [dir] },
    volumes: { volumeOf: async () => undefined },
    trash: { put: () => Promise.reject(new Error('a sync throws nothing into the trash')) }
  })

/** Everything a folder shows: path -> what it is, as a text. Ours is left out, and what a session takes away meanwhile. */
export function look(dir: string, { times = true } = {}): Record<string, string> {
  const found: Record<string, string> = {}
  const show = (path: string): void => {
    const stat = lstatSync(join(dir, path), { bigint: true })
    const mode = (Number(stat.mode) & 0o777).toString(8)
    const time = times ? ` @${stat.mtimeNs / 1000n}` : ''
    if (stat.isSymbolicLink()) found[path] = `-> ${readlinkSync(join(dir, path))}`
    else if (stat.isDirectory()) {
      found[path] = `folder ${mode}`
      walk(path)
    } else found[path] = `${readFileSync(join(dir, path), 'utf8')} ${mode}${time}`
  }
  const walk = (rel: string): void => {
    for (const name of readdirSync(join(dir, rel)).sort()) {
      if (name.startsWith('.spacedrive') && name !== '.spacedriveignore') continue
      try {
        show(rel === '' ? name : `${rel}/${name}`)
      } catch (err) {
        if (!hasCode(err, 'ENOENT')) throw err
      }
    }
  }
  walk('')
  return found
}

/** Every content that is anywhere: in the folder, and in the versions. */
export function contents(dir: string): Set<string> {
  const found = new Set<string>()
  const walk = (at: string): void => {
    for (const name of readdirSync(at)) {
      if (name === 'lists' || name === 'root.json') continue // what we write of them
      if (name.includes('\ufffd')) continue // no text: what a process that was killed tried out there
      const stat = lstatSync(join(at, name))
      if (stat.isDirectory()) walk(join(at, name))
      else if (stat.isFile()) found.add(readFileSync(join(at, name), 'utf8'))
    }
  }
  walk(dir)
  return found
}
