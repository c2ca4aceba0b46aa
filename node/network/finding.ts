/** Ways of finding each other: mDNS on the local network and the DHT, asked at the same time. What they say are hints. */
import type { Candidate } from '../../protocols/pairing/index.js'
import type { AbortOptions, Clock, DeviceId, EventBus, Logger, Random } from '../../storage/base/index.js'
import type { Config } from '../config/schema.js'
import type { DeviceRegistry } from '../devices/index.js'
import { type Dht, startDht } from './dht.js'
import { type DhtAddresses, dhtAddresses } from './dht-addresses.js'
import { Discovered } from './discovered.js'
import { watchInterfaces } from './interfaces.js'
import { lan } from './lan.js'
import type { Running } from './running.js'
import type { NetworkStatus } from './status.js'

export interface FindingInit {
  readonly config: Config['network']
  readonly local: DeviceId
  readonly running: Running
  readonly devices: DeviceRegistry
  readonly clock: Clock
  readonly random: Random
  readonly events: EventBus
  readonly log: Logger
}

export interface Finding {
  discovered(): NetworkStatus['discovered']
  dht(): NetworkStatus['dht']
  ways(): readonly ('lan' | 'dht')[]
  /** A device is dialled: asks for it everywhere; what is found wakes its loop. */
  search(device: DeviceId): void
  announceTag(lanTag: string): Promise<{ close(): Promise<void> }>
  browseTag(lanTag: string, options: AbortOptions): AsyncIterable<Candidate>
  put(key: string, value: Uint8Array, options: AbortOptions): Promise<boolean>
  lookup(key: string, options: AbortOptions): AsyncIterable<Uint8Array>
  stop(): Promise<void>
}

/** @throws never for a way that cannot be used: that is logged, and the others work */
export async function startFinding(init: FindingInit): Promise<Finding> {
  const { config, local, running, devices, clock, random, events, log } = init
  const isKnown = (device: DeviceId): boolean => ['paired', 'unconfirmed'].includes(devices.find(device)?.state ?? '')
  const seen = new Discovered(clock, isKnown)
  const quiet = config.loopback

  function found(device: DeviceId, addresses: readonly string[], via: 'lan' | 'dht'): void {
    if (device === local || addresses.length === 0) return
    const news = seen.add({ device, addresses, via })
    if (news) {
      const name = devices.find(device)?.name
      events.emit('device:discovered', {
        device,
        ...(name === undefined ? {} : { name }),
        addresses: [...addresses],
        via
      })
    }
    if (!isKnown(device)) return
    running.hint(device, addresses)
    if (running.links.session(device) !== undefined) {
      // It is somewhere else than where we are connected: perhaps that connection is dead.
      if (news) void running.links.probeAll(device)
      return
    }
    running.reconnect.want(device)
    running.reconnect.wake(device, 'discovered')
  }

  const near =
    quiet || !config.mdns
      ? undefined
      : lan({
          device: local,
          clock,
          random,
          log: log.child('mdns'),
          interfaces: config.mdnsInterfaces,
          addresses: () => running.addresses(),
          onFound: (device, addresses) => found(device, addresses, 'lan')
        })
  await near?.start().catch((err: unknown) => log.warn('mDNS did not start', { err }))

  let dht: Dht | undefined
  let leaving: DhtAddresses | undefined
  if (!quiet && config.dht && (config.bootstrap.length > 0 || config.serveDht)) {
    try {
      dht = await startDht({
        bootstrap: config.bootstrap,
        serve: config.serveDht,
        listen: config.dhtListen,
        clock,
        log: log.child('dht')
      })
      leaving = dhtAddresses({
        local,
        dht,
        devices,
        clock,
        random,
        log: log.child('dht'),
        addresses: () => running.addresses()
      })
    } catch (err) {
      log.warn('the DHT node did not start', { err })
    }
  }

  const unwatch = quiet
    ? () => {}
    : watchInterfaces(clock, () => {
        log.info('the network changed', { addresses: running.addresses() })
        void near?.refresh().catch((err: unknown) => log.warn('mDNS did not start again', { err }))
        leaving?.changed()
        running.networkChanged()
      })

  return {
    discovered: () =>
      seen.list().map(({ device, addresses, via }) => ({
        device,
        name: devices.find(device)?.name ?? null,
        addresses,
        via
      })),
    dht: () => dht?.status() ?? null,
    ways: () => [...(near === undefined ? [] : ['lan' as const]), ...(dht === undefined ? [] : ['dht' as const])],
    search(device) {
      leaving
        ?.find(device)
        .then(addresses => found(device, addresses, 'dht'))
        .catch((err: unknown) => log.debug('could not look for a device in the DHT', { device, err }))
    },
    announceTag: async lanTag => (await near?.announceTag(lanTag)) ?? { async close() {} },
    async *browseTag(lanTag, options) {
      if (near !== undefined) yield* near.browseTag(lanTag, options)
    },
    put: async (key, value, options) => (await dht?.put(key, value, options)) ?? false,
    async *lookup(key, options) {
      if (dht !== undefined) yield* dht.lookup(key, options)
    },
    async stop() {
      unwatch()
      leaving?.stop()
      await Promise.all([near?.stop(), dht?.stop()])
    }
  }
}
