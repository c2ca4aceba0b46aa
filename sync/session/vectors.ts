import { existsSync } from 'node:fs'
import { join } from 'node:path'
import {
  type AbortOptions,
  type AbsPath,
  type Clock,
  displayPath,
  hasCode,
  type Random,
  type RelPath,
  SpacedriveError
} from '../../storage/base/index.js'
import { type PlaceResult, type PlaceStep, removeFile } from '../../storage/files/index.js'
import { type Database, openDatabase, type WriteTask } from '../../storage/sql/index.js'
import type {
  ChangedVectors,
  Endpoint,
  EndVectors,
  LearnedVersion,
  Looked,
  SeenThing,
  StepNote
} from '../endpoints/index.js'
import { ENDS, type End, type Version } from '../reconcile/index.js'
import { lookAtAll } from './look-at-all.js'
import type { SessionInit } from './session.js'
import { type Doubted, type FolderKey, type NotedStep, vectoring } from './vectors.worker.js'
import { tidyingVectors } from './vectors-tidy.worker.js'

/** The folder whose versions are kept: which one it is, and what stands in it. */
type VectorsEnd = Pick<Endpoint, 'about' | 'look' | 'local'>

/** The versions of the entries of folders of this device that are in step with other devices. */
export interface Vectors {
  /** Of the folder behind an endpoint of this device, for one sync. */
  of(endpoint: VectorsEnd, sync: string, options?: AbortOptions): Promise<FolderVectors>
  /** Undefined: none are kept of that folder. */
  find(endpoint: VectorsEnd, sync: string, options?: AbortOptions): Promise<FolderVectors | undefined>
  /** Forgets what nobody needs any more: to be called every hour or so. @param maxGone - deletions that stay of a folder, MAX_GONE unless given */
  tidy(options?: AbortOptions & { maxGone?: number }): Promise<void>
  close(): Promise<void>
}

export interface VectorsInit {
  readonly dataDir: AbsPath
  readonly clock: Clock
  readonly random: Random
  /** It is part of the names under which changes are counted, so that every device names the maker of a conflict alike. */
  deviceName(): string
}

/** The database is opened when a sync with another device asks for it, and closed again when none did for so long. */
export const VECTORS_IDLE_MS = 20_000

export function vectors(init: VectorsInit): Vectors {
  return new VectorStore(init)
}

class VectorStore implements Vectors {
  readonly #init: VectorsInit
  readonly #file: string
  #opening: Promise<Database> | undefined
  #closing: Promise<void> = Promise.resolve()
  #users = 0
  #idle: { clear(): void } | undefined

  constructor(init: VectorsInit) {
    this.#init = init
    this.#file = join(init.dataDir, 'vectors.db')
  }

  async of(endpoint: VectorsEnd, sync: string, options: AbortOptions = {}): Promise<FolderVectors> {
    const { clock, random, deviceName } = this.#init
    const key = await keyOf(endpoint, options)
    const name = replicaName(deviceName(), random)
    const known = await this.#write(vectoring.open, { ...key, name, nowMs: clock.nowMs() })
    return this.#folder(known, endpoint, sync)
  }

  async find(endpoint: VectorsEnd, sync: string, options: AbortOptions = {}): Promise<FolderVectors | undefined> {
    if (!this.#isThere) return undefined
    const key = await keyOf(endpoint, options)
    const known = await this.#use(db => db.maintain(vectoring.find, key))
    return known && this.#folder(known, endpoint, sync)
  }

  async tidy({ signal, maxGone }: AbortOptions & { maxGone?: number } = {}): Promise<void> {
    if (!this.#isThere) return
    await this.#use(async db => {
      while (await db.write(tidyingVectors.rows, { nowMs: this.#init.clock.nowMs(), maxGone })) signal?.throwIfAborted()
      await db.write(tidyingVectors.names, {})
      await db.maintain(tidyingVectors.shrink, {})
    })
  }

  close(): Promise<void> {
    this.#idle?.clear()
    const open = this.#opening
    this.#opening = undefined
    this.#closing = this.#closing.then(async () => (await open?.catch(() => undefined))?.close())
    return this.#closing
  }

  get #isThere(): boolean {
    return this.#opening !== undefined || existsSync(this.#file)
  }

  #folder(
    known: { readonly folder: number; readonly name: string },
    endpoint: VectorsEnd,
    sync: string
  ): FolderVectors {
    const { clock } = this.#init
    const write: Database['write'] = (task, input) => this.#write(task, input)
    return new FolderVectors({ write, clock, endpoint, sync, folder: known.folder, replica: known.name })
  }

  #write<I, O>(task: WriteTask<I, O>, input: I): Promise<O> {
    return this.#use(db => db.write<I, O>(task, input as never))
  }

  async #use<T>(work: (db: Database) => Promise<T>): Promise<T> {
    this.#idle?.clear()
    this.#users++
    try {
      return await work(await this.#database())
    } catch (err) {
      if (hasCode(err, 'DATABASE_WRITER_DIED')) await this.close() // opened anew by who asks next
      throw err
    } finally {
      this.#users--
      if (this.#users === 0) this.#idle = this.#init.clock.timer(() => void this.close(), VECTORS_IDLE_MS)
    }
  }

  #database(): Promise<Database> {
    if (this.#opening !== undefined) return this.#opening
    const opening = this.#closing.then(() => openVectors(this.#file))
    this.#opening = opening
    opening.catch(() => {
      if (this.#opening === opening) this.#opening = undefined
    })
    return opening
  }
}

async function keyOf(endpoint: VectorsEnd, options: AbortOptions): Promise<FolderKey> {
  const { root } = await endpoint.about(options)
  return { path: endpoint.local!.path, inode: root.inode, birthNs: root.birthNs }
}

/**
 * Those of the folders here of a session: with another device always; between two folders of this one where both are in step with
 * others, so that a ring through this device comes to rest as well.
 */
export async function vectorsHere(
  { ends, sync, vectors: store }: Pick<SessionInit, 'ends' | 'sync' | 'vectors'>,
  options: AbortOptions
): Promise<Readonly<Partial<Record<End, FolderVectors>>>> {
  if (store === undefined || sync.mode !== 'bidirectional') return {}
  const here = ENDS.filter(end => ends[end].local !== undefined)
  if (here.length < ENDS.length)
    return Object.fromEntries(
      await Promise.all(here.map(async end => [end, await store.of(ends[end], sync.uuid, options)] as const))
    )
  const [source, destination] = await Promise.all(ENDS.map(end => store.find(ends[end], sync.uuid, options)))
  return source === undefined || destination === undefined ? {} : { source, destination }
}

/** One that is damaged is made anew: its folders go on under other names, and archives decide where versions tell nothing. */
async function openVectors(file: string): Promise<Database> {
  const open = (): Promise<Database> => openDatabase({ file, schema: 'vectors', sharesThread: true })
  try {
    return await open()
  } catch (err) {
    if (!hasCode(err, 'DATABASE_CORRUPT')) throw err
    for (const left of ['', '-wal', '-shm']) await removeFile(`${file}${left}`)
    return open()
  }
}

const MAX_DEVICE = 20
const TAG_BYTES = 8

/** As the name of a conflict copy has the device's, and a random rest. */
function replicaName(device: string, random: Random): string {
  const plain = device.replace(/[^\p{L}\p{N}_-]/gu, '')
  return `${Array.from(plain).slice(0, MAX_DEVICE).join('')}.${Buffer.from(random.bytes(TAG_BYTES)).toString('hex')}`
}

interface FolderVectorsInit {
  readonly write: Database['write']
  readonly clock: Clock
  readonly endpoint: VectorsEnd
  readonly sync: string
  readonly folder: number
  readonly replica: string
}

/** Of one folder of this device, for one sync. */
export class FolderVectors implements EndVectors {
  readonly #init: FolderVectorsInit

  constructor(init: FolderVectorsInit) {
    this.#init = init
  }

  get replica(): string {
    return this.#init.replica
  }

  changed(page: { readonly after: number; readonly upto?: number | undefined }): Promise<ChangedVectors> {
    return this.#init.write(vectoring.changed, { ...this.#of(), ...page })
  }

  async observe(
    things: readonly SeenThing[],
    round: number,
    options: AbortOptions = {}
  ): Promise<readonly (Version | undefined)[]> {
    await this.#ensureFresh(things, options)
    return this.#init.write(vectoring.observe, { ...this.#of(), replica: this.replica, things, round })
  }

  learn(notes: readonly LearnedVersion[]): Promise<void> {
    return this.#init.write(vectoring.learn, { ...this.#of(), notes })
  }

  /** Around the steps of a batch: what is cut off in between is no change by hand to the next look. */
  async noting(
    steps: readonly PlaceStep[],
    notes: readonly StepNote[],
    place: () => Promise<readonly PlaceResult[]>
  ): Promise<readonly PlaceResult[]> {
    const { write } = this.#init
    const noted = steps.map((step, i): NotedStep => ({ ...notes[i], kind: step.kind, path: step.path, ...toOf(step) }))
    await write(vectoring.intend, { ...this.#of(), steps: noted })
    const results = await place()
    const failed: RelPath[] = []
    const done: NotedStep[] = []
    for (const [i, result] of results.entries()) {
      if (!result.done) failed.push(result.path)
      else done.push({ ...noted[i]!, ...(result.stat && { stat: factsOf(result.stat) }) })
    }
    await write(vectoring.achieved, { ...this.#of(), steps: done, failed })
    return results
  }

  /**
   * What another sync placed here is remembered at once, and its watch tells this one later: what was seen before that is no edit by
   * hand. Taken for one it would be a conflict where nobody edited anything.
   */
  async #ensureFresh(things: readonly SeenThing[], options: AbortOptions): Promise<void> {
    const { write, endpoint } = this.#init
    const doubted = await write(vectoring.doubted, { ...this.#of(), things })
    if (doubted.length === 0) return
    const paths = doubted.map(({ index }) => things[index]!.path)
    const looks = await lookAtAll(endpoint, paths, options)
    const stale = doubted.find((doubt, i) => isStale(things[doubt.index]!, doubt, looks[i]))
    if (stale === undefined) return
    const shown = displayPath(things[stale.index]!.path)
    throw new SpacedriveError('CHANGED', `${shown}: another sync changed it, and that was not seen yet`)
  }

  #of() {
    const { folder, sync, clock } = this.#init
    return { folder, sync, nowMs: clock.nowMs() }
  }
}

/** What is remembered is what stands there, and what was told is not. */
function isStale(thing: SeenThing, { row }: Doubted, looked: Looked | undefined): boolean {
  if (looked === undefined || looked.problem !== undefined) return false
  const stat = looked.entry?.stat
  if (row === undefined || stat === undefined) return row === undefined && stat === undefined
  const isRow = stat.kind === row.kind && hasFacts(stat, row)
  return isRow && (thing.kind !== row.kind || !hasFacts(thing, row))
}

type Facts = Pick<SeenThing, 'mode' | 'mtimeNs' | 'inode' | 'birthNs'>

const hasFacts = (a: Facts, b: Facts & { kind: string }): boolean =>
  a.inode === b.inode &&
  a.birthNs === b.birthNs &&
  (a.mode & 0o7777) === (b.mode & 0o7777) &&
  (b.kind === 'directory' || a.mtimeNs === b.mtimeNs)

const toOf = (step: PlaceStep): { to?: RelPath } => (step.kind === 'move' ? { to: step.to } : {})

const factsOf = ({ mode, mtimeNs, inode, birthNs }: NonNullable<NotedStep['stat']>) => ({
  mode: mode & 0o7777,
  ...{ mtimeNs, inode, birthNs }
})
