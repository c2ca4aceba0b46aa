import { type ErrorInit, SpacedriveError } from '../../storage/base/index.js'

export type PairingErrorCode =
  | 'BAD_WORDS' // what was typed is not a code; nothing was sent
  | 'BAD_LINK' // likewise for the text of a QR code
  | 'TOO_MANY_CODES'
  | 'NO_SUCH_PAIRING'
  | 'NOTHING_TO_CONFIRM'
  | 'NETWORK_OFF'
  | 'PAIRING_NOT_FOUND' // nobody shows this code, or nobody could be reached
  | 'PAIRING_REFUSED' // the other side did not take our words: wrong, expired or used
  | 'PAIRING_DECLINED' // the words were right, the person said no or did not answer
  | 'PAIRING_INTERRUPTED' // the connection went away in the middle
  | 'NOT_PROVEN' // whoever answered does not know the words; the search goes on
  | 'BAD_ADDRESS'
  | 'CODE_EXPIRED'
  | 'CODE_USED' // somebody typed the right words a second time
  | 'RESPONSE_INVALID' // somebody knew the words and then failed to prove who it is
  | 'CANCELLED'
  | 'PAIRING_FAILED' // the one thing that is said outward, whatever the reason

export function pairingError(code: PairingErrorCode, message: string, init: ErrorInit = {}): SpacedriveError {
  return new SpacedriveError(code, message, init)
}
