import ignore, { type Ignore } from 'ignore'
import { isWithin, type RelPath } from '../../storage/base/index.js'

export const IGNORE_FILE = '.spacedriveignore'
/** One beyond this is not taken for an ignore file. */
export const MAX_IGNORE_FILE_BYTES = 1024 * 1024

/** Rules of one folder, in the manner of .gitignore; those of `--ignore` stand at the root. */
export interface IgnoreRules {
  readonly folder: RelPath
  readonly text: string
}

/** A matcher remembers every path that it was asked about: it is made anew after so many. */
const FRESH_AFTER = 50_000

/**
 * What the rules of both ends together leave out (SYNC.md 9): asked with paths in tree order, it knows that all below an
 * ignored directory is. A rule of a deeper folder wins over one of a folder around it, as in git.
 */
export class Ignored {
  readonly #rules: readonly IgnoreRules[]
  #matchers: readonly { readonly folder: RelPath; readonly matcher: Ignore }[] = []
  #asked = 0
  #under: RelPath | undefined

  constructor(rules: readonly IgnoreRules[]) {
    this.#rules = [...rules].sort((a, b) => a.folder.length - b.folder.length)
    this.#make()
  }

  get none(): boolean {
    return this.#rules.length === 0
  }

  /** In tree order: `inside` is true below a directory that is ignored itself. */
  next(path: RelPath, directory: boolean): 'no' | 'ignored' | 'inside' {
    if (this.#under !== undefined && isWithin(path, this.#under)) return path === this.#under ? 'ignored' : 'inside'
    this.#under = undefined
    if (!this.#matches(path, directory)) return 'no'
    if (directory) this.#under = path
    return 'ignored'
  }

  /** Any path, with all directories above it. */
  ignores(path: RelPath, directory = false): boolean {
    for (let at = path.indexOf('/'); at >= 0; at = path.indexOf('/', at + 1))
      if (this.#matches(path.slice(0, at) as RelPath, true)) return true
    return this.#matches(path, directory)
  }

  #matches(path: RelPath, directory: boolean): boolean {
    if (++this.#asked % FRESH_AFTER === 0) this.#make()
    let ignored = false
    for (const { folder, matcher } of this.#matchers) {
      if (folder !== '' && !path.startsWith(`${folder}/`)) continue
      const below = folder === '' ? path : path.slice(folder.length + 1)
      const found = matcher.test(directory ? `${below}/` : below)
      if (found.ignored) ignored = true
      else if (found.unignored) ignored = false
    }
    return ignored
  }

  #make(): void {
    this.#matchers = this.#rules.map(({ folder, text }) => ({
      folder,
      matcher: ignore({ allowRelativePaths: true }).add(text)
    }))
  }
}

/** The line that decides that a path is left alone. */
export interface IgnoringLine {
  readonly rules: IgnoreRules
  /** From 1 on. */
  readonly line: number
  readonly pattern: string
  /** What it matches: the path, or a folder above it. */
  readonly at: RelPath
}

/** Which line leaves a path out, as `Ignored` does; undefined: none. */
export function ignoredBy(all: readonly IgnoreRules[], path: RelPath, directory: boolean): IgnoringLine | undefined {
  const rules = [...all].sort((a, b) => a.folder.length - b.folder.length)
  for (let end = path.indexOf('/'); ; end = path.indexOf('/', end + 1)) {
    const at = (end < 0 ? path : path.slice(0, end)) as RelPath
    const found = decidingLine(rules, at, end >= 0 || directory)
    if (found !== undefined || end < 0) return found
  }
}

function decidingLine(rules: readonly IgnoreRules[], at: RelPath, directory: boolean): IgnoringLine | undefined {
  let found: IgnoringLine | undefined
  for (const rule of rules) {
    if (rule.folder !== '' && !at.startsWith(`${rule.folder}/`)) continue
    const below = rule.folder === '' ? at : at.slice(rule.folder.length + 1)
    const name = directory ? `${below}/` : below
    const said = ignore({ allowRelativePaths: true }).add(rule.text).test(name)
    if (said.unignored) found = undefined
    if (!said.ignored) continue
    const lines = rule.text.split('\n')
    const line = lines.findLastIndex(text => ignore({ allowRelativePaths: true }).add(text).test(name).ignored)
    found = { rules: rule, line: line + 1, pattern: lines[line] ?? '', at }
  }
  return found
}
