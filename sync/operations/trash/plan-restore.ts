import {
  type AbortOptions,
  type AbsPath,
  displayPath,
  type JobId,
  type Problem,
  SpacedriveError,
  type WorkerPool
} from '../../../storage/base/index.js'

import type { Trash, TrashEntry, TrashFilter } from '../../../storage/trash/index.js'
import type { WorkPlace } from '../work-place.js'
import { type RestoreItem, type RestoreSums, restoring } from './restore.worker.js'

/** What of the trash is meant: all of it together. */
export interface RestoreWhat {
  readonly ids: readonly number[]
  /** Absolute: the newest of what was there, or else everything that was below. */
  readonly paths: readonly AbsPath[]
  /** Everything that this job threw away. */
  readonly job?: JobId | undefined
  /** Into this folder instead of the old places. */
  readonly to?: AbsPath | undefined
}

/** What restoring would do, exactly; nothing is changed yet. */
export interface RestorePlan extends RestoreSums {
  readonly work: string
  /** The first of what would come back, and where. */
  readonly list: readonly RestoreItem[]
  /** What stays in the trash, and why. */
  readonly problems: readonly Problem[]
  readonly problemCount: number
}

export interface RestoreComponents {
  readonly pool: WorkerPool
  readonly trash: Trash
  readonly work: WorkPlace
}

/** Entries asked for at once. */
const PAGE = 10_000
/** Things that a preview names; the rest is counted. */
const MAX_LISTED = 1_000
/** Of what is not there, so many are named. */
const MAX_TOLD = 5

/**
 * Looks at what would come back. The list stays until a job has worked through it, or `FileOperations.dropPlan`.
 * @throws {SpacedriveError} NOT_IN_TRASH, naming what is not there; when none of it can come back the first reason
 */
export async function planRestore(
  { pool, trash, work }: RestoreComponents,
  what: RestoreWhat,
  { signal }: AbortOptions = {}
): Promise<RestorePlan> {
  const id = work.create()
  const file = work.fileOf(id)
  const to = what.to ?? null
  try {
    for await (const entries of findAll(trash, what, signal))
      await pool.run(restoring.add, { file, entries, to }, { signal })
    const found = await pool.run(restoring.layOut, { file, limit: MAX_LISTED }, { signal })
    const { items, files, bytes, problems, refused: problemCount } = found
    if (items === 0) throw noneOf(problems)
    const list = await pool.run(restoring.list, { file, limit: MAX_LISTED }, { signal })
    return { work: id, items, files, bytes, list, problems, problemCount }
  } catch (err) {
    await work.drop(id)
    throw err
  }
}

async function* findAll(
  trash: Trash,
  { ids, paths, job }: RestoreWhat,
  signal: AbortSignal | undefined
): AsyncGenerator<readonly TrashEntry[]> {
  const missing: string[] = []
  const seen = new Set<number>()
  for await (const page of pagesOf(trash, { ids }, ids.length === 0, signal)) {
    for (const { id } of page) seen.add(id)
    yield page
  }
  missing.push(...ids.filter(id => !seen.has(id)).map(String))
  for (const path of paths) {
    const found = await newestAt(trash, path, signal)
    if (found.length === 0) missing.push(displayPath(path))
    yield found
  }
  let ofJob = 0
  for await (const page of pagesOf(trash, { job }, job === undefined, signal)) {
    ofJob += page.length
    yield page
  }
  if (job !== undefined && ofJob === 0) missing.push(`what job ${job.slice(0, SHORT_ID)} deleted`)
  if (missing.length === 0) return
  const more = missing.length > MAX_TOLD ? ` and ${missing.length - MAX_TOLD} more` : ''
  throw new SpacedriveError('NOT_IN_TRASH', `not in the trash: ${missing.slice(0, MAX_TOLD).join(', ')}${more}`, {
    hint: '`spacedrive file trash list` shows what is.'
  })
}

/** The newest of what was at a path; when nothing was there itself, the newest of each that was below. */
async function newestAt(trash: Trash, path: AbsPath, signal: AbortSignal | undefined): Promise<TrashEntry[]> {
  const newest = new Map<string, TrashEntry>()
  for await (const page of pagesOf(trash, { path }, false, signal)) {
    for (const entry of page) {
      if (entry.path === path) return [entry]
      if (!newest.has(entry.path)) newest.set(entry.path, entry)
    }
  }
  return [...newest.values()]
}

async function* pagesOf(
  trash: Trash,
  filter: TrashFilter,
  none: boolean,
  signal: AbortSignal | undefined
): AsyncGenerator<readonly TrashEntry[]> {
  for (let offset = 0; !none; offset += PAGE) {
    const { entries } = await trash.list(filter, { limit: PAGE, offset, signal })
    if (entries.length > 0) yield entries
    if (entries.length < PAGE) return
  }
}

function noneOf([first]: readonly Problem[]): SpacedriveError {
  const { code, message } = first ?? { code: 'NOT_IN_TRASH', message: 'nothing was named to restore' }
  return new SpacedriveError(code, message, { hint: 'Nothing was changed.' })
}

/** As the command line shows ids. */
const SHORT_ID = 8
