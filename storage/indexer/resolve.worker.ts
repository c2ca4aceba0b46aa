import { readdirSync, statfsSync, utimesSync } from 'node:fs'
import { type AbsPath, defineTasks, fsPath, joinRel, nameOf, parentOf, pathBytes, type RelPath } from '../base/index.js'
import { FLAG, findBelow, rowById, rowByName } from '../entries/index.js'
import { type Sql, withReader } from '../sql/index.js'
import { lookAt } from './look.js'
import type { WalkItem } from './walk.worker.js'

export interface RootLook {
  readonly state: 'there' | 'gone' | 'not-a-directory' | 'denied'
  readonly device: bigint
  readonly inode: bigint
  readonly birthNs: bigint
  /** Nothing is in it. */
  readonly empty: boolean
  readonly nameless: boolean
  readonly births: boolean
}

/** File systems whose inode numbers do not last: FAT, exFAT, FUSE, SMB, CIFS, NCP, 9p. */
const UNSTABLE = new Set([0x4d44, 0x2011bab0, 0x65735546, 0x517b, 0xff534d42, 0xfe534d42, 0x564c, 0x01021997])

export const resolving = defineTasks(import.meta.url, {
  /** Looks at a location's folder, and at what its file system can tell. */
  lookAtRoot({ path, databaseFile }: { path: AbsPath; databaseFile: string }): RootLook {
    const nothing = { device: 0n, inode: 0n, birthNs: 0n, empty: true, nameless: false, births: false }
    const look = lookAt(path)
    if (look.state === 'gone') return { ...nothing, state: 'gone' }
    if (look.state === 'denied') return { ...nothing, state: 'denied' }
    if (look.kind !== 1) return { ...nothing, state: 'not-a-directory' }
    let empty = false
    try {
      empty = readdirSync(fsPath(path)).length === 0
    } catch {
      empty = false
    }
    const births = birthTimesAreReal(databaseFile)
    const nameless = isUnstable(path)
    const { device, inode } = look
    return { state: 'there', device, inode, birthNs: births ? look.birthNs : 0n, empty, nameless, births }
  },

  /**
   * Turns paths that something happened at into items for a walk: the deepest directory on the way that is recorded, and
   * the first name below it that is not. Paths below directories that are not entered are nobody's concern.
   */
  resolve(input: {
    databaseFile: string
    root: number
    changes: readonly { path: RelPath; subtree?: boolean }[]
    maxDepth: number
  }): WalkItem[] {
    return withReader(input.databaseFile, (sql: Sql) => {
      const items = new Map<string, WalkItem & { names: string[] }>()
      const add = (id: number, rel: RelPath, name: string, excluded: boolean, all: boolean): void => {
        const key = `${id} ${all}`
        const known = items.get(key)
        if (known === undefined)
          // One more: the directory itself is entered from the one that it is a name of.
          items.set(key, { kind: 'names', id, rel, excluded, all, depth: input.maxDepth + 1, names: [name] })
        else if (!known.names.includes(name)) known.names.push(name)
      }
      for (const { path, subtree = false } of input.changes) {
        if (path === '') {
          const item = { kind: 'directory', id: input.root, rel: path, excluded: false, all: subtree } as const
          items.set('root', { ...item, depth: input.maxDepth, names: [] })
          continue
        }
        const found = knownPart(sql, input.root, path)
        if (found !== undefined) add(found.id, found.rel, found.name, found.excluded, subtree)
      }
      return [...items.values()]
    })
  }
})

interface KnownPart {
  id: number
  rel: RelPath
  name: string
  excluded: boolean
}

function knownPart(sql: Sql, root: number, path: RelPath): KnownPart | undefined {
  const parent = parentOf(path)
  const direct = findBelow(sql, root, parent)
  let at = root
  let rel = '' as RelPath
  let excluded = false
  for (const name of direct === undefined ? path.split('/') : parent === '' ? [] : parent.split('/')) {
    const row = rowByName(sql, at, pathBytes(name))
    if (row === undefined || row.kind !== 1) return { id: at, rel, name, excluded }
    if ((row.flags & FLAG.NOT_ENTERED) !== 0) return undefined
    at = row.id
    rel = joinRel(rel, name)
    excluded = (row.flags & FLAG.EXCLUDED) !== 0
  }
  return rowById(sql, at) === undefined ? undefined : { id: at, rel, name: nameOf(path), excluded }
}

let birthsReal: boolean | undefined

/**
 * Whether the system tells birth times: without statx libuv gives the ctime instead, and then a chmod would make another
 * file of it. Found out with the library's own database, whose ctime moves and whose birth time must not.
 */
function birthTimesAreReal(databaseFile: string): boolean {
  if (birthsReal !== undefined) return birthsReal
  const before = lookAt(databaseFile)
  if (before.state !== 'seen') return false
  if (before.birthNs !== 0n && before.birthNs === before.ctimeNs) {
    const now = new Date()
    try {
      utimesSync(databaseFile, now, now)
    } catch {
      return false
    }
    const after = lookAt(databaseFile)
    birthsReal = after.state === 'seen' && after.birthNs === before.birthNs && after.ctimeNs !== after.birthNs
    // Both within one step of the clock prove nothing: asked again next time.
    if (!birthsReal && after.state === 'seen' && after.ctimeNs === before.ctimeNs) {
      birthsReal = undefined
      return false
    }
    return birthsReal
  }
  birthsReal = true
  return true
}

function isUnstable(path: AbsPath): boolean {
  try {
    return UNSTABLE.has(statfsSync(fsPath(path)).type)
  } catch {
    return false
  }
}
