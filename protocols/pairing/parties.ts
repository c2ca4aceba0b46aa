/** Who the two ends are: our half of a handshake, and what there is to say about the other device. */
import type { DeviceId, Random } from '../../storage/base/index.js'
import { type DeviceInfo, nameSkeleton } from './device-info.js'
import type { HandshakeInit } from './initiator.js'
import type { LocalIdentity, LocalInfo, PairedDevices, PairingPeer } from './ports.js'
import type { PairingPeerInfo } from './session.js'

export interface HalfComponents {
  readonly random: Random
  readonly devices: PairedDevices
  info(): LocalInfo
}

/** Fresh randomness for each stream: nothing of one handshake fits another. */
export function localHalf(local: LocalIdentity, peer: PairingPeer, c: HalfComponents): HandshakeInit {
  return {
    local,
    remotePublicKey: peer.publicKey,
    info: { ...c.info(), epoch: c.devices.find(peer.device)?.epoch ?? 0 },
    ephemeral: c.random.bytes(32),
    nonce: c.random.bytes(32)
  }
}

export function describePeer(
  device: DeviceId,
  info: DeviceInfo,
  compare: string,
  devices: PairedDevices
): PairingPeerInfo {
  const known = devices.find(device)
  const skeleton = nameSkeleton(info.name)
  const alike = devices.list().find(d => d.device !== device && !d.revoked && nameSkeleton(d.name) === skeleton)
  return {
    device,
    name: info.name,
    os: info.os,
    model: info.model,
    compare,
    hasGrants: known?.hasGrants ?? false,
    ...(known === undefined ? {} : { knownAs: known.name }),
    ...(alike === undefined ? {} : { looksLike: { device: alike.device, name: alike.name } })
  }
}
