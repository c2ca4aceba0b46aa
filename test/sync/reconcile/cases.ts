import fc from 'fast-check'
import { MODES } from '../../../sync/reconcile/index.js'

/**
 * The same 500 cases of a property each time, so that a failure is that of the change at hand; `npm run nightly` looks at
 * 10,000 new ones, and a failure prints its seed and its case.
 */
const nightly = process.env.SPACEDRIVE_RUNS
export const numRuns = Number(nightly ?? 500)

/** Where one property is looked at in all modes: as many in all, and nightly as many in each. */
export const each = nightly === undefined ? Math.ceil(numRuns / MODES.length) : numRuns

/** To look at a case again: SPACEDRIVE_SEED, and SPACEDRIVE_CASE, the path that a failure prints. */
const { SPACEDRIVE_SEED: seed, SPACEDRIVE_CASE: path } = process.env
export const chosen =
  seed === undefined ? (nightly === undefined ? { seed: 1 } : {}) : { seed: Number(seed), ...(path && { path }) }

/** Looks at random cases of a property. @throws with the seed and the smallest case that fails */
export function check<T>(arbitrary: fc.Arbitrary<T>, body: (value: T) => void, runs = numRuns): void {
  fc.assert(fc.property(arbitrary, body), { numRuns: runs, ...chosen })
}
