import { type AbsPath, isWithin, nameOf, type RelPath, textFromBytes } from '../base/index.js'
import type { Library } from '../libraries/index.js'
import type { IndexLocation, IndexRules } from './indexer.js'
import type { RuleScope } from './rules.js'

/** What holds where nobody said otherwise. */
export const DEFAULT_RULES: IndexRules = Object.freeze({
  hidden: false,
  system: false,
  ignore: [],
  gitignore: false,
  spacedriveignore: true
})

/** Rules as stored in `locations.rules`; what is missing there is the default. */
export function parseRules(text: string): IndexRules {
  return { ...DEFAULT_RULES, ...(JSON.parse(text) as Partial<IndexRules>) }
}

/** The rules of a location and of those inside it, each for its part of the tree. */
export function ruleScopes(library: Library, location: IndexLocation, bypassFilters: boolean): RuleScope[] {
  const own: RuleScope = {
    rel: '' as RelPath,
    rules: location.rules,
    enterExcluded: location.versioned || bypassFilters
  }
  const { path } = location
  const inner = library.database
    .all<{ path: Uint8Array; rules: string; versioned: number }>(
      'SELECT path, rules, versioned FROM locations WHERE host = ? AND shared = 0 AND id <> ?',
      [library.host, location.number]
    )
    .map(row => ({ ...row, path: textFromBytes(row.path) as AbsPath }))
    .filter(row => row.path !== path && isWithin(row.path, path))
    .map(row => ({
      rel: row.path.slice(path === '/' ? 1 : path.length + 1) as RelPath,
      rules: parseRules(row.rules),
      enterExcluded: row.versioned === 1 || bypassFilters
    }))
  return [own, ...inner]
}

export function isIgnoreFile(path: RelPath, rules: IndexRules): boolean {
  const name = nameOf(path)
  return (rules.spacedriveignore && name === '.spacedriveignore') || (rules.gitignore && name === '.gitignore')
}
