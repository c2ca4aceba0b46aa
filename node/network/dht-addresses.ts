/** Paired devices leave each other their addresses in the DHT, and look for those of the others. */
import type { Clock, DeviceId, Logger, Random } from '../../storage/base/index.js'
import type { DeviceRegistry } from '../devices/index.js'
import { dayOf, makeRecord, openRecord, recordKeys } from './address-record.js'
import { parseAddress, reachOf } from './addresses.js'
import type { Dht } from './dht.js'

export interface DhtAddressesInit {
  readonly local: DeviceId
  readonly dht: Dht
  readonly devices: DeviceRegistry
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  addresses(): readonly string[]
}

export interface DhtAddresses {
  /** Our addresses changed: puts them anew soon. */
  changed(): void
  /** Where a device says it is; at most once in a while for each device. @returns addresses of its newest record */
  find(device: DeviceId): Promise<string[]>
  stop(): void
}

const PUT_INTERVAL_MS = 30 * 60_000
/** Nobody took it: the bootstrap peer was not there yet. Doubles up to the interval above. */
const RETRY_MS = 1_000
/** Several changes of a network in a row are one. */
const SETTLE_MS = 1_000
/** A device is looked for no more often: the reconnect loop may ask more than once a second. */
const FIND_INTERVAL_MS = 2_000
const MAX_ADDRESSES = 8

export function dhtAddresses(init: DhtAddressesInit): DhtAddresses {
  const { local, dht, devices, clock, random, log } = init
  const lastFind = new Map<DeviceId, number>()
  const stopping = new AbortController()
  let retryMs = RETRY_MS
  let timer = clock.timer(round, 0)

  // Also those whose first hello is still to come: finding each other is what it waits for.
  const paired = (): DeviceId[] =>
    devices.list().flatMap(d => (d.state === 'paired' || d.state === 'unconfirmed' ? [d.id] : []))
  const fits = (address: string): boolean => {
    const parsed = parseAddress(address)
    return parsed !== undefined && ['private', 'public'].includes(reachOf(parsed))
  }

  async function putAll(): Promise<boolean> {
    const addresses = init.addresses().filter(fits).slice(0, MAX_ADDRESSES)
    let all = true
    for (const device of paired()) {
      const [secret] = devices.secretsOf(device)
      if (secret === undefined) continue
      const now = clock.nowMs()
      const keys = recordKeys(secret.root, local, dayOf(now))
      const taken = await dht.put(keys.dhtKey, makeRecord(keys, addresses, now, random), { signal: stopping.signal })
      all &&= taken
    }
    return all
  }

  function round(): void {
    timer.clear()
    void putAll()
      .catch((err: unknown) => {
        if (!stopping.signal.aborted) log.debug('could not leave our addresses in the DHT', { err })
        return false
      })
      .then(all => {
        if (stopping.signal.aborted) return
        timer = clock.timer(round, all ? PUT_INTERVAL_MS : retryMs)
        retryMs = all ? RETRY_MS : Math.min(PUT_INTERVAL_MS, 2 * retryMs)
      })
  }

  return {
    changed() {
      if (stopping.signal.aborted) return
      timer.clear()
      retryMs = RETRY_MS
      timer = clock.timer(round, SETTLE_MS)
    },
    async find(device) {
      const now = clock.monotonicMs()
      if (now - (lastFind.get(device) ?? Number.NEGATIVE_INFINITY) < FIND_INTERVAL_MS) return []
      lastFind.set(device, now)
      const [secret] = devices.secretsOf(device)
      if (secret === undefined) return []
      let best: { addresses: string[]; seq: number } | undefined
      // Clocks differ: its day may be one before or after ours.
      const today = dayOf(clock.nowMs())
      await Promise.all(
        [today, today - 1, today + 1].map(async day => {
          const keys = recordKeys(secret.root, device, day)
          for await (const value of dht.lookup(keys.dhtKey, { signal: stopping.signal })) {
            try {
              const record = openRecord(keys, value, clock.nowMs())
              if (best === undefined || record.seq > best.seq) best = record
            } catch (err) {
              log.debug('an address record was refused', { device, err: (err as Error).message })
            }
          }
        })
      )
      return (best?.addresses ?? []).filter(fits)
    },
    stop() {
      timer.clear()
      stopping.abort(new Error('networking was switched off'))
    }
  }
}
