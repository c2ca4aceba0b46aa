import ignore, { type Ignore } from 'ignore'
import type { RelPath } from '../../storage/base/index.js'

export interface FilterInit {
  /** In the manner of .gitignore, from the top of each source. Empty: everything. */
  readonly include: readonly string[]
  readonly exclude: readonly string[]
}

export interface Filter {
  /** Directories that are let in are looked into; files need an `include` that fits them or a folder around them. */
  lets(path: RelPath, directory: boolean): boolean
  /** Directories are made only for what is in them. */
  readonly onlyNeeded: boolean
}

/** A matcher remembers every path it was asked about: it is made anew after so many. */
const FRESH_AFTER = 10_000

/** What of a tree is copied. @param path - below the source's own name; that itself is always let in */
export function filter({ include, exclude }: FilterInit): Filter {
  if (include.length === 0 && exclude.length === 0) return { lets: () => true, onlyNeeded: false }
  let asked = 0
  let matchers = make()
  function make(): { included: Ignore | undefined; excluded: Ignore } {
    const matcher = (patterns: readonly string[]): Ignore => ignore({ allowRelativePaths: true }).add([...patterns])
    return { included: include.length === 0 ? undefined : matcher(include), excluded: matcher(exclude) }
  }
  return {
    onlyNeeded: include.length > 0,
    lets(path, directory) {
      if (++asked % FRESH_AFTER === 0) matchers = make()
      const asks = directory ? `${path}/` : path
      if (matchers.excluded.ignores(asks)) return false
      return directory || matchers.included === undefined || matchers.included.ignores(asks)
    }
  }
}
