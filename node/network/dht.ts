/**
 * The DHT node: a second libp2p node with a throw-away key, a port and limits of its own. It speaks DHT, identify and ping
 * and nothing else, holds signed values of two namespaces, and knows nothing of this device. Nobody who is met there is
 * ever taken for a device: what is read is checked again by its reader.
 */

import type { SingleKadDHT } from '@libp2p/kad-dht'
import { z } from 'zod'
import { checkAdvertisement, PAIRING_NAMESPACE } from '../../protocols/pairing/index.js'
import { decode, TokenBucket } from '../../protocols/wire/index.js'
import {
  type AbortOptions,
  type Clock,
  deadline,
  type LinkedSignals,
  type Logger,
  linkSignals,
  SpacedriveError
} from '../../storage/base/index.js'
import { ADDRESS_NAMESPACE, checkRecord } from './address-record.js'
import { parseAddress, reachOf } from './addresses.js'
import { STREAM_BURST, STREAMS_PER_SECOND } from './limits.js'
import { endedMeanwhile } from './meter.js'
import type { NetworkStatus } from './status.js'
import { guarded } from './yamux-guard.js'

export interface DhtInit {
  readonly bootstrap: readonly string[]
  readonly serve: boolean
  /** Where it listens when it serves. */
  readonly listen: readonly string[]
  readonly clock: Clock
  readonly log: Logger
}

export interface Dht {
  /** True when at least one other node took it, or this one serves others. */
  put(key: string, value: Uint8Array, options: AbortOptions): Promise<boolean>
  /** What other nodes hold, each once, not trusted; ends after one round. */
  lookup(key: string, options: AbortOptions): AsyncGenerator<Uint8Array>
  status(): NonNullable<NetworkStatus['dht']>
  stop(): Promise<void>
}

const PREFIX = 'spacedrive'
const MAX_CONNECTIONS = 64
const MAX_PENDING = 10
/** New connections of one host in a second. */
const CONNECTS_PER_SECOND = 5
/** Yamux' own first window: no DHT message of ours is longer than 8 KiB. */
const WINDOW_BYTES = 256 * 1024
const MAX_STREAMS = 32
/** One round of asking or putting. */
const QUERY_TIMEOUT_MS = 10_000
/** Between looks whether somebody of the bootstrap list is connected: soon at first, then ever later. */
const BOOTSTRAP_FIRST_MS = 1_000
const BOOTSTRAP_LAST_MS = 15_000
/** Between looks whether there is somebody to ask, while there is nobody yet. */
const ENTER_POLL_MS = 50
/** Keys whose newest number is remembered: a node that already holds a newer value takes no older one. */
const MAX_NEWEST = 8192

const seqSchema = z.object({ seq: z.number() })

export async function startDht(init: DhtInit): Promise<Dht> {
  const { clock, log } = init
  const [
    { createLibp2p },
    { tcp },
    { noise },
    { yamux },
    { identify },
    { ping },
    { kadDHT, passthroughMapper },
    { multiaddr },
    { BoundedStore },
    { FaultTolerance }
  ] = await Promise.all([
    import('libp2p'),
    import('@libp2p/tcp'),
    import('@chainsafe/libp2p-noise'),
    import('@chainsafe/libp2p-yamux'),
    import('@libp2p/identify'),
    import('@libp2p/ping'),
    import('@libp2p/kad-dht'),
    import('@multiformats/multiaddr'),
    import('./dht-store.js'),
    import('@libp2p/interface')
  ])
  const newest = new Map<string, number>()
  const validate =
    (check: (key: string, value: Uint8Array, nowMs: number) => unknown) =>
    (keyBytes: Uint8Array, value: Uint8Array): void => {
      const key = Buffer.from(keyBytes).toString('latin1')
      check(key, value, clock.nowMs())
      // kad-dht takes an older valid value over a newer one: its selector is not asked at PUT.
      const { seq } = decode(value, seqSchema, 'a record')
      if (seq < (newest.get(key) ?? 0)) throw new Error('a newer value is known')
      newest.delete(key)
      newest.set(key, seq)
      if (newest.size > MAX_NEWEST) newest.delete(newest.keys().next().value!)
    }
  const select = (_key: Uint8Array, values: Uint8Array[]): number => {
    const seqs = values.map(value => decode(value, seqSchema, 'a record').seq)
    return seqs.indexOf(Math.max(...seqs))
  }
  const muxer = yamux({
    maxInboundStreams: MAX_STREAMS,
    maxOutboundStreams: MAX_STREAMS,
    streamOptions: { maxStreamWindowSize: WINDOW_BYTES }
  })
  const ownLoopback = [...init.bootstrap, ...init.listen].every(a => {
    const parsed = parseAddress(a)
    return parsed !== undefined && reachOf(parsed) === 'loopback'
  })
  const node = await createLibp2p({
    start: false,
    datastore: new BoundedStore(),
    nodeInfo: { name: PREFIX, version: '1', userAgent: PREFIX },
    addresses: { listen: init.serve ? [...init.listen] : [] },
    transports: [tcp()],
    transportManager: { faultTolerance: FaultTolerance.NO_FATAL },
    connectionEncrypters: [noise()],
    streamMuxers: [
      () =>
        guarded(muxer(), () => {
          const bucket = new TokenBucket(STREAMS_PER_SECOND, STREAM_BURST, () => clock.monotonicMs())
          return { maxFrameBytes: WINDOW_BYTES, onStream: () => bucket.take() }
        })
    ],
    connectionGater: {
      denyInboundUpgradedConnection: endedMeanwhile,
      denyOutboundUpgradedConnection: endedMeanwhile,
      // Other nodes tell us addresses: none of them sends us to ourselves or to a place that is no host.
      denyDialMultiaddr(address) {
        const parsed = parseAddress(address.toString())
        if (parsed === undefined) return true
        const reach = reachOf(parsed)
        return reach === 'reserved' || reach === 'link-local' || (reach === 'loopback' && !ownLoopback)
      }
    },
    connectionMonitor: { protocolPrefix: PREFIX },
    connectionManager: {
      maxConnections: MAX_CONNECTIONS,
      maxIncomingPendingConnections: MAX_PENDING,
      inboundConnectionThreshold: ownLoopback ? MAX_CONNECTIONS : CONNECTS_PER_SECOND,
      inboundUpgradeTimeout: 5_000
    },
    services: {
      identify: identify({ protocolPrefix: PREFIX }),
      ping: ping({ protocolPrefix: PREFIX }),
      dht: kadDHT({
        protocol: `/${PREFIX}/kad/1.0.0`,
        datastorePrefix: '/sddht',
        clientMode: !init.serve,
        peerInfoMapper: passthroughMapper,
        allowQueryWithZeroPeers: true,
        maxInboundStreams: 16,
        alpha: 3,
        validators: { [PAIRING_NAMESPACE]: validate(checkAdvertisement), [ADDRESS_NAMESPACE]: validate(checkRecord) },
        selectors: { [PAIRING_NAMESPACE]: select, [ADDRESS_NAMESPACE]: select }
      })
    }
  })
  await node.start()
  const stopping = new AbortController()
  let timer: { clear(): void } | undefined

  /** The bootstrap peers' keys are thrown away at each of their starts, so they are dialled by address alone. */
  async function bootstrap(): Promise<void> {
    if (stopping.signal.aborted) return
    const connected = new Set(node.getConnections().map(c => c.remoteAddr.toString().replace(/\/p2p\/.*$/, '')))
    await Promise.all(
      init.bootstrap
        .map(a => a.replace(/\/p2p\/.*$/, ''))
        .filter(a => !connected.has(a))
        .map(async address => {
          try {
            await node.dial(multiaddr(address), { signal: stopping.signal })
          } catch (err) {
            log.debug('a bootstrap peer does not answer', { address, err: (err as Error).message })
          }
        })
    )
    timer = clock.timer(() => void bootstrap(), bootstrapMs)
    bootstrapMs = Math.min(BOOTSTRAP_LAST_MS, 2 * bootstrapMs)
  }
  let bootstrapMs = BOOTSTRAP_FIRST_MS
  void bootstrap()

  /** A node that has just started is not in the DHT yet: what is asked or put waits for the first peer, within its round. */
  async function entered(signal: AbortSignal): Promise<void> {
    if (init.bootstrap.length === 0) return
    const { routingTable } = node.services.dht as SingleKadDHT
    while (routingTable.size === 0) await clock.sleep(ENTER_POLL_MS, { signal })
  }

  /** One round, which ends with the caller, with the network, or after ten seconds. */
  function round(signal: AbortSignal | undefined): LinkedSignals {
    const both = linkSignals(stopping.signal, signal)
    const limit = deadline(QUERY_TIMEOUT_MS, 'asking the DHT', both.signal)
    return {
      signal: limit.signal,
      clear() {
        limit.clear()
        both.clear()
      }
    }
  }

  return {
    async put(key, value, { signal }) {
      signal?.throwIfAborted()
      // Who serves holds it too, for whoever asks here.
      let taken = init.serve
      const limit = round(signal)
      try {
        await entered(limit.signal)
        const bytes = Buffer.from(key, 'latin1')
        for await (const event of node.services.dht.put(bytes, value, { signal: limit.signal })) {
          if (event.name === 'PEER_RESPONSE' && event.messageName === 'PUT_VALUE') taken = true
        }
      } catch (err) {
        signal?.throwIfAborted()
        log.debug('could not put a value into the DHT', { err: (err as Error).message })
      } finally {
        limit.clear()
      }
      return taken
    },
    async *lookup(key, { signal }) {
      const seen = new Set<string>()
      const limit = round(signal)
      try {
        await entered(limit.signal)
        for await (const event of node.services.dht.get(Buffer.from(key, 'latin1'), { signal: limit.signal })) {
          const value =
            event.name === 'VALUE'
              ? event.value
              : event.name === 'PEER_RESPONSE' && event.record != null
                ? event.record.value
                : undefined
          if (value === undefined) continue
          const text = Buffer.from(value).toString('base64')
          if (seen.has(text)) continue
          seen.add(text)
          yield value
        }
      } catch (err) {
        // A missing key, and a peer that refuses a correction, end in an error after everything was told.
        if (signal?.aborted === true) return
        log.debug('a question to the DHT ended early', { err: (err as Error).message })
      } finally {
        limit.clear()
      }
    },
    status: () => ({
      peers: node.getPeers().length,
      serving: init.serve,
      listening: node.getMultiaddrs().map(a => a.toString().replace(/\/p2p\/.*$/, ''))
    }),
    async stop() {
      timer?.clear()
      stopping.abort(new SpacedriveError('NETWORK_STOPPED', 'networking was switched off'))
      await node.stop()
    }
  }
}
