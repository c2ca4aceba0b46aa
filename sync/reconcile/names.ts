import type { RelPath } from '../../storage/base/index.js'
import { isPlainUtf8, pathBytes } from '../../storage/base/paths.js'
import type { EndCapabilities } from './options.js'

export type NameKey = (name: string) => string

/**
 * Under which key names are the same at any of these ends. Case is folded by upper and then lower case, which takes more
 * names for the same than most file systems do (a sharp s and two s): then one of them waits as a problem, and nothing is lost.
 */
export function nameKey(...ends: readonly EndCapabilities[]): NameKey {
  const unicode = ends.some(e => e.foldsUnicode)
  const fold = ends.some(e => e.foldsCase)
  if (!unicode && !fold) return name => name
  return name => {
    const formed = unicode ? name.normalize('NFD') : name
    return fold ? formed.toUpperCase().toLowerCase() : formed
  }
}

export const foldsNames = (end: EndCapabilities): boolean => end.foldsCase || end.foldsUnicode

/** Why an end cannot hold an entry under this name, in words; undefined when it can. */
export function refusedName(name: string, end: EndCapabilities): string | undefined {
  if (pathBytes(name).length > end.maxNameBytes) return `its name is longer than ${end.maxNameBytes} bytes`
  if (!end.anyBytes && !isPlainUtf8(name)) return 'its name is not valid UTF-8'
  for (const c of end.refusedCharacters) if (name.includes(c)) return `its name holds "${c}"`
  if (end.refusedEnds !== '' && end.refusedEnds.includes(name.at(-1)!)) return `its name ends in "${name.at(-1)}"`
  if (end.refusedNames.includes(name))
    return 'its name is kept for spacedrive itself there: rename it, or leave it out in `.spacedriveignore`'
  return undefined
}

export const isBelow = (path: string, directory: string): boolean =>
  directory === '' ? path !== '' : path.startsWith(`${directory}/`)

export const replacePrefix = (path: RelPath, from: RelPath, to: RelPath): RelPath =>
  (path === from ? to : to + path.slice(from.length)) as RelPath
