import { join } from 'node:path'
import { hasCode } from '../../storage/base/index.js'
import type { EndVectors } from '../endpoints/index.js'
import type { End } from '../reconcile/index.js'
import { answersOf } from './answers.js'
import { type FetchedVectors, fetchVectors, StaleLook } from './asked.js'
import { capabilitiesOf } from './ends.js'
import { clearUncounted } from './fold.js'
import { ignoreRules } from './ignore-rules.js'
import type { Hints } from './pending.js'
import { makePlan } from './plan.js'
import type { PlanInput, PlanSummary } from './plan.worker.js'
import type { Opened, SessionInit } from './session.js'

export interface Planned {
  readonly summary: PlanSummary
  readonly planFile: string
  /** It stands on an archive. */
  readonly archive: boolean
  /** The archive there was is not to be trusted: it goes before anything is done. */
  readonly drop: boolean
  readonly union: boolean
  readonly unread: boolean
  readonly rules: Pick<PlanInput, 'proves' | 'ignore'>
  /** Up to where it knows the versions of both ends; undefined: none are kept. */
  readonly known: FetchedVectors['known'] | undefined
}

/** A session looks again so often for what other syncs did meanwhile. */
const MAX_STALE = 3

/** No sync bears this number: planned for it, a plan has no archive. */
const NO_ARCHIVE = 0

/** Plans what the snapshot tells: with what both ends know of versions, where they do. */
export async function planSession(
  init: SessionInit,
  opened: Opened,
  { union, unread }: Pick<Planned, 'union' | 'unread'>
): Promise<Planned> {
  const { sync, ends, db, snapshot, pool, signal } = init
  const ignore = await ignoreRules({ patterns: sync.ignore, ends, snapshot, signal })
  const planFile = join(init.dir, 'plan.db')
  const agreed = db.get<{ archive: number }>('SELECT archive FROM syncs WHERE id = ?', [sync.id])?.archive === 1
  if (!agreed) await clearUncounted(db, sync.id, { ...(signal && { signal }) })
  const answers = answersOf(db, sync.id)
  const keepsIdentity = (end: End): boolean => opened[end]?.capabilities.keepsIdentity ?? true
  const proves = { source: keepsIdentity('source'), destination: keepsIdentity('destination') }
  const rules = { proves, ignore }
  let known: Planned['known']
  const make = async (archive: boolean): Promise<PlanSummary> => {
    const input = {
      ...{ instanceFile: db.file, unread, ...rules },
      sync: archive || !agreed ? sync.id : NO_ARCHIVE,
      options: {
        ...{ mode: sync.mode, policy: sync.policy, archive, devices: sync.devices, union },
        ...(answers.size > 0 && { answers }),
        source: capabilitiesOf(opened.source, opened.source?.here === undefined),
        destination: capabilitiesOf(opened.destination, opened.destination?.here === undefined)
      }
    }
    // What nobody has read yet has no content that versions could speak of.
    const vectors = unread ? undefined : vectorsOf(opened)
    if (vectors !== undefined) init.onPhase?.('Exchanging versions')
    const asked = { snapshot, pool, dir: init.dir, input, signal, onTold: init.onVersions }
    const fetched = vectors && (await fetchVectors({ ends: vectors, ...asked }))
    known = fetched?.known
    init.onPhase?.('Planning changes')
    return makePlan(pool, snapshot, { ...input, planFile, vectorsFile: fetched?.vectorsFile }, { signal })
  }
  const planned = (summary: PlanSummary, archive: boolean, drop: boolean): Planned => ({
    ...{ summary, planFile, archive, drop, union, unread, rules, known }
  })
  if (union) return planned(await make(false), false, true)
  try {
    return planned(await make(agreed), agreed, false)
  } catch (err) {
    if (!hasCode(err, 'ARCHIVE_DAMAGED')) throw err
    return planned(await make(false), false, true)
  }
}

/** Where another sync did something that was not seen yet, that is looked at first; the second time, everything. */
export async function planFresh(
  make: () => Promise<Planned>,
  lookAgain: (hints: Hints | undefined) => Promise<void>
): Promise<Planned> {
  for (let stale = 1; ; stale++) {
    try {
      return await make()
    } catch (err) {
      if (!(err instanceof StaleLook)) throw err
      if (stale > MAX_STALE) throw err.cause
      const hints = err.paths.map(path => ({ path, subtree: false }))
      await lookAgain(stale > 1 ? undefined : { source: [], destination: [], [err.end]: hints })
    }
  }
}

/** Versions decide where both ends keep them. */
function vectorsOf({ source, destination }: Opened): Record<End, EndVectors> | undefined {
  if (source?.vectors === undefined || destination?.vectors === undefined) return undefined
  return { source: source.vectors, destination: destination.vectors }
}
