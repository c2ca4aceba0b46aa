import { type AbsPath, isWithin, nameOf, pathBytes, type RelPath, SpacedriveError } from '../base/index.js'
import {
  findBelow,
  findByPath,
  type IndexWriter,
  KIND,
  rootsOf,
  rowById,
  rowByName,
  type Seen
} from '../entries/index.js'
import { type Look, lookAt } from './look.js'

/**
 * The entry of a location's folder, made if need be. A folder inside a tree that is indexed already shares its rows; one
 * around such trees adopts them: ids, hashes and seqs stay, only what they hang on changes.
 */
export function ensureRoot(writer: IndexWriter, path: AbsPath): number {
  const { sql, host } = writer
  const found = findByPath(sql, host, path)
  if (found !== undefined && rowById(sql, found)?.kind === KIND.DIRECTORY) return found
  const outer = rootsOf(sql, host).find(r => r.path !== path && isWithin(path, r.path))
  if (outer !== undefined) return makeChain(writer, outer.id, outer.path, path)
  const root = writer.insert(-host, seenOf(path, pathBytes(path)))
  for (const inner of rootsOf(sql, host)) {
    if (inner.path !== path && isWithin(inner.path, path)) adopt(writer, root, path, inner)
  }
  return root
}

/** Rows for the directories from a recorded one down to `path`. @returns the last */
function makeChain(writer: IndexWriter, from: number, fromPath: AbsPath, path: AbsPath): number {
  let at = from
  let walked: string = fromPath === '/' ? '' : fromPath
  for (const name of path.slice(walked.length + 1).split('/')) {
    walked = `${walked}/${name}`
    const row = rowByName(writer.sql, at, pathBytes(name))
    at = row?.kind === KIND.DIRECTORY ? row.id : writer.insert(at, seenOf(walked, pathBytes(name)))
  }
  return at
}

function adopt(writer: IndexWriter, root: number, path: AbsPath, inner: { id: number; path: AbsPath }): void {
  const { sql } = writer
  const below = inner.path.slice(path === '/' ? 1 : path.length + 1) as RelPath
  const parentRel = below.slice(0, Math.max(0, below.lastIndexOf('/'))) as RelPath
  const parentPath = (parentRel === '' ? path : `${path === '/' ? '' : path}/${parentRel}`) as AbsPath
  const parent = findBelow(sql, root, parentRel) ?? makeChain(writer, root, path, parentPath)
  const row = rowById(sql, inner.id)
  if (row === undefined) return
  // Neither the entry nor anything in it changed: no seq.
  sql.prepare('UPDATE entries SET parent = ?, name = ? WHERE id = ?').run([parent, pathBytes(nameOf(below)), inner.id])
  writer.reparented(inner.id, parent)
  writer.addWhole(row, parent, 1)
  writer.touch(parent)
}

function seenOf(path: string, name: Uint8Array): Seen {
  const look: Look = lookAt(path)
  if (look.state !== 'seen' || look.kind !== KIND.DIRECTORY) {
    throw new SpacedriveError('LOCATION_OFFLINE', `the folder ${path} is not there`)
  }
  const { mtimeNs, ctimeNs, birthNs, inode, device, mode } = look
  return { name, kind: KIND.DIRECTORY, type: 0, size: 0, mtimeNs, ctimeNs, birthNs, inode, device, mode, flags: 0 }
}
