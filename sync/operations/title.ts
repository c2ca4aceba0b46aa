import { displayPath } from '../../storage/base/index.js'

/** What a job is called that works on these: the first, and how many more. */
export function titleOf(paths: readonly string[]): string {
  const [first = ''] = paths
  const shown = displayPath(first)
  return paths.length > 1 ? `${shown} and ${paths.length - 1} more` : shown
}
