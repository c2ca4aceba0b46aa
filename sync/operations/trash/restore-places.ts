import { type BigIntStats, lstatSync, statSync } from 'node:fs'
import {
  type AbsPath,
  displayPath,
  type FileName,
  fsPath,
  hasCode,
  type Problem,
  pathBytes,
  textFromBytes
} from '../../../storage/base/index.js'
import { freeNames } from '../../../storage/files/index.js'
import type { Sql, Statement } from '../../../storage/sql/index.js'

/** A row of `items`: see `restore.worker.ts`. */
export interface RestoreRow {
  readonly id: bigint
  readonly origin: Uint8Array
  readonly wanted: Uint8Array
  readonly at: Uint8Array
  readonly lies: Uint8Array | null
  readonly kind: string
  readonly files: bigint
  readonly bytes: bigint
  readonly device: bigint
  readonly inode: bigint
  readonly state: string
}

/** Free names that are looked through for something that came back right before a crash. */
const NAMES_TRIED = 100

/** Where things come: what stands there now, and what of the list comes before. */
export class Places {
  readonly #planned: Statement<{ lies: Uint8Array }>
  readonly #made: Statement
  readonly #make: Statement

  constructor(sql: Sql) {
    this.#planned = sql.prepare<{ lies: Uint8Array }>('SELECT lies FROM items WHERE at = ?')
    this.#made = sql.prepare('SELECT 1 AS there FROM made WHERE path = ?')
    this.#make = sql.prepare('INSERT INTO made (path) VALUES (?) ON CONFLICT DO NOTHING')
  }

  find({ wanted, lies, kind }: RestoreRow): { at: string; device: bigint; inode: bigint } | Omit<Problem, 'path'> {
    const path = textFromBytes(wanted)
    const refuse = (code: string, why: string): Omit<Problem, 'path'> => ({
      code,
      message: `could not restore ${displayPath(path)}: ${why}`
    })
    if (lies === null) return refuse('VOLUME_AWAY', 'the volume that it lies on is not connected')
    const stat = lookAt(lstatSync, textFromBytes(lies))
    if (stat === undefined) return refuse('GONE', 'it is no longer in the trash')
    const parent = parentOf(path)
    const above = this.#above(parent)
    if (above === 'file') return refuse('NOT_A_FOLDER', `${displayPath(parent)} is not a folder`)
    if (above !== stat.dev) return refuse('OTHER_FILE_SYSTEM', 'the trash lies on another file system')
    for (const name of freeNames(lastOf(path) as FileName, kind === 'directory')) {
      const at = `${parent === '/' ? '' : parent}/${name}`
      if (this.#isTaken(at)) continue
      for (let dir = parent; !this.#exists(dir); dir = parentOf(dir)) this.#make.run([pathBytes(dir)])
      return { at, device: stat.dev, inode: stat.ino }
    }
    throw new Error('unreachable: free names do not end')
  }

  /** The file system that something put into this folder would come to; folders that are missing are made. */
  #above(dir: string): bigint | 'file' {
    const there = lookAt(statSync, this.#insidePlanned(dir) ?? dir)
    if (there !== undefined) return there.isDirectory() ? there.dev : 'file'
    return dir === '/' ? 'file' : this.#above(parentOf(dir))
  }

  #isTaken(path: string): boolean {
    return this.#planned.get([pathBytes(path)]) !== undefined || this.#exists(path)
  }

  #exists(path: string): boolean {
    if (path === '/' || this.#made.get([pathBytes(path)]) !== undefined) return true
    return isThere(path) || isThere(this.#insidePlanned(path))
  }

  /** Where something lies now that comes back with a folder of the list. */
  #insidePlanned(path: string): string | undefined {
    for (let dir = path; dir !== '/'; dir = parentOf(dir)) {
      const folder = this.#planned.get([pathBytes(dir)])
      if (folder !== undefined) return textFromBytes(folder.lies) + path.slice(dir.length)
    }
    return undefined
  }
}

const isThere = (path: string | undefined): boolean => path !== undefined && lookAt(lstatSync, path) !== undefined

function lookAt(
  stat: (path: Buffer | string, options: { bigint: true; throwIfNoEntry: false }) => BigIntStats | undefined,
  path: string
): BigIntStats | undefined {
  try {
    return stat(fsPath(path), { bigint: true, throwIfNoEntry: false })
  } catch (err) {
    if (hasCode(err, 'ENOTDIR')) return undefined
    throw err
  }
}

/** Where something is that came back right before a crash, told by its inode: the name may be one that was free only then. */
export function findAgain({ at, wanted, kind, device, inode }: RestoreRow): AbsPath | undefined {
  const path = textFromBytes(wanted)
  const parent = parentOf(path)
  let tried = 0
  for (const name of freeNames(lastOf(path) as FileName, kind === 'directory')) {
    const place = tried === 0 ? textFromBytes(at) : `${parent === '/' ? '' : parent}/${name}`
    const stat = lookAt(lstatSync, place)
    if (stat !== undefined && stat.dev === device && stat.ino === inode) return place as AbsPath
    if (++tried > NAMES_TRIED) break
  }
  return undefined
}

export const lastOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1)
const parentOf = (path: string): string => path.slice(0, path.lastIndexOf('/')) || '/'
