import { createCipheriv, createDecipheriv, hkdfSync } from 'node:crypto'
import type { PrivateKey } from '@libp2p/interface'
import { type DeviceId, type Random, SpacedriveError } from '../../storage/base/index.js'

/** The unlocked key and what is done with it. It is never logged, never sent, never part of an event. */
export interface Identity {
  readonly device: DeviceId
  /** For libp2p. */
  readonly privateKey: PrivateKey
  /** The Ed25519 seed, 32 bytes: for the pairing signatures, which are made with another library on purpose (PEERS 2). */
  readonly seed: Uint8Array
  /** Seals a small secret for the instance database. `about` (device and epoch, say) must be the same at `open`. */
  seal(plain: Uint8Array, about: string): Uint8Array
  /** @throws {SpacedriveError} SECRET_UNREADABLE for another key, another `about` or damage */
  open(sealed: Uint8Array, about: string): Uint8Array
}

export const SEED_BYTES = 32
const NONCE_BYTES = 12
const TAG_BYTES = 16

/** @param seed - 32 bytes; loads the key code of libp2p (not libp2p itself) on first use */
export async function identityOf(seed: Uint8Array, random: Random): Promise<Identity> {
  const { generateKeyPairFromSeed } = await import('@libp2p/crypto/keys')
  const { peerIdFromPrivateKey } = await import('@libp2p/peer-id')
  const privateKey = await generateKeyPairFromSeed('Ed25519', seed)
  const sealKey = Buffer.from(hkdfSync('sha256', seed, '', 'spacedrive/identity/v1/seal', 32))
  return {
    device: peerIdFromPrivateKey(privateKey).toString() as DeviceId,
    privateKey,
    seed,
    seal: (plain, about) => sealWith(sealKey, plain, about, random),
    open: (sealed, about) => openWith(sealKey, sealed, about)
  }
}

/** AES-256-GCM as nonce, box, tag. The nonce is random: a key seals some thousand small secrets in its life, far from 2^32. */
export function sealWith(key: Uint8Array, plain: Uint8Array, about: string, random: Random): Uint8Array {
  const nonce = random.bytes(NONCE_BYTES)
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(about))
  return Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()])
}

/** @throws {SpacedriveError} SECRET_UNREADABLE */
export function openWith(key: Uint8Array, sealed: Uint8Array, about: string): Uint8Array {
  try {
    const body = sealed.subarray(NONCE_BYTES, sealed.length - TAG_BYTES)
    const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES })
    decipher.setAAD(Buffer.from(about)).setAuthTag(sealed.subarray(sealed.length - TAG_BYTES))
    return new Uint8Array(Buffer.concat([decipher.update(body), decipher.final()]))
  } catch (cause) {
    throw new SpacedriveError('SECRET_UNREADABLE', 'a sealed secret does not open with this key', { cause })
  }
}
