/** What a batch took from its names, for the versions. Pure. */
import type { RelPath } from '../../storage/base/index.js'
import { asideHash, type PlaceResult, type PlaceStep, type TakenAway } from '../../storage/files/index.js'
import type { VersionLine } from './line.js'

/** A batch that was done, and what was written down before. */
export interface DoneBatch {
  readonly steps: readonly PlaceStep[]
  readonly results: readonly PlaceResult[]
  readonly lines: readonly NewLine[]
}

export type NewLine = Omit<VersionLine, 'atMs'>

export interface TakenFrom extends TakenAway {
  /** The path that it had. */
  readonly from: RelPath
}

/** Where the result of a step does not tell that it is what the plan expected, it has to be read. */
export function takenBy({ steps, results }: Pick<DoneBatch, 'steps' | 'results'>): TakenFrom[] {
  return steps.flatMap((step, i): TakenFrom[] => {
    const hash = 'aside' in step ? asideHash(step.aside.path) : undefined
    const result = results[i]
    if (!('aside' in step) || hash === undefined || result === undefined) return []
    if (!result.done) {
      const kept = typeof result.keptAt === 'object' ? result.keptAt.path : undefined
      return kept === undefined ? [] : [{ path: kept, hash, from: step.path }]
    }
    const { path } = step.aside
    // Without a change time (the plan had renamed something on the way to it) size and time are no proof: they may have been put back.
    if (result.aside === undefined || step.expected.ctimeNs === undefined) return [{ path, hash, from: step.path }]
    const { sizeBytes = result.aside.sizeBytes, mtimeNs = result.aside.mtimeNs } = step.expected
    return [{ path, hash, from: step.path, stat: { sizeBytes, mtimeNs, ctimeNs: result.aside.ctimeNs } }]
  })
}
