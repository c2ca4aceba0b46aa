/** Everything that follows from the twelve words. The labels keep the outputs apart: none leads to another without the words. */
import { CONTEXT, expand, extract } from './kdf.js'

export const ENTROPY_BYTES = 16

export interface CodeKeys {
  /** Goes over the wire in the clear (inside Noise); 16 bytes. */
  readonly sessionId: Uint8Array
  /** MAC of the PairingRequest: who has it knows the words. */
  readonly requestKey: Uint8Array
  /** Mixed into the key schedule beside the X25519 secret. */
  readonly preShared: Uint8Array
  /** Ed25519 seed of the one-time key that signs the DHT advertisement. */
  readonly rendezvousSeed: Uint8Array
  /** Seals the content of the advertisement. */
  readonly rendezvousKey: Uint8Array
  /** Name of the short-lived service on the local network; 8 bytes, fixed for the code. */
  readonly lanTag: Uint8Array
}

/** @param entropy - the 16 bytes behind twelve BIP39 words, their checksum verified */
export function codeKeys(entropy: Uint8Array): CodeKeys {
  if (entropy.length !== ENTROPY_BYTES) throw new RangeError(`expected ${ENTROPY_BYTES} bytes, got ${entropy.length}`)
  const key = extract(CONTEXT, entropy)
  return {
    sessionId: expand(key, `${CONTEXT}/session-id`, 16),
    requestKey: expand(key, `${CONTEXT}/request-mac`),
    preShared: expand(key, `${CONTEXT}/psk`),
    rendezvousSeed: expand(key, `${CONTEXT}/dht-sign`),
    rendezvousKey: expand(key, `${CONTEXT}/dht-aead`),
    lanTag: expand(key, `${CONTEXT}/lan-tag`, 8)
  }
}
