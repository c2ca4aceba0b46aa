import { displayPath, type RelPath, SpacedriveError } from '../../storage/base/index.js'
import { MAX_PATTERNS } from './limits.js'

/**
 * `--only`: `*` any letters of one name, `?` one, `[a-z]` or `[!a-z]` a set, `{a,b}` either, a backslash takes the next letter
 * as it is, a name `**` any number of folders. A pattern without a slash fits a name at any depth; one with a slash fits the
 * path from the top. A folder that fits brings all it holds.
 *
 * No regular expressions: names come from another device, and matching must take no longer than name times pattern.
 */
export interface Globs {
  /** True when the entry itself or a folder above it fits. */
  matches(path: RelPath): boolean
}

type Token = { any: true } | { one: true } | { set: readonly [string, string][]; not: boolean } | { char: string }
type Pattern = { anywhere: boolean; names: readonly (readonly Token[] | '**')[] }

/** @throws {SpacedriveError} BAD_PATTERN */
export function globs(patterns: readonly string[]): Globs {
  const compiled = patterns.flatMap(expandBraces).map(compile)
  if (compiled.length > MAX_PATTERNS) throw bad(patterns[0]!, `there are more than ${MAX_PATTERNS}`)
  return {
    matches(path) {
      const names = path.split('/').map(name => [...name])
      for (let depth = 1; depth <= names.length; depth++) {
        const part = names.slice(0, depth)
        if (
          compiled.some(p => (p.anywhere ? matchName(p.names[0] as Token[], part.at(-1)!) : matchPath(p.names, part)))
        )
          return true
      }
      return false
    }
  }
}

function compile(pattern: string): Pattern {
  const trimmed = pattern.replace(/^(\.?\/)+/, '').replace(/\/+$/, '')
  if (trimmed === '') throw bad(pattern, 'it is empty')
  const names = trimmed.split('/').map(name => (name === '**' ? '**' : tokens(pattern, name)))
  return { anywhere: !pattern.replace(/\/+$/, '').includes('/') && names[0] !== '**', names }
}

function tokens(pattern: string, name: string): Token[] {
  const out: Token[] = []
  const chars = [...name]
  for (let i = 0; i < chars.length; i++) {
    const c = chars[i]!
    if (c === '*') {
      const last = out.at(-1)
      if (last === undefined || !('any' in last)) out.push({ any: true })
    } else if (c === '?') out.push({ one: true })
    else if (c === '[') {
      const close = chars.indexOf(']', i + (chars[i + 1] === '!' || chars[i + 1] === '^' ? 3 : 2))
      if (close < 0) throw bad(pattern, 'a "[" has no "]"')
      out.push(set(chars.slice(i + 1, close)))
      i = close
    } else {
      if (c === '\\' && i + 1 < chars.length) i++
      out.push({ char: chars[i]! })
    }
  }
  return out
}

function set(chars: readonly string[]): Token {
  const not = chars[0] === '!' || chars[0] === '^'
  const list = not ? chars.slice(1) : chars
  const ranges: [string, string][] = []
  for (let i = 0; i < list.length; i++) {
    if (list[i + 1] === '-' && i + 2 < list.length) {
      ranges.push([list[i]!, list[i + 2]!])
      i += 2
    } else ranges.push([list[i]!, list[i]!])
  }
  return { set: ranges, not }
}

function matchOne(token: Token, c: string): boolean {
  if ('one' in token) return true
  if ('char' in token) return token.char === c
  if ('set' in token) return token.set.some(([from, to]) => from <= c && c <= to) !== token.not
  return false
}

/** Wildcards with one point to come back to: the last star. */
function matchName(pattern: readonly Token[], name: readonly string[]): boolean {
  let p = 0
  let n = 0
  let star = -1
  let from = 0
  while (n < name.length) {
    const token = pattern[p]
    if (token !== undefined && 'any' in token) {
      star = p++
      from = n
    } else if (token !== undefined && matchOne(token, name[n]!)) {
      p++
      n++
    } else if (star >= 0) {
      p = star + 1
      n = ++from
    } else return false
  }
  while (p < pattern.length && 'any' in pattern[p]!) p++
  return p === pattern.length
}

/** The same over names, where `**` is the star. */
function matchPath(pattern: Pattern['names'], names: readonly (readonly string[])[]): boolean {
  let p = 0
  let n = 0
  let star = -1
  let from = 0
  while (n < names.length) {
    const part = pattern[p]
    if (part === '**') {
      star = p++
      from = n
    } else if (part !== undefined && matchName(part, names[n]!)) {
      p++
      n++
    } else if (star >= 0) {
      p = star + 1
      n = ++from
    } else return false
  }
  while (pattern[p] === '**') p++
  return p === pattern.length
}

function expandBraces(pattern: string): string[] {
  const open = pattern.search(/(?<!\\)\{/)
  if (open < 0) return [pattern]
  let depth = 0
  const cuts = [open]
  for (let i = open; i < pattern.length; i++) {
    const c = pattern[i]
    if (c === '\\') i++
    else if (c === '{') depth++
    else if (c === ',' && depth === 1) cuts.push(i)
    else if (c === '}' && --depth === 0) {
      const parts = [...cuts, i].slice(1).map((cut, k) => pattern.slice(cuts[k]! + 1, cut))
      const all = parts.flatMap(part => expandBraces(pattern.slice(0, open) + part + pattern.slice(i + 1)))
      if (all.length > MAX_PATTERNS) throw bad(pattern, `its braces stand for more than ${MAX_PATTERNS}`)
      return all
    }
  }
  throw bad(pattern, 'a "{" has no "}"')
}

function bad(pattern: string, why: string): SpacedriveError {
  return new SpacedriveError('BAD_PATTERN', `could not read the pattern "${displayPath(pattern)}": ${why}`, {
    hint: 'Patterns look like "*.jpg", "photos/**" or "*.{jpg,png}".'
  })
}
