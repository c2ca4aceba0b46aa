/** What an error means for a transfer: another stream may do, the same one may not, or it is over. */
import { errorCode, hasCode, SpacedriveError, type TransferId } from '../../storage/base/index.js'

/** The peer broke the rules of the protocol: a few times may be a fault of the line, more is a fault of the peer. */
export function brokeRules(err: unknown): boolean {
  return hasCode(err, 'MALFORMED', 'UNEXPECTED_MESSAGE', 'FLOODED', 'FRAME_TOO_LARGE')
}

/** What the other side says that ends it; anything else is tried again. */
const FINAL = new Set(['GONE', 'CANCELLED', 'MANIFEST_MISMATCH', 'NO_SPACE', 'READ_ONLY', 'ROOT_MOVED', 'DISK_ERROR'])

/** Told by the other device, and final. */
export function isFinalRefusal(err: unknown): boolean {
  return err instanceof SpacedriveError && err.details?.by === 'peer' && FINAL.has(err.code)
}

const TEXTS: Readonly<Record<string, readonly [text: string, hint?: string]>> = {
  GONE: ['the other device does not know this transfer any more', 'Offer it again.'],
  CANCELLED: ['it was cancelled on the other device'],
  MANIFEST_MISMATCH: ['the two devices do not mean the same files', 'Offer them again.'],
  NO_SPACE: ['the disk of the other device is full', 'Make room there and try again: what has arrived is kept.'],
  READ_ONLY: ['the folder of the other device cannot be written', 'Make it writable there and try again.'],
  ROOT_MOVED: ['the folder of the other device was moved or replaced', 'Put it back there and try again.'],
  DISK_ERROR: ['the disk of the other device reports errors', 'Check the disk there.']
}

/** A refusal of the other device in our words. */
export function refusal(err: unknown, device: string): SpacedriveError {
  const code = errorCode(err)
  const [text, hint] = TEXTS[code] ?? [`the other device said ${code}`]
  return new SpacedriveError(code, `could not send to ${device}: ${text}`, { cause: err, ...(hint && { hint }) })
}

export function badPeer(device: string, cause: unknown): SpacedriveError {
  return new SpacedriveError('BAD_PEER', `the transfer with ${device} was ended: that device breaks the rules`, {
    cause,
    hint: 'Both devices should run the same version of spacedrive.'
  })
}

export function cancelled(id: TransferId): SpacedriveError {
  return new SpacedriveError('CANCELLED', `transfer ${id} was cancelled`)
}
