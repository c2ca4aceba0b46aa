import type { RelPath } from '../../storage/base/index.js'
import { joinRel, nameOf, parentOf } from '../../storage/base/paths.js'
import { conflictNames, isConflictCopy } from './conflict-name.js'
import { decide } from './decide.js'
import { ENDS, type End, type Entry, identityKey, isLeaf, isPresent, otherEnd, type Row, versionOf } from './entry.js'
import { makerOf } from './maker.js'
import { foldsNames, nameKey } from './names.js'
import type { ReconcileOptions, Rows } from './options.js'

/** Equal content smaller than this says nothing: empty files and licences are everywhere (SYNC.md 2). */
export const MIN_PAIRED_BYTES = 4096

/**
 * What cannot be decided row by row: directories, whatever moved, lies below something that moved or changes its kind, is
 * unknown, in conflict, or alike in name. All other rows are leaves whose fate depends on nothing but themselves and
 * whether their directory can be had: those are streamed, never kept, so that memory grows with what is entangled alone.
 */
export interface Gathered {
  readonly entangled: ReadonlyMap<RelPath, Row>
  /** At this end lies a directory that cannot be read and that the archive does not know: what is missing may be in it. */
  readonly waits: Readonly<Record<End, boolean>>
  /** A directory was deleted at one end: leaves in it decide whether it stays. */
  readonly deletedDirectories: boolean
}

type Ends<T> = Record<End, T>
const both = <T>(make: () => T): Ends<T> => ({ source: make(), destination: make() })

export function gather(rows: Rows, options: ReconcileOptions): Gathered {
  const entangled = new Map<RelPath, Row>()
  const waits = both(() => false)
  /** Things the archive proves at an end that are not where they were. */
  const left = both(() => new Map<string, RelPath>())
  const lost = both(() => new Map<string, RelPath | undefined>())
  const roots = new Set<RelPath>()
  const alike = namesAlike(options)
  let [deletedDirectories, fresh] = [false, false]

  for (const row of rows.changed()) {
    const { path, base } = row
    alike?.note(path)
    fresh ||= base === undefined
    const kinds = [base, row.source, row.destination].filter(e => e !== undefined && e.kind !== 'gone')
    const directories = kinds.filter(e => e!.kind === 'directory').length
    if (directories > 0 || kinds.some(e => e!.kind === 'unknown')) {
      entangled.set(path, row)
      if (directories > 0 && directories < kinds.length) roots.add(path)
      if (directories > 0 && decide(row, options) === 'neither') deletedDirectories = true
    } else if (decide(row, options) === 'conflict') {
      entangled.set(path, row)
      noteCopies(rows, row, options, entangled)
    }
    for (const end of ENDS) {
      const entry = row[end]
      if (
        entry?.kind === 'unknown' &&
        entry.reason === 'unreadable' &&
        base === undefined &&
        entry.directory === true
      ) {
        waits[end] = true
      }
      if (base === undefined) continue
      const proof = base[end].identity
      if (proof !== undefined && !isAt(entry, row, end)) left[end].set(identityKey(proof), path)
      if (!isPresent(entry)) {
        if (base.kind === 'directory') deletedDirectories = true
        if (base.kind === 'file' && base.sizeBytes >= MIN_PAIRED_BYTES) {
          lost[end].set(base.hash, lost[end].has(base.hash) ? undefined : path)
        }
      }
    }
  }

  if (alike !== undefined && fresh) {
    // What stays as it is may have the name already.
    for (const row of rows.unlisted?.(path => alike.isNoted(path)) ?? []) {
      alike.note(row.path)
      entangled.set(row.path, row)
    }
  }
  const moved = findMoves(rows, left, lost, entangled, roots, alike)
  for (const path of moved) {
    const row = rows.find(path)
    if (row !== undefined) entangled.set(path, row)
  }
  if (roots.size > 0) {
    for (const row of rows.changed()) {
      if (!entangled.has(row.path) && hasRootAbove(row.path, roots)) entangled.set(row.path, row)
    }
  }
  addHolders(rows, entangled)
  return { entangled: inOrder(entangled), waits, deletedDirectories }
}

/**
 * Of a run that was cut short the archive may know a directory and not the one that holds it: that one is listed then, and
 * the other, which is the same everywhere, is not, though something in it is. Or it knows a thing and not the directory that held
 * it, which is gone, so that nothing lists it: then that directory is nowhere, and not the same everywhere.
 */
function addHolders(rows: Rows, entangled: Map<RelPath, Row>): void {
  const found = new Map<RelPath, Row | undefined>()
  const find = (path: RelPath): Row | undefined => {
    if (!found.has(path)) found.set(path, rows.find(path))
    return found.get(path)
  }
  for (const path of [...entangled.keys()]) {
    const unlisted: Row[] = []
    let at = parentOf(path)
    for (; at !== '' && !entangled.has(at); at = parentOf(at)) {
      const row = find(at)
      if (row?.base === undefined) entangled.set(at, row ?? { path: at })
      else unlisted.push(row)
    }
    if (at === '' || entangled.get(at)!.base !== undefined) continue
    for (const row of unlisted) entangled.set(row.path, row)
  }
}

/** Second pass: what arrived somewhere, by proof or as the only one with its content; what is alike in name. */
function findMoves(
  rows: Rows,
  left: Ends<Map<string, RelPath>>,
  lost: Ends<Map<string, RelPath | undefined>>,
  entangled: Map<RelPath, Row>,
  roots: Set<RelPath>,
  alike: NamesAlike | undefined
): Set<RelPath> {
  const wanted = new Set<RelPath>()
  if (alike === undefined && ENDS.every(end => left[end].size === 0 && lost[end].size === 0)) return wanted
  const found = both(() => new Map<string, RelPath | undefined>())
  for (const row of rows.changed()) {
    if (alike?.isAlike(row.path) === true) {
      entangled.set(row.path, row)
      if (entriesOf(row).some(e => e.kind === 'directory')) roots.add(row.path)
    }
    for (const end of ENDS) {
      const entry = row[end]
      if (!isPresent(entry)) continue
      const from = entry.identity === undefined ? undefined : left[end].get(identityKey(entry.identity))
      if (from !== undefined && from !== row.path) {
        entangled.set(row.path, row)
        wanted.add(from)
        if (entry.kind === 'directory') roots.add(from).add(row.path)
        // All that a directory held may have moved, and so the directory.
        roots.add(parentOf(from)).add(parentOf(row.path))
      }
      if (row.base === undefined && entry.kind === 'file' && lost[end].has(entry.hash)) {
        found[end].set(entry.hash, found[end].has(entry.hash) ? undefined : row.path)
      }
    }
  }
  // A directory that is where it was moved nowhere; only what came from or went to it is of interest.
  for (const root of roots) if (!isNewOrGone(rows.find(root))) roots.delete(root)
  for (const end of ENDS) {
    for (const [hash, to] of found[end]) {
      const from = lost[end].get(hash)
      if (to !== undefined && from !== undefined) wanted.add(to).add(from)
    }
  }
  return wanted
}

const isNewOrGone = (row: Row | undefined): boolean =>
  row !== undefined && (row.base === undefined || ENDS.some(end => !isAt(row[end], row, end)))

/** Whether the thing that the archive knows at this path is still there, as far as can be told. */
function isAt(entry: Entry | undefined, { base }: Row, end: End): boolean {
  if (!isPresent(entry) || base === undefined || entry.kind !== base.kind) return false
  const [then, now] = [base[end].identity, entry.identity]
  return then === undefined || now === undefined || (then.inode === now.inode && then.birthNs === now.birthNs)
}

/** Rows that a conflict copy would be given the name of. */
function noteCopies(rows: Rows, row: Row, options: ReconcileOptions, entangled: Map<RelPath, Row>): void {
  const name = nameOf(row.path)
  if (isConflictCopy(name)) return
  for (const end of ENDS) {
    const entry = row[end]
    if (!isLeaf(entry)) continue
    const device = makerOf(entry.version, versionOf(row[otherEnd(end)]), end, options)
    for (const copy of conflictNames({ name, mtimeNs: entry.mtimeNs, device })) {
      const there = rows.find(joinRel(parentOf(row.path), copy))
      if (there === undefined) break
      entangled.set(there.path, there)
    }
  }
}

interface NamesAlike {
  note(path: RelPath): void
  isNoted(path: RelPath): boolean
  isAlike(path: RelPath): boolean
}

/** Paths that fold to one where an end folds, told by 32 bits of a hash: some that are not alike are kept for nothing. */
function namesAlike(options: ReconcileOptions): NamesAlike | undefined {
  if (!foldsNames(options.source) && !foldsNames(options.destination)) return undefined
  const key = nameKey(options.source, options.destination)
  const seen = new Set<number>()
  const twice = new Set<number>()
  const hash = (path: RelPath): number => {
    let h = 0x811c9dc5
    const text = key(path)
    for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193)
    return h
  }
  return {
    note(path) {
      const h = hash(path)
      if (seen.has(h)) twice.add(h)
      seen.add(h)
    },
    isNoted: path => seen.has(hash(path)),
    isAlike: path => twice.has(hash(path))
  }
}

const entriesOf = (row: Row): { kind: string }[] => [row.base, row.source, row.destination].filter(e => e !== undefined)

function hasRootAbove(path: RelPath, roots: ReadonlySet<RelPath>): boolean {
  for (let at = parentOf(path); at !== ''; at = parentOf(at)) if (roots.has(at)) return true
  return false
}

/** Parents before what they hold. */
function inOrder(entangled: ReadonlyMap<RelPath, Row>): ReadonlyMap<RelPath, Row> {
  const ordered = new Map<RelPath, Row>()
  const add = (path: RelPath): void => {
    if (path === '' || ordered.has(path)) return
    const row = entangled.get(path)
    add(parentOf(path))
    if (row !== undefined) ordered.set(path, row)
  }
  for (const path of entangled.keys()) add(path)
  return ordered
}
