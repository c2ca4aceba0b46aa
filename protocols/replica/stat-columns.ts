/** Stats on the wire: their columns, one behind the other, little-endian. */
import type { StatColumns } from '../../storage/files/index.js'

/** Bytes of an entry in each column, in their order. */
const COLUMNS: readonly [number, number, number, number, number, number] = [1, 8, 24, 24, 16, 8]
export const STAT_BYTES = COLUMNS.reduce((a, b) => a + b, 0)
const KINDS = 4
const MAX_MODE = 0o7777

export const statsToWire = ({ kinds, sizes, timesNs, ids, numbers, allocated }: StatColumns): Uint8Array[] =>
  [kinds, sizes, timesNs, ids, numbers, allocated].map(
    column => new Uint8Array(column.buffer, column.byteOffset, column.byteLength)
  )

/** @returns every number looked at; or what is not in order */
export function statsFromWire(count: number, data: Uint8Array): StatColumns | { readonly refused: string } {
  if (data.length !== count * STAT_BYTES) return { refused: 'its length' }
  let at = 0
  const next = (bytes: number): ArrayBuffer => {
    at += bytes * count
    return new Uint8Array(data.subarray(at - bytes * count, at)).buffer
  }
  const [a, b, c, d, e, f] = COLUMNS
  const columns: StatColumns = {
    ...{ kinds: new Uint8Array(next(a)), sizes: new Float64Array(next(b)), timesNs: new BigInt64Array(next(c)) },
    ...{ ids: new BigUint64Array(next(d)), numbers: new Uint32Array(next(e)), allocated: new Float64Array(next(f)) }
  }
  if (columns.kinds.some(kind => kind >= KINDS)) return { refused: 'a kind' }
  if (columns.sizes.some(size => !Number.isSafeInteger(size) || size < 0)) return { refused: 'a size' }
  if (columns.allocated.some(size => !Number.isSafeInteger(size) || size < -1)) return { refused: 'a size' }
  for (let i = 0; i < count; i++) if (columns.numbers[4 * i]! > MAX_MODE) return { refused: 'a mode' }
  return columns
}
