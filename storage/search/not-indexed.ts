import { lstatSync } from 'node:fs'
import { fsPath, nameOf, pathBytes, type RelPath } from '../base/index.js'
import { CONTENT_KINDS, ENTRY_KINDS, type EntryKind, KIND, saidOf, searchText } from '../entries/index.js'
import { typeOfName } from '../file-types/index.js'
import type { Sql } from '../sql/index.js'
import { Filter } from './filter.js'
import { Hits } from './hits.js'
import { fitOf, parseQuery } from './query.js'
import type { Row } from './rows.js'
import { SaidElsewhere, SaidHere, type Waiting, waiting } from './said.js'
import type { FindInput, RankedHit } from './search.worker.js'

/**
 * Files and folders of which something was said and that no index holds: looked at on the disk now. One that is gone is
 * found as well, so that what is left of it can be seen and taken away.
 */
export function notIndexed(people: Sql, own: Sql, ownHost: number, input: FindInput): RankedHit[] {
  const { text, filters, offset, limit } = input.request
  const query = parseQuery(text)
  const elsewhere = new SaidElsewhere(own, people, { entries: ownHost, people: input.host })
  const said = new SaidHere(people)
  const filter = new Filter(people, filters, new Hits(people, input.host, said), said)
  const found: RankedHit[] = []
  for (const one of waiting(people, input.host, filters)) {
    if (elsewhere.entryOf(one) !== undefined) continue
    const row = look(one)
    const fit = fitOf(searchText(row.name).toLowerCase(), query)
    if (fit === undefined || !filter.fits(row)) continue
    found.push({ hit: hitOf(people, one, row), fit, pathBytes: pathBytes(one.path).length })
  }
  found.sort((a, b) => a.fit - b.fit || a.pathBytes - b.pathBytes)
  return found.slice(0, offset + limit + 1)
}

interface Looked extends Row {
  readonly gone: boolean
}

function look({ id, path }: Waiting): Looked {
  const text = nameOf(path as unknown as RelPath)
  const type = CONTENT_KINDS.indexOf(typeOfName(text).kind)
  const base = { id: -id, parent: 0, name: pathBytes(text), flags: 0, content: null }
  try {
    const s = lstatSync(fsPath(path))
    const kind = s.isFile()
      ? KIND.FILE
      : s.isDirectory()
        ? KIND.DIRECTORY
        : s.isSymbolicLink()
          ? KIND.SYMLINK
          : KIND.OTHER
    return { ...base, kind, type: kind === KIND.FILE ? type : 0, size: s.size, mtimeMs: s.mtimeMs, gone: false }
  } catch {
    return { ...base, kind: KIND.FILE, type, size: 0, mtimeMs: 0, gone: true }
  }
}

function hitOf(people: Sql, { id, path }: Waiting, row: Looked): RankedHit['hit'] {
  const { tags, labels, favorite } = saidOf(people, id)
  return {
    ...{ id: null, uuid: null, path, name: nameOf(path as unknown as RelPath) },
    kind: ENTRY_KINDS[row.kind] as EntryKind,
    type: CONTENT_KINDS[row.type] ?? 'unknown',
    ...{ sizeBytes: row.kind === KIND.DIRECTORY ? 0 : row.size, modifiedMs: row.mtimeMs, hash: null },
    ...{ tags, labels, favorite, location: null, available: !row.gone, device: null }
  }
}
