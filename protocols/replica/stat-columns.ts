/** Stats on the wire: their columns, one behind the other, little-endian. */
import type { StatColumns } from '../../storage/files/index.js'
import { columnToWire, cutColumns } from './columns.js'

/** Bytes of an entry in each column, in their order. */
const WIDTHS = [1, 8, 24, 24, 16, 8]
const STAT_BYTES = WIDTHS.reduce((a, b) => a + b, 0)
const KINDS = 4
const MAX_MODE = 0o7777

export const statsToWire = ({ kinds, sizes, timesNs, ids, numbers, allocated }: StatColumns): Uint8Array[] =>
  [kinds, sizes, timesNs, ids, numbers, allocated].map(columnToWire)

/** @returns every number looked at; or what is not in order */
export function statsFromWire(count: number, data: Uint8Array): StatColumns | { readonly refused: string } {
  if (data.length !== count * STAT_BYTES) return { refused: 'its length' }
  const [a, b, c, d, e, f] = cutColumns(data, count, WIDTHS)
  const columns: StatColumns = {
    ...{ kinds: new Uint8Array(a!), sizes: new Float64Array(b!), timesNs: new BigInt64Array(c!) },
    ...{ ids: new BigUint64Array(d!), numbers: new Uint32Array(e!), allocated: new Float64Array(f!) }
  }
  if (columns.kinds.some(kind => kind >= KINDS)) return { refused: 'a kind' }
  if (columns.sizes.some(size => !Number.isSafeInteger(size) || size < 0)) return { refused: 'a size' }
  if (columns.allocated.some(size => !Number.isSafeInteger(size) || size < -1)) return { refused: 'a size' }
  for (let i = 0; i < count; i++) if (columns.numbers[4 * i]! > MAX_MODE) return { refused: 'a mode' }
  return columns
}
