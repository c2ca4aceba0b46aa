import { brotliDecompressSync } from 'node:zlib'
import { toError } from '../../../storage/base/index.js'
import { wireError } from '../../wire/index.js'
import { MAX_CONTENT_FRAME_BYTES } from '../limits.js'
import { FLAG_BROTLI, type OpenRecord } from '../stream/records.js'

/**
 * A record whose payload was compressed, as if it had not been. Never more memory than it says, nor than any record may hold.
 * @param maxBytes - what a record may hold
 * @throws {SpacedriveError} MALFORMED when it holds another number of bytes than it says
 */
export function expand(record: OpenRecord, maxBytes = MAX_CONTENT_FRAME_BYTES): OpenRecord {
  const { flags, length } = record
  if ((flags & FLAG_BROTLI) === 0) return record
  if (length > maxBytes) throw wireError('MALFORMED', `a record of ${length} bytes`)
  let payload: Uint8Array
  try {
    payload = brotliDecompressSync(record.payload, { maxOutputLength: length, chunkSize: length + 64 })
  } catch (err) {
    throw wireError('MALFORMED', `a record does not hold what it says: ${toError(err).message}`, err)
  }
  if (payload.length !== length)
    throw wireError('MALFORMED', `a record says ${length} bytes and holds ${payload.length}`)
  return { ...record, flags: flags & ~FLAG_BROTLI, payload }
}
