import type { RelPath } from '../../storage/base/index.js'

/** `objects/`, two digits of the name of what it holds, and the others: 40 of SHA-1, 64 of SHA-256. */
const LOOSE = /^(.*\/)?objects\/[0-9a-f]{2}\/(?:[0-9a-f]{38}|[0-9a-f]{62})$/
const HEAD = 'HEAD'

/**
 * Loose objects of git among what a plan removes at one end. `git gc` writes thousands of them into one pack and takes them away: in
 * many a repository more than half of all files, and nothing is lost by it. So while the repository stays, which is while it keeps
 * its HEAD, the guards do not count them (decisions/157).
 */
export class LooseObjects {
  /** How many, by the folder that `objects` lies in: '' or with a slash at its end. */
  readonly #removed = new Map<string, number>()
  readonly #gone = new Set<string>()

  /** A file or link that is removed. @param counted - false: it is no loss to the guards anyway */
  add(path: RelPath, counted: boolean): void {
    if (path === HEAD || path.endsWith(`/${HEAD}`)) this.#gone.add(path.slice(0, -HEAD.length))
    const [whole, folder = ''] = (counted ? LOOSE.exec(path) : null) ?? []
    if (whole !== undefined) this.#removed.set(folder, (this.#removed.get(folder) ?? 0) + 1)
  }

  /** Of repositories that stay. @param holds - whether the end holds that file now; left out: it is taken to */
  count(holds: (path: RelPath) => boolean = () => true): number {
    let count = 0
    for (const [folder, removed] of this.#removed)
      if (!this.#gone.has(folder) && holds(`${folder}${HEAD}` as RelPath)) count += removed
    return count
  }
}
