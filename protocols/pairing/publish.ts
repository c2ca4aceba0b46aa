/** While a code is open: its name on the local network and its value in the DHT, put again when our addresses change. */
import { type Clock, type Logger, type Random, toError } from '../../storage/base/index.js'
import { advertisementKey, makeAdvertisement } from './advertisement.js'
import type { CodeKeys } from './derive.js'
import { lanServiceName } from './lan-tag.js'
import { REPUBLISH_INTERVAL_MS } from './limits.js'
import type { LocalIdentity, PairingNetwork } from './ports.js'

export interface PublishInit {
  readonly keys: CodeKeys
  readonly local: LocalIdentity
  readonly expiresAtMs: number
  readonly network: PairingNetwork
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
}

/** Runs until the signal; resolves when everything is taken back. Never throws: a code also works by address. */
export async function publish(init: PublishInit, signal: AbortSignal): Promise<void> {
  await Promise.all([onLan(init, signal), inDht(init, signal)])
}

async function onLan({ keys, network, log }: PublishInit, signal: AbortSignal): Promise<void> {
  try {
    const announcement = await network.announce(lanServiceName(keys))
    if (!signal.aborted) {
      await new Promise<void>(resolve => signal.addEventListener('abort', () => resolve(), { once: true }))
    }
    await announcement.close()
  } catch (err) {
    log.warn('could not announce the pairing code on the local network', { reason: toError(err).message })
  }
}

async function inDht(init: PublishInit, signal: AbortSignal): Promise<void> {
  const { keys, local, expiresAtMs, network, clock, random, log } = init
  const key = advertisementKey(keys)
  let stored = ''
  for (let seq = 1; !signal.aborted; ) {
    try {
      const addresses = network.addresses()
      if (network.discovery().includes('dht') && addresses.join() !== stored) {
        const nonce = random.bytes(12)
        const value = makeAdvertisement(keys, { device: local.device, addresses, seq, notAfterMs: expiresAtMs, nonce })
        seq += 1
        if (await network.put(key, value, { signal })) stored = addresses.join()
      }
    } catch (err) {
      if (!signal.aborted) log.debug('could not put the pairing code into the DHT', { reason: toError(err).message })
    }
    await clock.sleep(REPUBLISH_INTERVAL_MS, { signal }).catch(() => {})
  }
}
