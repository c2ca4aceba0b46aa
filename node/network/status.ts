import type { DeviceId } from '../../storage/base/index.js'
import type { Config } from '../config/schema.js'
import type { DeviceRegistry, LocalDevice } from '../devices/index.js'
import type { IdentityStore } from '../identity/index.js'
import type { Finding } from './finding.js'
import type { Running } from './running.js'

/** `locked`: the identity's password is missing. `failed`: see the reason. */
export type NetworkState = 'off' | 'starting' | 'on' | 'locked' | 'failed'

export interface NetworkStatus {
  readonly state: NetworkState
  readonly device: DeviceId | null
  readonly name: string
  /** Why it is not on, or what is odd: sentences. */
  readonly notes: readonly string[]
  /** Bound sockets, wildcards resolved: with `/p2p/<id>`, ready to be typed as `--address` elsewhere. */
  readonly listening: readonly string[]
  /** Those of them that others can reach us at, most useful first. */
  readonly reachable: readonly string[]
  readonly discovered: readonly {
    readonly device: DeviceId
    readonly name: string | null
    readonly addresses: readonly string[]
    readonly via: string
  }[]
  readonly connections: readonly {
    readonly device: DeviceId
    readonly name: string
    readonly address: string
    readonly direction: 'inbound' | 'outbound'
    readonly rttMs: number | null
    readonly since: number
  }[]
  readonly dht: { readonly peers: number; readonly serving: boolean; readonly listening: readonly string[] } | null
  /** What is not in use, and why. */
  readonly off: readonly { readonly what: 'network' | 'mdns' | 'dht'; readonly why: string }[]
}

export interface StatusInit {
  readonly state: NetworkState
  readonly failure: Error | undefined
  readonly notes: readonly string[]
  readonly running: Running | undefined
  readonly finding: Finding | undefined
  readonly config: Config['network']
  readonly identity: IdentityStore
  readonly devices: DeviceRegistry
  readonly self: LocalDevice
}

export function composeStatus(init: StatusInit): NetworkStatus {
  const { state, failure, running, finding, config, identity, devices, self } = init
  const device = identity.device ?? null
  const full = (address: string): string => (device === null ? address : `${address}/p2p/${device}`)
  const notes = [...init.notes]
  if (failure !== undefined) notes.push(failure.message)
  const toldBy = running?.twins.toldBy
  if (toldBy !== undefined) notes.push(`this identity runs twice: ${devices.nameOf(toldBy)} has met another one`)
  return {
    state,
    device,
    name: self.name,
    notes,
    listening: running?.transport.listening().map(full) ?? [],
    reachable: running?.addresses().map(full) ?? [],
    discovered: finding?.discovered() ?? [],
    connections: (running?.links.sessions() ?? []).map(s => ({
      device: s.device,
      name: devices.nameOf(s.device),
      address: s.address,
      direction: s.dialled ? 'outbound' : 'inbound',
      rttMs: s.rttMs ?? null,
      since: s.openedAt
    })),
    dht: finding?.dht() ?? null,
    off: whatIsOff(state, config)
  }
}

function whatIsOff(state: NetworkState, config: Config['network']): NetworkStatus['off'] {
  const off: { what: 'network' | 'mdns' | 'dht'; why: string }[] = []
  if (state === 'off') off.push({ what: 'network', why: 'switched off: `spacedrive network start`' })
  if (state === 'locked') off.push({ what: 'network', why: 'locked: `spacedrive network start --password`' })
  if (state === 'failed') off.push({ what: 'network', why: 'it did not start' })
  if (config.loopback) {
    off.push({ what: 'mdns', why: 'loopback only' }, { what: 'dht', why: 'loopback only' })
    return off
  }
  if (!config.mdns) off.push({ what: 'mdns', why: 'switched off in the configuration (network.mdns)' })
  if (!config.dht) off.push({ what: 'dht', why: 'switched off in the configuration (network.dht)' })
  else if (config.bootstrap.length === 0 && !config.serveDht) {
    off.push({ what: 'dht', why: 'no bootstrap peer is configured (network.bootstrap)' })
  }
  return off
}
