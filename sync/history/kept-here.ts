import { displayPath, SpacedriveError } from '../../storage/base/index.js'
import type { End } from '../reconcile/index.js'
import type { Sync } from '../session/index.js'

/**
 * Versions lie at the end where something was replaced or deleted; those of another device are read there.
 * @param ends - those that are needed, all or some of them
 * @throws {SpacedriveError} KEPT_ELSEWHERE
 */
export function ensureKeptHere(sync: Sync, ends: readonly End[], which: 'all' | 'some'): void {
  const there = ends.filter(end => sync[end].device !== null)
  const [first] = there
  if (first === undefined || (which === 'some' && there.length < ends.length)) return
  const folder = displayPath(sync[first].path)
  throw new SpacedriveError(
    'KEPT_ELSEWHERE',
    `the ${first} of ${sync.name} lies on another device, with its versions`,
    {
      hint: `There: \`spacedrive sync restore --from ${folder} --to DIR\` brings back what was replaced or deleted.`
    }
  )
}
