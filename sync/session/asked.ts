import { join } from 'node:path'
import { type AbortOptions, type AbsPath, hasCode, type RelPath, type WorkerPool } from '../../storage/base/index.js'
import type { Database } from '../../storage/sql/index.js'
import type { ChangedVectors, EndVectors, SeenThing } from '../endpoints/index.js'
import { ENDS, type End } from '../reconcile/index.js'
import { type AskedInput, asking } from './asked.worker.js'
import { snapshotting } from './snapshot.worker.js'

/** Asked of an end at once: as many as it looks at. */
const ASKED_PAGE = 1_000

/** Up to which change of an end's versions is known now. */
export interface KnownVectors {
  readonly replica: string
  readonly upto: number
}

/** What both ends know of versions, where a plan needs it. */
export interface FetchedVectors {
  readonly vectorsFile: string
  readonly known: Readonly<Record<End, KnownVectors>>
}

export interface FetchInit extends AbortOptions {
  readonly ends: Readonly<Record<End, EndVectors>>
  readonly snapshot: Database
  readonly pool: WorkerPool
  /** The folder of the sync in the data directory. */
  readonly dir: AbsPath
  /** What the plan will be made with. */
  readonly input: Omit<AskedInput, 'vectorsFile' | 'snapshotFile'>
  /** So many entries were told of by now, at both ends together. */
  readonly onTold?: ((entries: number) => void) | undefined
}

/** What another sync did at an end was not seen by this one yet: it is to be looked at again before anything is planned. */
export class StaleLook extends Error {
  readonly end: End
  /** Some of these. */
  readonly paths: readonly RelPath[]

  constructor(end: End, paths: readonly RelPath[], cause: unknown) {
    super('what was seen at an end is no longer what stands there', { cause })
    this.end = end
    this.paths = paths
  }
}

/**
 * Tells both ends what was seen there, where it is not what was agreed on or where versions changed, and keeps what they say of it
 * for the plan. What changed by hand is counted there.
 * @throws {StaleLook}
 */
export async function fetchVectors(init: FetchInit): Promise<FetchedVectors> {
  const { ends, pool, snapshot, signal } = init
  const vectorsFile = join(init.dir, 'vectors.db')
  await pool.run(asking.begin, { vectorsFile }, { signal })
  const [source, destination] = await Promise.all(ENDS.map(end => listChanged(init, end, vectorsFile)))
  const known = { source: source!, destination: destination! }
  const input = { ...init.input, vectorsFile, snapshotFile: snapshot.file }
  if (!(await pool.run(asking.ask, input, { signal }))) {
    await snapshot.write(snapshotting.settleRenames, undefined)
    await pool.run(asking.ask, input, { signal })
  }
  let told = 0
  const page = (entries: number): void => {
    told += entries
    init.onTold?.(told)
  }
  await Promise.all(ENDS.map(end => askEnd(init, end, { vectorsFile, page, ...known[end] })))
  return {
    vectorsFile,
    known: { source: knownOf(ends.source, known.source), destination: knownOf(ends.destination, known.destination) }
  }
}

const knownOf = ({ replica }: EndVectors, { upto }: Listed): KnownVectors => ({ replica, upto })

interface Listed {
  /** Of this look. */
  readonly round: number
  /** Up to which change all is listed. */
  readonly upto: number
  readonly empty: boolean
}

/** Listed at once; the rest is listed by the next run. */
const MAX_LISTED = 100_000

/** Paths at which somebody else changed a version since the last run, for the plan to look at; a first plan looks at everything. */
async function listChanged(
  { ends, pool, snapshot, signal, input }: FetchInit,
  end: End,
  vectorsFile: string
): Promise<Listed> {
  const { replica } = ends[end]
  const before = snapshot.get<KnownVectors>('SELECT replica, upto FROM vectors_known WHERE at = ?', [ENDS.indexOf(end)])
  let after = before?.replica === replica ? before.upto : 0
  let first: ChangedVectors | undefined
  for (let count = 0; ; ) {
    signal?.throwIfAborted()
    const page = await ends[end].changed({ after, upto: first?.upto }, { ...(signal && { signal }) })
    first ??= page
    const { upto, empty } = first
    if (!input.options.archive) return { round: upto, upto, empty }
    if (page.paths.length > 0) await pool.run(asking.list, { vectorsFile, paths: page.paths }, { signal })
    count += page.paths.length
    // A device that goes on for ever about the same is not listened to.
    if (page.next === undefined || page.next <= after) return { round: upto, upto, empty }
    after = page.next
    if (count >= MAX_LISTED) return { round: upto, upto: after, empty }
  }
}

async function askEnd(
  init: FetchInit,
  end: End,
  { vectorsFile, page, round, empty }: Listed & { vectorsFile: string; page(entries: number): void }
): Promise<void> {
  const options = { ...(init.signal && { signal: init.signal }) }
  const each = async (gone: boolean, told: boolean): Promise<void> => {
    for await (const things of pages(init, { vectorsFile, end, gone })) {
      const paths = things.map(thing => thing.path)
      const versions = await init.ends[end].observe(things, round, options).catch(err => {
        throw hasCode(err, 'CHANGED') ? new StaleLook(end, paths, err) : err
      })
      if (!told) continue
      await init.pool.run(asking.told, { vectorsFile, end, paths, versions }, options)
      page(things.length)
    }
  }
  // Who remembers nothing has no deletion to tell of.
  if (!empty) await each(true, false)
  await each(false, true)
  if (!empty) await each(true, true)
}

async function* pages(
  { pool, signal }: FetchInit,
  of: { vectorsFile: string; end: End; gone: boolean }
): AsyncGenerator<readonly SeenThing[], void, void> {
  let after: RelPath | undefined
  for (;;) {
    signal?.throwIfAborted()
    const page = await pool.run(asking.page, { ...of, after, limit: ASKED_PAGE }, { signal })
    if (page.length > 0) yield page
    if (page.length < ASKED_PAGE) return
    after = page.at(-1)!.path
  }
}
