import { displayPath, isWithin, parseRelPath, type RelPath, ROOT, SpacedriveError } from '../../storage/base/index.js'
import { ENDS } from '../reconcile/index.js'
import type { EndsOfSync } from './kept-at.js'

/** @throws {SpacedriveError} USAGE: it lies in neither end */
export function pathWithin(sync: EndsOfSync, path: string): RelPath {
  const plain = path.replace(/\/+$/, '')
  if (!path.startsWith('/')) {
    const parsed = plain === '' || plain === '.' ? { path: ROOT } : parseRelPath(plain.replace(/^(\.\/+)+/, ''))
    if ('path' in parsed) return parsed.path
    throw new SpacedriveError('USAGE', `${displayPath(path)} is no path within ${sync.name}: ${parsed.refused}`)
  }
  for (const end of ENDS) {
    if (sync[end].device !== null) continue
    const root = sync[end].path
    if (isWithin(plain, root)) return plain.slice(root.length).replace(/^\/+/, '') as RelPath
  }
  throw new SpacedriveError('USAGE', `${displayPath(path)} lies in neither end of ${sync.name}`, {
    hint: `Name it as it lies below ${displayPath(sync.source.path)}.`
  })
}
