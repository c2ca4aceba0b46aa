import { readFileSync, statSync } from 'node:fs'
import ignore, { type Ignore } from 'ignore'
import { type AbsPath, fsPath, joinRel, parentOf, type RelPath, resolveRel } from '../base/index.js'
import { FLAG, KIND } from '../entries/index.js'
import { extensionOf } from '../file-types/index.js'
import type { IndexRules } from './indexer.js'

/** An ignore file beyond this is not taken for one: a matcher of that size would hold up the walk. */
export const MAX_IGNORE_FILE_BYTES = 1024 * 1024

/** Names that operating systems and file managers leave about. */
const SYSTEM_NAMES = new Set(
  '.DS_Store .AppleDouble .Spotlight-V100 .TemporaryItems .Trashes .fseventsd .DocumentRevisions-V100 .directory Thumbs.db ehthumbs.db desktop.ini $RECYCLE.BIN lost+found pagefile.sys hiberfil.sys swapfile.sys @eaDir'.split(
    ' '
  )
)
const SYSTEM_PREFIXES = ['.Trash-', '.nfs0', '.fuse_hidden', 'System Volume Information']

/** The rules of one location, as they hold from `rel` (of the walk's root) downwards. */
export interface RuleScope {
  readonly rel: RelPath
  readonly rules: IndexRules
  /** Excluded directories are entered all the same: a sync stands on it, or filters are bypassed. */
  readonly enterExcluded: boolean
}

interface Matcher {
  readonly base: RelPath
  readonly matcher: Ignore
}

/** What the rules say of one directory's names. */
export interface DirectoryRules {
  readonly enterExcluded: boolean
  flags(name: string, kind: number, sizeBytes: number): number
}

/**
 * Judges names by the rules of the innermost location around them. Made anew for each slice of a walk: ignore files are
 * read again, and what the matchers remember of paths is let go.
 */
export class RuleBook {
  readonly #root: AbsPath
  readonly #scopes: readonly RuleScope[]
  readonly #chains = new Map<string, readonly Matcher[]>()

  /** @param scopes - the outermost has rel '' */
  constructor(root: AbsPath, scopes: readonly RuleScope[]) {
    this.#root = root
    this.#scopes = [...scopes].sort((a, b) => b.rel.length - a.rel.length)
  }

  /** @param excluded - the directory itself is left out, and so is all in it, unless a location begins here */
  of(directory: RelPath, excluded: boolean): DirectoryRules {
    const scope = this.#scopeOf(directory)
    const { rules, enterExcluded } = scope
    const all = excluded && scope.rel !== directory ? FLAG.EXCLUDED : 0
    const chain = this.#chain(directory, scope)
    const extensions = rules.extensions === undefined ? undefined : new Set(rules.extensions)
    return {
      enterExcluded,
      flags: (name, kind, sizeBytes) => {
        let flags = all
        if (name.charCodeAt(0) === 0x2e) flags |= FLAG.HIDDEN
        if (isSystem(name)) flags |= FLAG.SYSTEM
        const inner = kind === KIND.DIRECTORY && this.#begins(directory, name)
        if (inner) return flags & ~FLAG.EXCLUDED
        if ((flags & FLAG.HIDDEN && !rules.hidden) || (flags & FLAG.SYSTEM && !rules.system)) flags |= FLAG.EXCLUDED
        else if (kind === KIND.FILE && rules.maxSizeBytes !== undefined && sizeBytes > rules.maxSizeBytes)
          flags |= FLAG.EXCLUDED
        else if (kind === KIND.FILE && extensions !== undefined && !extensions.has(extensionOf(name)))
          flags |= FLAG.EXCLUDED
        else if (chain.length > 0 && isIgnored(chain, joinRel(directory, name), kind)) flags |= FLAG.EXCLUDED
        return flags
      }
    }
  }

  #scopeOf(directory: RelPath): RuleScope {
    return this.#scopes.find(s => s.rel === '' || directory === s.rel || directory.startsWith(`${s.rel}/`))!
  }

  #begins(directory: RelPath, name: string): boolean {
    return this.#scopes.length > 1 && this.#scopes.some(s => s.rel === joinRel(directory, name))
  }

  #chain(directory: RelPath, scope: RuleScope): readonly Matcher[] {
    const known = this.#chains.get(directory)
    if (known !== undefined) return known
    const outer = directory === scope.rel ? patterns(scope) : this.#chain(parentOf(directory), scope)
    const chain = [...outer]
    if (scope.rules.gitignore) chain.push(...this.#file(directory, '.gitignore'))
    if (scope.rules.spacedriveignore) chain.push(...this.#file(directory, '.spacedriveignore'))
    this.#chains.set(directory, chain)
    return chain
  }

  #file(directory: RelPath, name: string): Matcher[] {
    const path = fsPath(resolveRel(this.#root, joinRel(directory, name)))
    try {
      const stat = statSync(path, { throwIfNoEntry: false })
      if (stat === undefined || !stat.isFile() || stat.size > MAX_IGNORE_FILE_BYTES) return []
      return [{ base: directory, matcher: ignore({ allowRelativePaths: true }).add(readFileSync(path, 'utf8')) }]
    } catch {
      return [] // unreadable: it says nothing
    }
  }
}

function patterns({ rel, rules }: RuleScope): Matcher[] {
  return rules.ignore.length === 0
    ? []
    : [{ base: rel, matcher: ignore({ allowRelativePaths: true }).add([...rules.ignore]) }]
}

/** The innermost file that says anything of a path decides. */
function isIgnored(chain: readonly Matcher[], path: RelPath, kind: number): boolean {
  let ignored = false
  for (const { base, matcher } of chain) {
    const below = base === '' ? path : path.slice(base.length + 1)
    const result = matcher.test(kind === KIND.DIRECTORY ? `${below}/` : below)
    if (result.ignored) ignored = true
    else if (result.unignored) ignored = false
  }
  return ignored
}

function isSystem(name: string): boolean {
  return SYSTEM_NAMES.has(name) || SYSTEM_PREFIXES.some(p => name.startsWith(p))
}
