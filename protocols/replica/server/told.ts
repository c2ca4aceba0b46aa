import { errorCode, isAbort, SpacedriveError } from '../../../storage/base/index.js'
import { MAX_ERROR_TEXT } from '../limits.js'

export interface Told {
  readonly code: string
  readonly message: string
  readonly hint?: string
}

/** Of this device's own books: their words name files that are nobody's business. */
const OWN_BOOKS = /^DATABASE_/

/** Whether it was worded for people, and about what the other device may know: folders that are granted to it. */
export const isTellable = (err: unknown): err is SpacedriveError =>
  err instanceof SpacedriveError && !OWN_BOOKS.test(err.code)

/** What another device hears of an error: what is worded for people, and of anything else that it failed. */
export function toldOf(err: unknown): Told {
  if (isTellable(err)) {
    const { code, message, hint } = err
    return { code, message: message.slice(0, MAX_ERROR_TEXT), ...(hint !== undefined && { hint }) }
  }
  const code = isAbort(err) ? 'CANCELLED' : errorCode(err) === 'ENOENT' ? 'MISSING' : 'INTERNAL'
  return { code, message: 'it failed there' }
}
