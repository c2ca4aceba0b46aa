import { textFromBytes } from '../base/index.js'
import type { Sql } from '../sql/index.js'
import { pathOf } from './lookup.js'

export interface IndexChange {
  readonly type: 'created' | 'modified' | 'moved' | 'deleted'
  readonly id: number
  readonly path: string
  readonly from?: string
}

/** Single changes told by a write; beyond it only their number is. The bus carries news, not trees. */
export const MAX_TOLD_CHANGES = 64

/** Other names of changed files told by one write. */
const MAX_LINKS_TOLD = 256
/** Names of one file that are looked for. */
const MAX_NAMES = 64

/** Files of one write that are hashed right after it; more are found by a pass over the tree. */
const MAX_STALE = 1_000

/** What a write tells besides its numbers, each bounded: single changes, files to be hashed, other names of changed files. */
export class Told {
  readonly changes: IndexChange[] = []
  /** Files whose content became unknown, the first MAX_STALE. */
  readonly stale: number[] = []
  /** Absolute paths of other names (hard links) of files that changed. */
  readonly links: string[] = []
  readonly #sql: Sql
  readonly #host: number
  readonly #tellLinks: boolean

  /** @param tellLinks - only some names were looked at, so that nothing else tells of the other names of a file */
  constructor(sql: Sql, host: number, tellLinks: boolean) {
    this.#sql = sql
    this.#host = host
    this.#tellLinks = tellLinks
  }

  change(type: IndexChange['type'], id: number, from?: Uint8Array): void {
    if (this.changes.length >= MAX_TOLD_CHANGES) return
    const path = pathOf(this.#sql, id)
    if (path === undefined) return
    const change = { type, id, path: textFromBytes(path) }
    this.changes.push(from === undefined ? change : { ...change, from: textFromBytes(from) })
  }

  /** @param path - where it was; undefined: it hung on nothing */
  deletion(id: number, path: Uint8Array | undefined): void {
    if (path === undefined || this.changes.length >= MAX_TOLD_CHANGES) return
    this.changes.push({ type: 'deleted', id, path: textFromBytes(path) })
  }

  staleFile(id: number): void {
    if (this.stale.length < MAX_STALE) this.stale.push(id)
  }

  /** A file changed: so did the stat of its other names. */
  otherNames(inode: bigint, id: number): void {
    if (!this.#tellLinks || inode === 0n || this.links.length >= MAX_LINKS_TOLD) return
    const others = this.#sql.prepare<{ id: number }>(
      `SELECT id FROM entries WHERE inode = ? AND id <> ? LIMIT ${MAX_NAMES}`
    )
    for (const other of others.all([inode, id])) {
      const path = pathOf(this.#sql, other.id, this.#host)
      if (path !== undefined) this.links.push(textFromBytes(path))
    }
  }
}
