/** Walks a folder of this device beside its snapshot, in one thread: only what is otherwise leaves it. */
import { defineTasks, type LinkContext, type RelPath } from '../../storage/base/index.js'
import { AREA_NAME } from '../../storage/files/index.js'
import { openSqlite } from '../../storage/sql/index.js'
import {
  buffersOf,
  type EntryColumns,
  type LocalRoot,
  sink,
  type TreeEntry,
  toColumns,
  walkHere
} from '../endpoints/index.js'
import type { End } from '../reconcile/index.js'
import { Beside, type Differences } from './beside.js'

export interface WalkBeside {
  readonly root: LocalRoot
  readonly snapshotFile: string
  readonly at: End
  /** It and all below it. */
  readonly path: RelPath
  /** Nobody asks for content. */
  readonly statsOnly?: boolean | undefined
}

/** A stretch of a walk, and what was otherwise in it. */
export interface WalkedPage extends Omit<Differences, 'changed'> {
  readonly looked: number
  readonly changed: EntryColumns | undefined
}

/** Looked at between two pages at least, unless much changed: each costs a message and a write. */
const LOOKED_A_PAGE = 8_192

export const scanning = defineTasks(import.meta.url, {
  async walk({ root, snapshotFile, at, path, statsOnly }: WalkBeside, ctx: LinkContext): Promise<void> {
    const out = sink<WalkedPage>(ctx)
    const sql = openSqlite(snapshotFile, { readonly: true, cacheKiB: CACHE_KIB })
    try {
      // One state throughout, whatever is written of this walk meanwhile.
      sql.exec('BEGIN')
      const beside = new Beside(sql, at, path, { statsOnly })
      let looked = 0
      const send = ({ changed, quiet, gone }: Differences): Promise<void> => {
        const columns = changed.length === 0 ? undefined : toColumns(changed)
        const page = { looked, changed: columns, quiet, gone }
        looked = 0
        return out.send(page, columns === undefined ? [] : buffersOf(columns))
      }
      await walkHere(root, path, {
        giveWay: out.giveWay,
        async send(entries) {
          const shown = entries.filter(isShown)
          looked += shown.length
          for (const found of beside.next(shown))
            if (found.changed.length > 0 || found.gone.length > 0 || looked >= LOOKED_A_PAGE) await send(found)
        }
      })
      for (const found of beside.rest()) await send(found)
      if (looked > 0) await send({ changed: [], quiet: [], gone: [] })
    } finally {
      sql.close()
    }
  }
})

const CACHE_KIB = 2 * 1024

/** The area of the root and what its file system has there are nobody's business, nor is the root; elsewhere they are unknown, and what holds them stays. */
export function isShown({ path, unknown }: TreeEntry): boolean {
  if (path === '') return false
  return unknown === 'ours' ? path !== AREA_NAME : unknown !== 'file-system' || path.includes('/')
}
