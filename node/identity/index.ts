/**
 * The one identity of this installation: an Ed25519 key. Its libp2p PeerId is the `DeviceId`; there is no second id.
 *
 * The key lies in `identity.key` in the data directory: JSON, version 1, mode 0600, written atomically, the 32-byte seed
 * either plain or sealed with a password (scrypt, AES-256-GCM; the parameters stand in the file). A file that others can
 * read is refused with the cure. A sealed key leaves the store `locked` until `unlock`: local work runs, the network says so.
 *
 *   const store = await openIdentityStore({ dataDir, clock, random })
 *   if (store.state() === 'none') await store.create({ password: undefined })
 *   const identity = await store.unlock() // with a password where it is sealed
 *
 * Lost halves (PEERS 3): `belonging.ts` compares the key with the identity that the instance database names.
 */
export { type Belonging, type BelongingState, belonging } from './belonging.js'
export { type Identity, openWith, sealWith } from './identity.js'
export { MAX_PASSWORD_BYTES, readPasswordFile, suppliedPassword } from './password.js'
export { type IdentityState, type IdentityStore, type IdentityStoreInit, openIdentityStore } from './store.js'
