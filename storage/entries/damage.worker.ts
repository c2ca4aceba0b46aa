import { defineTasks } from '../base/index.js'
import type { Sql } from '../sql/index.js'
import { rowById } from './lookup.js'

/** The code under which an entry bears that its bytes are not those that were hashed, though nothing speaks of an edit. */
export const CORRUPT = 'CORRUPT'

export interface DamageInput {
  readonly nowMs: number
  readonly found: readonly { readonly entry: number; readonly hash: Uint8Array; readonly message: string }[]
  /** Read again, and whole. */
  readonly whole: readonly number[]
}

/** What validation found, noted at the entries; an edit, which is hashed anew, takes the note away. */
export const damage = defineTasks(import.meta.url, {
  note(sql: Sql, { nowMs, found, whole }: DamageInput): void {
    const hashOf = sql.prepare<{ hash: Uint8Array }>('SELECT hash FROM contents WHERE id = ?')
    const note = sql.prepare('INSERT OR REPLACE INTO problems VALUES (?, ?, ?, ?)')
    for (const { entry, hash, message } of found) {
      const content = rowById(sql, entry)?.content
      const now = content === null || content === undefined ? undefined : hashOf.get([content])?.hash
      // Hashed anew meanwhile: what was compared is not what is recorded.
      if (now !== undefined && Buffer.compare(now, hash) === 0) note.run([entry, CORRUPT, message, nowMs])
    }
    const clear = sql.prepare('DELETE FROM problems WHERE entry = ? AND code = ?')
    for (const entry of whole) clear.run([entry, CORRUPT])
  }
})
