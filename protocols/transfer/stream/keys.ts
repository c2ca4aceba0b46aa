import type { TransferId } from '../../../storage/base/index.js'
import type { PeerSession } from '../../wire/index.js'
import type { Channel } from './records.js'

/** Every stream begins with a salt of its own, so that no two streams ever share a key. */
export const SALT_BYTES = 32
const ID_BYTES = 16
export const PREAMBLE_BYTES = SALT_BYTES + ID_BYTES

/** The 16 bytes behind a transfer's id (a UUID). */
export function transferIdBytes(id: TransferId): Uint8Array {
  return new Uint8Array(Buffer.from(id.replaceAll('-', ''), 'hex'))
}

export function transferIdFromBytes(bytes: Uint8Array): TransferId {
  const hex = Buffer.from(bytes).toString('hex')
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join(
    '-'
  ) as TransferId
}

/**
 * The key of one channel of one stream: from this connection's key of that direction, the salt, the protocol and the transfer.
 * @param role - which end we are; `answers` and `account` run from the receiver to the sender, the others the other way
 */
export function channelKey(
  session: PeerSession,
  role: 'sender' | 'receiver',
  channel: Channel,
  salt: Uint8Array,
  id: TransferId
): Uint8Array {
  const fromReceiver = channel === 'answers' || channel === 'account'
  const outgoing = fromReceiver === (role === 'receiver')
  return session.deriveKey(outgoing ? 'send' : 'receive', salt, `spacedrive transfer 1 ${channel} ${id}`)
}
