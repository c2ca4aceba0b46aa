import { wireError } from '../../wire/index.js'
import { MAX_PACK_FILES, PACK_ROW_BYTES } from '../limits.js'

export interface PackRow {
  readonly file: number
  readonly size: number
  readonly hash: Uint8Array
  /** Where its content lies in the payload. */
  readonly offset: number
}

/**
 * Takes the payload of a PACK apart: contents one after the other, then `files` rows of what they are, in manifest order.
 * @throws {SpacedriveError} MALFORMED
 */
export function parsePack(payload: Uint8Array, files: number): PackRow[] {
  if (files === 0 || files > MAX_PACK_FILES) throw wireError('MALFORMED', `a pack of ${files} files`)
  const table = payload.length - files * PACK_ROW_BYTES
  if (table < 0) throw wireError('MALFORMED', 'a pack is shorter than its table')
  const view = new DataView(payload.buffer, payload.byteOffset, payload.length)
  const rows: PackRow[] = []
  let offset = 0
  for (let at = table; at < payload.length; at += PACK_ROW_BYTES) {
    const file = view.getUint32(at)
    const size = view.getUint32(at + 4)
    if (rows.length > 0 && file <= rows.at(-1)!.file) throw wireError('MALFORMED', 'a pack is out of order')
    if (size === 0 || offset + size > table) throw wireError('MALFORMED', 'a pack holds less than its table says')
    rows.push({ file, size, hash: payload.subarray(at + 8, at + PACK_ROW_BYTES), offset })
    offset += size
  }
  if (offset !== table) throw wireError('MALFORMED', 'a pack holds more than its table says')
  return rows
}
