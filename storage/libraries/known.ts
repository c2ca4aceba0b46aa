import { existsSync, realpathSync } from 'node:fs'
import { basename, dirname, isAbsolute } from 'node:path'
import { type AbsPath, displayPath, SpacedriveError } from '../base/index.js'
import type { Database } from '../sql/index.js'
import type { KnownLibrary } from './instance.worker.js'

/** A prefix of an id shorter than this names nothing. */
const MIN_PREFIX = 8

/** What the instance database knows of libraries. */
export function knownRows(database: Database, kind: 'portable' | 'any' = 'portable'): KnownLibrary[] {
  const rows = database.all<KnownLibrary>('SELECT * FROM libraries ORDER BY name, path')
  return kind === 'any' ? rows : rows.filter(r => r.kind === 'portable')
}

export function knownRow(database: Database, path: string): KnownLibrary | undefined {
  return database.get<KnownLibrary>('SELECT * FROM libraries WHERE path = ?', [path])
}

/** By path, id, prefix of an id or name. @throws LIBRARY_NOT_FOUND, AMBIGUOUS */
export function findKnown(database: Database, which: string): KnownLibrary {
  const known = knownRows(database)
  const exact = known.find(r => r.path === which || r.library === which)
  if (exact !== undefined) return exact
  const fits = known.filter(r => r.name === which || (which.length >= MIN_PREFIX && r.library.startsWith(which)))
  if (fits.length === 1) return fits[0]!
  if (fits.length > 1) {
    throw new SpacedriveError('AMBIGUOUS', `several libraries are called ${displayPath(which)}`, {
      hint: `Say which by its id: ${fits.map(r => `${r.library} (${r.path})`).join(', ')}`
    })
  }
  throw new SpacedriveError('LIBRARY_NOT_FOUND', `no library is called ${displayPath(which)}`, {
    hint: 'spacedrive library list shows those that are known.'
  })
}

/** The folder meant: a path (also of its library.json), or a known library by id or name. @throws LIBRARY_NOT_FOUND, AMBIGUOUS */
export function folderOf(database: Database, which: string): AbsPath {
  const known = knownRow(database, which)
  if (known !== undefined) return known.path as AbsPath
  if (!isAbsolute(which)) return findKnown(database, which).path as AbsPath
  if (!existsSync(which)) {
    throw new SpacedriveError('LIBRARY_NOT_FOUND', `there is no library at ${displayPath(which)}`, {
      hint: 'Connect its disk, or look where it was moved: spacedrive library open PATH'
    })
  }
  const real = realpathSync(which)
  return (basename(real) === 'library.json' ? dirname(real) : real) as AbsPath
}
