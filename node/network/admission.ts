/**
 * The gater (PEERS 1): who may connect. Every raw inbound connection gets a meter at once. Until Noise has told who it is
 * it is pending: bounded in number and rate for each source, the oldest gives way, and a source that is known as the
 * address of a paired device is the last to. Paired and unconfirmed devices are then let in; strangers only while a
 * pairing code is open, in four slots of their own, so they never take the place of a device.
 */
import type { ConnectionGater, MultiaddrConnection, PeerId } from '@libp2p/interface'
import { TokenBucket } from '../../protocols/wire/index.js'
import { type Clock, type DeviceId, hasCode, type Logger, SpacedriveError } from '../../storage/base/index.js'
import { sourceOf } from './addresses.js'
import {
  BAN_MS,
  CONNECT_BURST,
  CONNECTS_PER_SECOND,
  MAX_PENDING,
  MAX_SOURCES,
  MAX_STRANGER_BYTES,
  MAX_STRANGER_TOTAL_BYTES,
  MAX_STRANGERS,
  MAX_STRANGERS_PER_SOURCE,
  STRANGER_ANSWER_MS,
  STRANGER_TIMEOUT_MS
} from './limits.js'
import { endedMeanwhile, type Meter, meterOf } from './meter.js'

export interface AdmissionInit {
  clock: Clock
  log: Logger
  /** Paired, or waiting for its first hello. */
  isKnown(device: DeviceId): boolean
  /** A pairing code is open. */
  isDoorOpen(): boolean
  /** Addresses where paired devices were reached: sources that are never rate limited. */
  isKnownSource(source: string): boolean
}

export interface Stranger {
  readonly device: DeviceId
  readonly source: string
  readonly meter: Meter
  stage: 'new' | 'request' | 'response'
}

export interface Admission {
  readonly gater: ConnectionGater
  /** A stranger's pairing has come this far: it no longer gives way (`request`), or waits for a person (`response`). */
  progressed(connection: { timeline: object }, stage: 'request' | 'response'): void
  /** It was a stranger and is a device now: it leaves its slot, and the stranger's limits with it. */
  becameKnown(connection: { timeline: object }): void
  /** True for a connection that was dialled for pairing: it begins without a hello. */
  isPairingDial(connection: { timeline: object }): boolean
  /** Addresses being dialled for pairing: whoever answers there is let through. @returns a function that ends it */
  allowDial(address: string): () => void
  /** Told when Noise has proven that the dialled device is the right one: what comes after is its own doing. */
  onAuthenticated(listener: (device: DeviceId) => void): void
  /** The slots that are taken, for `network status` and tests. */
  strangers(): readonly Stranger[]
  pending(): number
}

interface Pending {
  readonly source: string
  readonly meter: Meter
}

export function admission({ clock, log, isKnown, isDoorOpen, isKnownSource }: AdmissionInit): Admission {
  const pending = new Set<Pending>()
  const strangers = new Map<object, Stranger>()
  const rates = new Map<string, TokenBucket>()
  const bans = new Map<DeviceId, number>()
  const pairingDials = new Map<string, number>()
  const dialledForPairing = new WeakSet<object>()
  let onAuthenticated: ((device: DeviceId) => void) | undefined

  const cut = (meter: Meter, why: string): void => {
    meter.connection.abort(new SpacedriveError('REFUSED', `the connection was cut: ${why}`))
  }

  function withinRate(source: string): boolean {
    if (isKnownSource(source)) return true
    const bucket = rates.get(source) ?? new TokenBucket(CONNECTS_PER_SECOND, CONNECT_BURST, () => clock.monotonicMs())
    rates.delete(source)
    rates.set(source, bucket) // the longest unseen comes first
    if (rates.size > MAX_SOURCES) rates.delete(rates.keys().next().value!)
    return bucket.take()
  }

  /** The pending one that gives way: of the source that has most, never of a known one while others are there. */
  function weakestPending(): Pending | undefined {
    const counts = new Map<string, number>()
    for (const p of pending) counts.set(p.source, (counts.get(p.source) ?? 0) + 1)
    let weakest: Pending | undefined
    let worst = -1
    for (const p of pending) {
      const weight = isKnownSource(p.source) ? 0 : counts.get(p.source)!
      if (weight > worst) {
        worst = weight
        weakest = p
      }
    }
    return weakest
  }

  function admitPending(connection: MultiaddrConnection): boolean {
    const source = sourceOf(connection.remoteAddr.toString())
    if (!withinRate(source)) return false
    const entry: Pending = { source, meter: meterOf(connection) }
    if (pending.size >= MAX_PENDING) {
      const weakest = weakestPending()!
      pending.delete(weakest)
      cut(weakest.meter, 'others were waiting')
    }
    pending.add(entry)
    entry.meter.onBytes = bytes => {
      if (bytes > MAX_STRANGER_BYTES) cut(entry.meter, 'too much was sent before it said who it is')
    }
    connection.addEventListener('close', () => pending.delete(entry))
    return true
  }

  function admitStranger(device: DeviceId, meter: Meter): boolean {
    const source = sourceOf(meter.connection.remoteAddr.toString())
    const fromSource = [...strangers.values()].filter(s => s.source === source)
    const crowd =
      fromSource.length >= MAX_STRANGERS_PER_SOURCE
        ? fromSource
        : strangers.size >= MAX_STRANGERS
          ? [...strangers.values()]
          : []
    if (crowd.length > 0) {
      // Insertion order is age: the oldest that has not shown the words gives way.
      const weakest = crowd.find(s => s.stage === 'new')
      if (weakest === undefined) return false
      strangers.delete(weakest.meter.connection.timeline)
      cut(weakest.meter, 'others were waiting')
    }
    const stranger: Stranger = { device, source, meter, stage: 'new' }
    strangers.set(meter.connection.timeline, stranger)
    const limit = (): void => {
      const max = stranger.stage === 'new' ? MAX_STRANGER_BYTES : MAX_STRANGER_TOTAL_BYTES
      if (meter.receivedBytes > max) cut(meter, `a stranger sent more than ${max} bytes`)
    }
    meter.onBytes = limit
    const timers = [
      clock.timer(() => {
        if (stranger.stage !== 'response' && strangers.get(meter.connection.timeline) === stranger) {
          cut(meter, `no pairing within ${STRANGER_TIMEOUT_MS / 1000} s`)
        }
      }, STRANGER_TIMEOUT_MS),
      clock.timer(() => {
        if (strangers.get(meter.connection.timeline) === stranger) cut(meter, 'the pairing took too long')
      }, STRANGER_ANSWER_MS)
    ]
    meter.connection.addEventListener('close', () => {
      for (const timer of timers) timer.clear()
      strangers.delete(meter.connection.timeline)
    })
    return true
  }

  function isBanned(device: DeviceId): boolean {
    const until = bans.get(device)
    if (until === undefined) return false
    if (until > clock.monotonicMs()) return true
    bans.delete(device)
    return false
  }

  /** Whoever floods is shut out for a while; here, since a connection may be cut before libp2p shows it to anybody. */
  function banFlooders(device: DeviceId, connection: MultiaddrConnection): void {
    connection.addEventListener('close', event => {
      if (event.local !== true || !hasCode(event.error, 'FLOODED')) return
      log.warn('a peer broke the rules and was cut', { device, why: event.error?.message })
      ban(device)
    })
  }

  function ban(device: DeviceId): void {
    for (const known of bans.keys()) isBanned(known) // drops those that are over
    bans.set(device, clock.monotonicMs() + BAN_MS)
  }

  function admitPeer(peer: PeerId, connection: MultiaddrConnection): boolean {
    const device = peer.toString() as DeviceId
    const meter = meterOf(connection)
    banFlooders(device, connection)
    for (const p of pending) if (p.meter === meter) pending.delete(p)
    if (isBanned(device)) return false
    if (isKnown(device)) {
      meter.onBytes = undefined
      return true
    }
    // Only Ed25519 keys are devices; another kind cannot pair.
    return peer.type === 'Ed25519' && isDoorOpen() && admitStranger(device, meter)
  }

  const denied = (admitted: boolean, what: string, connection: MultiaddrConnection): boolean => {
    if (!admitted) log.debug('refused a connection', { what, address: connection.remoteAddr.toString() })
    return !admitted
  }

  const dialled = (peer: PeerId, connection: MultiaddrConnection): boolean => {
    const device = peer.toString() as DeviceId
    meterOf(connection)
    banFlooders(device, connection)
    const bare = connection.remoteAddr.toString().replace(/\/p2p\/[A-Za-z0-9]+$/, '')
    if (pairingDials.has(bare)) dialledForPairing.add(connection.timeline)
    else if (isBanned(device) || !isKnown(device)) return false
    onAuthenticated?.(device)
    return true
  }

  return {
    gater: {
      denyInboundConnection: connection => denied(admitPending(connection), 'too many from there', connection),
      denyInboundEncryptedConnection: (peer, connection) =>
        denied(admitPeer(peer, connection), 'not paired', connection),
      denyOutboundEncryptedConnection: (peer, connection) =>
        denied(dialled(peer, connection), 'not paired', connection),
      denyInboundUpgradedConnection: endedMeanwhile,
      denyOutboundUpgradedConnection: endedMeanwhile,
      // Addresses are kept by node/devices; libp2p's own book stays empty.
      filterMultiaddrForPeer: () => false
    },
    progressed(connection, stage) {
      const stranger = strangers.get(connection.timeline)
      if (stranger === undefined || stranger.stage === 'response') return
      stranger.stage = stage
    },
    becameKnown(connection) {
      const stranger = strangers.get(connection.timeline)
      if (stranger === undefined) return
      strangers.delete(connection.timeline)
      stranger.meter.onBytes = undefined
    },
    isPairingDial: connection => dialledForPairing.has(connection.timeline),
    allowDial(address) {
      pairingDials.set(address, (pairingDials.get(address) ?? 0) + 1)
      return () => {
        const left = pairingDials.get(address)! - 1
        if (left === 0) pairingDials.delete(address)
        else pairingDials.set(address, left)
      }
    },
    onAuthenticated(listener) {
      onAuthenticated = listener
    },
    strangers: () => [...strangers.values()],
    pending: () => pending.size
  }
}
