/** Problems as both ends write them: rows of file u32, length of the code u8, code. */
import { wireError } from '../../wire/index.js'
import type { OpenRecord } from './records.js'

export interface ProblemRow {
  readonly file: number
  readonly code: string
}

const HEAD_BYTES = 5
/** What a code may look like. */
export const PROBLEM_CODE = /^[A-Z][A-Z_]{1,31}$/

export function isProblemCode(code: string): boolean {
  return PROBLEM_CODE.test(code)
}

export function encodeProblems(rows: readonly ProblemRow[]): Uint8Array {
  return Buffer.concat(
    rows.map(({ file, code }) => {
      const row = Buffer.allocUnsafe(HEAD_BYTES + code.length)
      row.writeUInt32BE(file)
      row.writeUInt8(code.length, 4)
      row.write(code, HEAD_BYTES, 'latin1')
      return row
    })
  )
}

/** @throws {SpacedriveError} MALFORMED */
export function parseProblems({ payload, file: count }: Pick<OpenRecord, 'payload' | 'file'>): ProblemRow[] {
  const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.length)
  const rows: ProblemRow[] = []
  for (let at = 0; at < bytes.length; ) {
    if (bytes.length - at < HEAD_BYTES) throw wireError('MALFORMED', 'a problem is cut off')
    const end = at + HEAD_BYTES + bytes.readUInt8(at + 4)
    const code = bytes.toString('latin1', at + HEAD_BYTES, end)
    if (end > bytes.length || !PROBLEM_CODE.test(code)) throw wireError('MALFORMED', 'a problem without a code')
    rows.push({ file: bytes.readUInt32BE(at), code })
    at = end
  }
  if (rows.length !== count) throw wireError('MALFORMED', 'a list of problems is not as long as it says')
  return rows
}
