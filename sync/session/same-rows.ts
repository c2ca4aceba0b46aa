/** Tells that a path is the same in all three trees from what SQLite gave, before anything is made of it: nearly all are. */
import type { SqlValue } from '../../storage/sql/index.js'
import { ENDS, type End } from '../reconcile/index.js'

/** A row of the archive or of the snapshot, its key first. */
export type RawRow = readonly SqlValue[]

export const keyOf = (raw: RawRow): Uint8Array => raw[0] as Uint8Array

const CARRIED_BITS = 0o777n
const [FILE, DIRECTORY] = [0n, 1n]
/** Columns of `seen`. */
const [KIND, MTIME, BIRTH, INODE, MODE, HASH, TARGET] = [1, 3, 5, 6, 7, 8, 9] as const
/** Columns of `sync_archive`: what was read back at an end stands in four of them. */
const [BASE_HASH, BASE_TARGET, KEPT_AT] = [2, 4, 13] as const
const TRACE: Readonly<Record<End, number>> = { source: 5, destination: 9 }

/** The same as `isDifferent` would find out of the whole row; false: that is to be asked. */
export function isPlainlySame(
  base: RawRow | undefined,
  source: RawRow | undefined,
  destination: RawRow | undefined,
  proves: Readonly<Record<End, boolean>>
): boolean {
  if (base === undefined || source === undefined || destination === undefined || base[KEPT_AT] !== null) return false
  const kind = base[1]
  for (const end of ENDS) {
    const seen = end === 'source' ? source : destination
    const then = TRACE[end]
    if (seen[KIND] !== kind) return false
    if (
      kind === FILE
        ? !isEqual(seen[HASH], base[BASE_HASH])
        : kind !== DIRECTORY && !isEqual(seen[TARGET], base[BASE_TARGET])
    )
      return false
    if (((seen[MODE] as bigint) & CARRIED_BITS) !== ((base[then + 1] as bigint) & CARRIED_BITS)) return false
    if (kind !== DIRECTORY && seen[MTIME] !== base[then]) return false
    const [inode, birth] = [base[then + 2], base[then + 3]]
    if (proves[end] && seen[BIRTH] !== 0n ? seen[INODE] !== inode || seen[BIRTH] !== birth : inode !== null)
      return false
  }
  return true
}

const isEqual = (a: SqlValue | undefined, b: SqlValue | undefined): boolean =>
  a instanceof Uint8Array && b instanceof Uint8Array && Buffer.compare(a, b) === 0
