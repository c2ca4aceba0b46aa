import type { RelPath } from '../../storage/base/index.js'
import type { ArchiveEntry, Outcome, Trace } from './entry.js'
import { isBelow, replacePrefix } from './names.js'
import type { Settle, Shown } from './operation.js'
import { isUnread, withHash } from './unread.js'

/**
 * One change of the archive. Those of a batch are applied in this order: everything forgotten, by the paths before the batch
 * and without what lies below; then everything moved at once, each with all below it that did not move or go by itself; then
 * everything put.
 */
export type ArchiveChange =
  | { readonly change: 'forget'; readonly path: RelPath }
  | { readonly change: 'move'; readonly path: RelPath; readonly to: RelPath }
  | { readonly change: 'put'; readonly path: RelPath; readonly entry: ArchiveEntry }

export interface Folded {
  readonly changes: readonly ArchiveChange[]
  /** Paths that are not what the plan made of them: the next session looks at them again. */
  readonly unsettled: readonly RelPath[]
}

/**
 * What a batch achieved, as changes of the archive: only what both ends really agree on enters it.
 * @param achieved - what was read back after an operation; undefined when it was not done
 */
export function foldResults(settles: Iterable<Settle>, achieved: (id: number) => Outcome | undefined): Folded {
  const forgotten: ArchiveChange[] = []
  const moved: ArchiveChange[] = []
  const put: ArchiveChange[] = []
  const unsettled: RelPath[] = []
  for (const settle of settles) {
    if (!settle.needs.every(id => achieved(id) !== undefined)) {
      unsettled.push(settle.path)
      if (settle.kind === 'move') unsettled.push(settle.to)
    } else if (settle.kind === 'forget') forgotten.push({ change: 'forget', path: settle.path })
    else if (settle.kind === 'move') moved.push({ change: 'move', path: settle.path, to: settle.to })
    else {
      const what = read(settle, achieved)
      if (what === undefined) unsettled.push(settle.path)
      else put.push({ change: 'put', path: settle.path, entry: archiveEntry(what, settle, achieved) })
    }
  }
  return { changes: [...forgotten, ...moved, ...put], unsettled }
}

/** The archive after a batch, for those who hold it as a map. The session does the same to its table. */
export function applyChanges(
  archive: ReadonlyMap<RelPath, ArchiveEntry>,
  changes: readonly ArchiveChange[]
): Map<RelPath, ArchiveEntry> {
  const forgotten = new Set(changes.filter(c => c.change === 'forget').map(c => c.path))
  const moves = changes.filter(c => c.change === 'move').sort((a, b) => b.path.length - a.path.length)
  const next = new Map<RelPath, ArchiveEntry>()
  const arrived = new Map<RelPath, ArchiveEntry>()
  for (const [path, entry] of archive) {
    if (forgotten.has(path)) continue
    const move = moves.find(m => path === m.path || isBelow(path, m.path))
    if (move === undefined) next.set(path, entry)
    else arrived.set(replacePrefix(path, move.path, move.to), entry)
  }
  for (const [path, entry] of arrived) next.set(path, entry)
  for (const change of changes) if (change.change === 'put') next.set(change.path, change.entry)
  return next
}

type Put = Extract<Settle, { kind: 'put' }>

/** What was agreed on, with the hash that was learnt when it was brought; undefined: nobody read it. */
function read(
  { what, source, destination }: Put,
  achieved: (id: number) => Outcome | undefined
): Put['what'] | undefined {
  if (what.kind !== 'file' || !isUnread(what.hash)) return what
  for (const shown of [source, destination]) {
    const hash = shown !== undefined && 'by' in shown ? achieved(shown.by)?.hash : undefined
    if (hash !== undefined) return withHash(what, hash)
  }
  return undefined
}

function archiveEntry(what: Put['what'], put: Put, achieved: (id: number) => Trace | undefined): ArchiveEntry {
  const { keptAt } = put
  const shared = {
    source: trace(put.source ?? put.destination!, achieved),
    destination: trace(put.destination ?? put.source!, achieved),
    ...(keptAt === undefined ? {} : { keptAt })
  }
  if (what.kind === 'file') return { kind: 'file', hash: what.hash, sizeBytes: what.sizeBytes, ...shared }
  if (what.kind === 'symlink') return { kind: 'symlink', target: what.target, ...shared }
  return { kind: 'directory', ...shared }
}

function trace(shown: Shown, achieved: (id: number) => Trace | undefined): Trace {
  const { mtimeNs, mode, identity } = 'now' in shown ? shown.now : achieved(shown.by)!
  return identity === undefined ? { mtimeNs, mode } : { mtimeNs, mode, identity }
}
