import { SpacedriveError } from '../base/index.js'
import type { Library } from '../libraries/index.js'
import { asksForSaid } from './said.js'
import type { SearchFilters } from './search.js'

/** Where a search looks; what is undefined is left out. `roots`: only below these entries. */
export interface Places {
  readonly here: { readonly roots?: readonly number[] } | undefined
  /** The rows that the library which the instance keeps for itself holds. */
  readonly own: { readonly roots?: readonly number[] } | undefined
  /** Files that no index holds and of which something was said. */
  readonly elsewhere: true | undefined
}

interface LocationRow {
  readonly name: string
  readonly path: Uint8Array
  readonly entry: number | null
  readonly shared: number
}

const nothing = { here: undefined, own: undefined, elsewhere: undefined } as const

/** @throws BAD_INPUT for a location that there is not */
export function placesOf(library: Library, own: Library, filters: SearchFilters): Places {
  if (filters.location !== undefined) return placeOf(library, own, filters.location)
  if (library.kind === 'own') return { ...nothing, here: {} }
  // Something may be said of any file, so that no location needs to show it in this library.
  if (asksForSaid(filters)) return { here: {}, own: {}, elsewhere: true }
  const shared = library.database
    .all<LocationRow>('SELECT name, path, entry, shared FROM locations WHERE shared = 1 AND host = ?', [library.host])
    .flatMap(({ path }) => entryIn(own, path))
  return { ...nothing, here: {}, own: shared.length > 0 ? { roots: shared } : undefined }
}

function placeOf(library: Library, own: Library, which: string): Places {
  const here = findLocation(library, which)
  if (here !== undefined && here.shared === 0) return { ...nothing, here: { roots: [here.entry ?? 0] } }
  const there = here === undefined ? findLocation(own, which) : here
  if (there === undefined) {
    throw new SpacedriveError('BAD_INPUT', `there is no location ${which}`, {
      hint: 'spacedrive location list shows them.'
    })
  }
  return { ...nothing, own: { roots: entryIn(own, there.path) } }
}

/** By id, the first or last 8 letters of one or more, or name. */
function findLocation(library: Library, which: string): LocationRow | undefined {
  const part = which.length >= 8 ? which.replace(/[%_]/g, '') : which
  const found = library.database.all<LocationRow>(
    `SELECT name, path, entry, shared FROM locations
     WHERE uuid = ? OR name = ? OR uuid LIKE ? OR uuid LIKE ?`,
    [which, which, which.length >= 8 ? `${part}%` : which, which.length >= 8 ? `%${part}` : which]
  )
  if (found.length <= 1) return found[0]
  throw new SpacedriveError('BAD_INPUT', `several locations are called ${which}`, {
    hint: 'spacedrive location list shows their ids.'
  })
}

function entryIn(own: Library, path: Uint8Array): number[] {
  const row = own.database.get<{ entry: number | null }>('SELECT entry FROM locations WHERE host = ? AND path = ?', [
    own.host,
    path
  ])
  return row?.entry == null ? [] : [row.entry]
}
