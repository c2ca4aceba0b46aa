/** The versions of the entries of folders (`vectors.db`): changed in its writer thread alone. */
import { type AbsPath, defineTasks, nameOf, parentOf, pathBytes, type RelPath } from '../../storage/base/index.js'
import type { Sql } from '../../storage/sql/index.js'
import type { ChangedVectors, LearnedVersion, SeenThing, StepNote } from '../endpoints/index.js'
import { isTold, mergeVersions, raiseSettings, raiseVersion, sameVersion, type Version } from '../reconcile/index.js'
import { keyPath } from './path-key.js'
import { VectorRenames } from './vector-renames.js'
import { type VectorRow, VectorRows } from './vector-rows.js'

/** Of whom a task speaks. */
export interface VectorsOf {
  readonly folder: number
  /** The sync that looks or writes. */
  readonly sync: string
  readonly nowMs: number
}

/** Which folder: the same path may name another one tomorrow. */
export interface FolderKey {
  readonly path: AbsPath
  readonly inode: bigint
  readonly birthNs: bigint
}

interface KnownFolder {
  readonly folder: number
  readonly name: string
}

/** What a step was, and what it left. */
export interface NotedStep extends StepNote {
  readonly kind: 'create' | 'replace' | 'remove' | 'move' | 'make-directory' | 'remove-directory' | 'attributes'
  readonly path: RelPath
  readonly to?: RelPath | undefined
  readonly stat?: Pick<SeenThing, 'mode' | 'mtimeNs' | 'inode' | 'birthNs'> | undefined
}

/** A thing as it was told, and what is remembered of its path otherwise. */
export interface Doubted {
  /** Of the thing among those that were told. */
  readonly index: number
  /** Undefined: it is remembered to be gone. */
  readonly row: Pick<VectorRow, 'kind' | 'mode' | 'mtimeNs' | 'inode' | 'birthNs'> | undefined
}

/** That a folder is in use is written down as often. */
const USED_AGAIN_MS = 24 * 3600 * 1000
/** Told at once: with the longest paths half of what a frame holds. */
export const CHANGED_PAGE = 1_000

export const vectoring = defineTasks(import.meta.url, {
  /** @param input.name - what its changes are to be counted under, when it is not known yet */
  open(sql: Sql, { name, nowMs, ...key }: FolderKey & { name: string; nowMs: number }): KnownFolder {
    sql
      .prepare(
        'INSERT INTO folders (path, inode, birth, name, seq, used_at) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING'
      )
      .run([...columnsOf(key), name, nowMs, nowMs])
    const known = find(sql, key)!
    sql
      .prepare('UPDATE folders SET used_at = ? WHERE id = ? AND used_at < ?')
      .run([nowMs, known.folder, nowMs - USED_AGAIN_MS])
    return known
  },

  find,

  /** A page of what others than this sync changed; the first one begins a look. */
  changed(sql: Sql, input: VectorsOf & { after: number; upto?: number | undefined }): ChangedVectors {
    const { folder, sync, after } = input
    new VectorRenames(sql, folder).settle()
    if (input.upto === undefined) begin(sql, input)
    const upto = input.upto ?? sql.prepare<{ seq: number }>('SELECT seq FROM folders WHERE id = ?').get([folder])!.seq
    const found = sql
      .prepare<{ path: Uint8Array; seq: number }>(
        `SELECT path, seq FROM entries WHERE folder = ? AND seq > ? AND seq <= ?
           AND by <> coalesce((SELECT id FROM names WHERE name = ?), 0) ORDER BY seq LIMIT ${CHANGED_PAGE}`
      )
      .all([folder, after, upto, sync])
    const empty = sql.prepare('SELECT 1 FROM entries WHERE folder = ? LIMIT 1').get([folder]) === undefined
    const next = found.length === CHANGED_PAGE ? { next: found.at(-1)!.seq } : {}
    return { paths: found.map(({ path }) => keyPath(path)), upto, empty, ...next }
  },

  /** Which things would be taken for changed by hand, though something is remembered of their paths. */
  doubted(sql: Sql, { things, ...of }: VectorsOf & { things: readonly SeenThing[] }): Doubted[] {
    const rows = new VectorRows(sql, of.folder, of.sync, of.nowMs)
    return things.flatMap((thing, index): Doubted[] => {
      const row = rows.find(thing.path)
      if (row === undefined || rows.intended(thing.path) !== undefined) return []
      if (row.gone !== undefined) return thing.kind === 'gone' ? [] : [{ index, row: undefined }]
      if (thing.kind !== 'gone' && isSame(row, thing) && !isSet(row, thing)) return []
      const { kind, mode, mtimeNs, inode, birthNs } = row
      return [{ index, row: { kind, mode, mtimeNs, inode, birthNs } }]
    })
  },

  /** @returns what each of them has seen */
  observe(
    sql: Sql,
    { things, round, replica, ...of }: VectorsOf & { things: readonly SeenThing[]; round: number; replica: string }
  ): (Version | undefined)[] {
    const rows = new VectorRows(sql, of.folder, of.sync, of.nowMs)
    const found = things.map(thing =>
      thing.kind === 'gone'
        ? observeGone(rows, thing.path, replica)
        : observeThere(rows, thing as There, round, replica)
    )
    rows.end()
    return found
  },

  /** What a batch is about to make of paths. */
  intend(sql: Sql, { steps, ...of }: VectorsOf & { steps: readonly NotedStep[] }): void {
    const rows = new VectorRows(sql, of.folder, of.sync, of.nowMs)
    for (const step of steps) {
      const { path, content = '', version = {} } = step
      const kind = kindOf(step)
      if (kind !== undefined) rows.intend(path, { kind, content, version })
    }
  },

  /** What a batch made of them: of a step that was not done `stat` is missing, and of what is gone. */
  achieved(
    sql: Sql,
    { steps, failed, ...of }: VectorsOf & { steps: readonly NotedStep[]; failed: readonly RelPath[] }
  ): void {
    const rows = new VectorRows(sql, of.folder, of.sync, of.nowMs)
    for (const path of failed) rows.isDone(path)
    for (const step of steps) if (kindOf(step) === 'gone') buried(rows, step)
    const moves = steps.flatMap(({ kind, path, to }) => (kind === 'move' && to !== undefined ? [{ path, to }] : []))
    rows.move(moves)
    for (const step of steps) if (kindOf(step) !== 'gone') placed(rows, step)
    rows.end()
  },

  /** Those that are there have seen this as well. */
  learn(sql: Sql, { notes, ...of }: VectorsOf & { notes: readonly LearnedVersion[] }): void {
    const rows = new VectorRows(sql, of.folder, of.sync, of.nowMs)
    for (const { path, version } of notes) {
      const row = rows.find(path)
      if (row === undefined || row.gone !== undefined) continue
      const merged = mergeVersions(row.version, version)!
      if (!sameVersion(merged, row.version)) rows.put({ ...row, version: merged }, rows.next())
    }
    rows.end()
  }
})

const columnsOf = ({ path, inode, birthNs }: FolderKey) => [pathBytes(path), String(inode), String(birthNs)]

function find(sql: Sql, key: FolderKey): KnownFolder | undefined {
  return sql
    .prepare<KnownFolder>('SELECT id AS folder, name FROM folders WHERE path = ? AND inode = ? AND birth = ?')
    .get(columnsOf(key))
}

type There = SeenThing & Pick<VectorRow, 'kind'>

/** A look begins: what the one before found of renames is over. */
function begin(sql: Sql, { folder }: VectorsOf): void {
  sql.prepare('DELETE FROM moved WHERE folder = ?').run([folder])
}

function observeThere(rows: VectorRows, thing: There, round: number, replica: string): Version {
  const { path } = thing
  const row = rows.find(path)
  if (row !== undefined && row.gone === undefined && isSame(row, thing)) {
    const set = isSet(row, thing)
    const version = set ? raiseSettings(row.version, replica, rows.next()) : row.version
    if (set || row.inode !== thing.inode || row.birthNs !== thing.birthNs)
      rows.put({ ...thing, version }, set ? rows.next() : row.seq)
    return version
  }
  const intended = rows.intended(path)
  if (intended !== undefined) rows.isDone(path)
  const version =
    intended !== undefined && isSame(intended, thing)
      ? intended.version
      : row === undefined && thing.agreed
        ? {}
        : changedByHand(rows, thing, { row, round, replica })
  rows.put({ ...thing, version }, rows.next())
  return version
}

/** It came, got other content, or was renamed: then it keeps what it had seen, and what takes a name has seen what was there. */
function changedByHand(
  rows: VectorRows,
  thing: There,
  { row, round, replica }: { row: VectorRow | undefined; round: number; replica: string }
): Version {
  const raise = (version: Version | undefined): Version => raiseVersion(version, replica, rows.next())
  const { path } = thing
  const from = rows.buried(thing.inode, thing.birthNs, round)
  if (from === undefined || from.kind !== thing.kind || from.path === path) return raise(row?.version)
  const along = nameOf(from.path) === nameOf(path) && rows.movedTo(parentOf(from.path)) === parentOf(path)
  rows.noteMoved(from.path, path)
  rows.drop(from.path)
  // What lies in it and was not looked at went along.
  if (thing.kind === 'directory') rows.move([{ path: from.path, to: path }])
  const seen = mergeVersions(from.was, row?.version)
  const version = along && isSame(from, thing) ? (seen ?? {}) : raise(seen)
  return isSet(from, thing) ? raiseSettings(version, replica, rows.next()) : version
}

function observeGone(rows: VectorRows, path: RelPath, replica: string): Version | undefined {
  const row = rows.find(path)
  if (row === undefined || row.gone !== undefined) return row?.version
  const intended = rows.intended(path)
  if (intended !== undefined) rows.isDone(path)
  if (intended?.kind !== 'gone' && !isTold(row.version)) {
    // It has seen nothing that anybody counted: that it is gone is for the archive to judge.
    rows.drop(path)
    return undefined
  }
  const version = intended?.kind === 'gone' ? intended.version : raiseVersion(row.version, replica, rows.next())
  rows.bury({ ...row, version }, row.version, rows.next())
  return version
}

/** Undefined: of a rename, or permission bits, nothing is known before they are done. */
function kindOf({ kind, link }: NotedStep): SeenThing['kind'] | undefined {
  if (kind === 'create' || kind === 'replace') return link === true ? 'symlink' : 'file'
  if (kind === 'make-directory') return 'directory'
  return kind === 'remove' || kind === 'remove-directory' ? 'gone' : undefined
}

function buried(rows: VectorRows, { path, version }: NotedStep): void {
  rows.isDone(path)
  const row = rows.find(path)
  if (version === undefined) rows.drop(path)
  else rows.bury({ ...(row ?? { ...NOTHING, path }), version }, version, rows.next())
}

function placed(rows: VectorRows, step: NotedStep): void {
  const { stat, content = '', version = {} } = step
  const path = step.to ?? step.path
  const kind = kindOf(step)
  if (stat === undefined) return
  if (kind !== undefined && kind !== 'gone') {
    rows.isDone(path)
    rows.put({ path, kind, content, ...stat, version }, rows.next())
    return
  }
  const row = rows.find(path)
  if (row === undefined || row.gone !== undefined) return
  if (step.kind === 'move') rows.put({ ...row, ...stat, version: mergeVersions(row.version, version)! }, rows.next())
  else rows.put({ ...row, ...stat }, row.seq)
}

const NOTHING = { kind: 'file', content: '', mode: 0, mtimeNs: 0n, inode: 0n, birthNs: 0n } as const

const isSame = (a: Pick<SeenThing, 'kind' | 'content'>, b: Pick<SeenThing, 'kind' | 'content'>): boolean =>
  a.kind === b.kind && a.content === b.content

const CARRIED_BITS = 0o777

/** Permission bits or time are others: those of a link are its own, the time of a directory tells when a name came or went. */
const isSet = (a: Pick<SeenThing, 'kind' | 'mode' | 'mtimeNs'>, b: Pick<SeenThing, 'mode' | 'mtimeNs'>): boolean =>
  a.kind !== 'symlink' &&
  ((a.mode & CARRIED_BITS) !== (b.mode & CARRIED_BITS) || (a.kind === 'file' && a.mtimeNs !== b.mtimeNs))
