/** What holds of columns on the wire, whatever they tell of. */
import { parseRelPath } from '../../storage/base/index.js'

/** A list that says of each of its things which of `count` it is: each once, in their order. */
export function areAscending(list: readonly { readonly index: number }[], count: number): boolean {
  let last = -1
  for (const { index } of list) {
    if (index <= last) return false
    last = index
  }
  return last < count
}

/** As many plain paths below a folder, joined by NUL. */
export function areNames(joined: string, count: number): boolean {
  if (count === 0) return joined === ''
  const names = joined.split('\0')
  return names.length === count && names.every(name => !('refused' in parseRelPath(name)))
}

export const columnToWire = ({ buffer, byteOffset, byteLength }: NodeJS.TypedArray): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength)

/** Columns that lie one behind the other, each in memory of its own. @param widths - bytes of an entry in each; together all of `data` */
export function cutColumns(data: Uint8Array, count: number, widths: readonly number[]): ArrayBuffer[] {
  let at = 0
  return widths.map(width => {
    at += width * count
    return new Uint8Array(data.subarray(at - width * count, at)).buffer
  })
}
