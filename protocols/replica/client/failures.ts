/** Why a call failed, as people here are told. */
import { displayText, errorCode, SpacedriveError } from '../../../storage/base/index.js'
import { BROKEN_RULES, decode, wireError } from '../../wire/index.js'
import { errorHead } from '../calls.js'
import { MAX_ERROR_TEXT } from '../limits.js'
import type { ReplicaFrame } from '../sealed-pipe.js'

/** What the other device says went wrong: its text is told as its own, escaped and cut. @throws MALFORMED */
export function saidThere({ values }: ReplicaFrame, device: string): SpacedriveError {
  const { code, message, hint } = decode(values, errorHead, 'an error')
  const said = displayText(message).slice(0, MAX_ERROR_TEXT)
  return new SpacedriveError(code, `${device}: ${said}`, {
    details: { remote: true },
    ...(hint !== undefined && { hint: displayText(hint).slice(0, MAX_ERROR_TEXT) })
  })
}

/** Why nothing can be asked any more. Who breaks the rules is not away: waiting for that device would be in vain. */
export function endedBy(cause: Error, device: string): Error {
  const code = errorCode(cause)
  if (code === 'STOPPED') return cause
  if (BROKEN_RULES.has(code))
    return new SpacedriveError('MALFORMED', `${device} does not keep to the protocol: ${cause.message}`, { cause })
  return new SpacedriveError('UNREACHABLE', `${device} is not reachable: ${cause.message}`, { cause })
}

/** What a device answered is nothing that was asked for. */
export const malformed = (what: string): SpacedriveError =>
  wireError('MALFORMED', `the device answered something else than was asked: ${what}`)
