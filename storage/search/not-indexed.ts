import { lstatSync } from 'node:fs'
import { type AbsPath, fsPath, isWithin, nameOf, pathBytes, type RelPath } from '../base/index.js'
import { CONTENT_KINDS, ENTRY_KINDS, type EntryKind, KIND, saidOf, searchText } from '../entries/index.js'
import { typeOfName } from '../file-types/index.js'
import type { Sql } from '../sql/index.js'
import { Filter } from './filter.js'
import { Hits } from './hits.js'
import { fitOf, parseQuery } from './query.js'
import type { Row } from './rows.js'
import { hiddenPaths, leavesOutHidden, SaidElsewhere, SaidHere, type Waiting, waiting } from './said.js'
import type { SearchFilters } from './search.js'
import type { FindInput, RankedHit } from './search.worker.js'

/** Files looked at by one search, where a size or time is asked for that many of them do not have: a tenth of a second. */
const MAX_LOOKS = 10_000

/**
 * Files and folders of which something was said and that no index holds: the best by name, looked at on the disk now, as
 * many as are shown. One that is gone is found as well, so that what is left of it can be seen and taken away.
 * @param network - folders below which nothing is looked at: a server that is away would keep the thread for good
 */
export function notIndexed(
  people: Sql,
  own: Sql,
  ownHost: number,
  { network, ...input }: FindInput & { network: readonly string[] }
): RankedHit[] {
  const { text, filters, offset, limit } = input.request
  const elsewhere = new SaidElsewhere(own, people, { entries: ownHost, people: input.host })
  const said = new SaidHere(people)
  const filter = new Filter(people, filters, new Hits(people, input.host, said), said)
  const found: RankedHit[] = []
  let looks = 0
  for (const { one, fit, pathBytes } of byName(people, input.host, text, filters)) {
    if (found.length > offset + limit || looks >= MAX_LOOKS) break
    if (elsewhere.entryOf(one) !== undefined) continue
    const away = network.some(folder => isWithin(one.path, folder as AbsPath))
    if (!away) looks++
    const row = away ? unseen(one) : look(one)
    if (filter.fits(row)) found.push({ hit: hitOf(people, one, row), fit, pathBytes })
  }
  return found
}

/** What people said something of, the best fits by name first. */
function byName(
  people: Sql,
  host: number,
  text: string,
  filters: SearchFilters
): { one: Waiting; fit: number; pathBytes: number }[] {
  const query = parseQuery(text)
  const hidden = new Set(leavesOutHidden(filters) ? hiddenPaths(people, host) : [])
  const found: { one: Waiting; fit: number; pathBytes: number }[] = []
  for (const one of waiting(people, host, filters)) {
    const fit = fitOf(searchText(pathBytes(nameOf(one.path as unknown as RelPath))).toLowerCase(), query)
    if (fit !== undefined && !isBelowAny(one.path, hidden)) {
      found.push({ one, fit, pathBytes: pathBytes(one.path).length })
    }
  }
  return found.sort((a, b) => a.fit - b.fit || a.pathBytes - b.pathBytes)
}

function isBelowAny(path: AbsPath, folders: ReadonlySet<AbsPath>): boolean {
  if (folders.size === 0) return false
  for (let at: string = path; at !== ''; at = at.slice(0, at.lastIndexOf('/'))) {
    if (folders.has(at as AbsPath)) return true
  }
  return false
}

interface Looked extends Row {
  readonly gone: boolean
}

/** As far as its name tells. */
function unseen({ id, path }: Waiting): Looked {
  const text = nameOf(path as unknown as RelPath)
  const type = CONTENT_KINDS.indexOf(typeOfName(text).kind)
  const base = { id: -id, parent: 0, name: pathBytes(text), flags: 0, content: null }
  return { ...base, kind: KIND.FILE, type, size: 0, mtimeMs: 0, gone: true }
}

function look(one: Waiting): Looked {
  const base = unseen(one)
  try {
    const s = lstatSync(fsPath(one.path))
    const kind = s.isFile()
      ? KIND.FILE
      : s.isDirectory()
        ? KIND.DIRECTORY
        : s.isSymbolicLink()
          ? KIND.SYMLINK
          : KIND.OTHER
    const type = kind === KIND.FILE ? base.type : 0
    return { ...base, kind, type, size: s.size, mtimeMs: s.mtimeMs, gone: false }
  } catch {
    return base
  }
}

function hitOf(people: Sql, { id, path }: Waiting, row: Looked): RankedHit['hit'] {
  const { tags, labels, favorite, hidden } = saidOf(people, id)
  return {
    ...{ id: null, uuid: null, path, name: nameOf(path as unknown as RelPath) },
    kind: ENTRY_KINDS[row.kind] as EntryKind,
    type: CONTENT_KINDS[row.type] ?? 'unknown',
    ...{ sizeBytes: row.kind === KIND.DIRECTORY ? 0 : row.size, modifiedMs: row.mtimeMs, hash: null },
    ...{ tags, labels, favorite, hidden, location: null, available: !row.gone, device: null }
  }
}
