import type { KnownDevice, NewPair } from '../../protocols/pairing/index.js'
import {
  type Clock,
  cleanName,
  type DeviceId,
  type EventBus,
  type Logger,
  SpacedriveError
} from '../../storage/base/index.js'
import type { Database } from '../../storage/sql/index.js'
import type { Identity } from '../identity/index.js'
import type { Device, DeviceProblem, DeviceState, PairSecret } from './device.js'
import { deviceWrites } from './devices.worker.js'
import type { DeviceRegistry, RevokeHook, TrustHolder } from './index.js'
import { parseName } from './names.js'
import { resolveDevice } from './resolve.js'

/** An unproven secret is kept this long (PEERS 2). */
export const UNCONFIRMED_LIFETIME_MS = 24 * 3600_000

export interface DeviceRegistryInit {
  database: Database
  /** The unlocked identity, if there is one. Pair secrets cannot be read without it. */
  identity: () => Identity | undefined
  clock: Clock
  events: EventBus
  log: Logger
}

interface Row {
  device: DeviceId
  name: string
  given_name: string | null
  state: DeviceState
  os: string
  model: string
  version: string | null
  capabilities: string
  epoch: number
  starts: number | null
  run: string | null
  paired_at: number
  last_seen_at: number | null
  revoked_at: number | null
}

export async function openDeviceRegistry(init: DeviceRegistryInit): Promise<DeviceRegistry> {
  const { database, identity, clock, events, log } = init
  /** Every device known, always as the database has it: the gater asks at each connection. */
  const devices = new Map<DeviceId, Device>()
  const problems = new Map<DeviceId, DeviceProblem>()
  const revokeHooks = new Set<RevokeHook>()
  const trustHolders = new Set<TrustHolder>()

  const toDevice = (row: Row): Device => ({
    id: row.device,
    name: row.given_name ?? row.name,
    ownName: row.name,
    state: row.state,
    os: row.os,
    model: row.model,
    version: row.version ?? undefined,
    capabilities: JSON.parse(row.capabilities) as string[],
    epoch: row.epoch,
    starts: row.starts ?? undefined,
    run: row.run ?? undefined,
    pairedAt: row.paired_at,
    lastSeenAt: row.last_seen_at ?? undefined,
    revokedAt: row.revoked_at ?? undefined,
    problem: problems.get(row.device)
  })
  function reload(device: DeviceId): Device | undefined {
    const row = database.get<Row>('SELECT * FROM devices WHERE device = ?', [device])
    if (row === undefined) devices.delete(device)
    else devices.set(device, toDevice(row))
    return devices.get(device)
  }
  function reloadAll(): void {
    devices.clear()
    for (const row of database.all<Row>('SELECT * FROM devices')) devices.set(row.device, toDevice(row))
  }
  const unlocked = (): Identity => {
    const id = identity()
    if (id === undefined) throw new SpacedriveError('LOCKED_IDENTITY', 'the identity of this device is locked')
    return id
  }
  const about = (device: DeviceId, epoch: number): string => `pair ${device} ${epoch}`
  const readKnown = (device: DeviceId): Device => {
    const found = devices.get(device)
    if (found === undefined) throw new SpacedriveError('UNKNOWN_DEVICE', `${device} is not known here`)
    return found
  }
  const hasGrants = (device: DeviceId): boolean =>
    database.get('SELECT 1 FROM grants WHERE device = ? LIMIT 1', [device]) !== undefined ||
    [...trustHolders].some(h => h.has(device))
  const toKnown = (d: Device): KnownDevice => ({
    device: d.id,
    name: d.name,
    epoch: d.epoch,
    revoked: d.state === 'revoked',
    hasGrants: hasGrants(d.id)
  })

  await database.write(deviceWrites.lapse, { nowMs: clock.nowMs() })
  reloadAll()

  const registry: DeviceRegistry = {
    list: () => [...devices.values()],
    find: device => devices.get(device),
    resolve: text => resolveDevice(text, [...devices.values()]),
    isPaired: device => devices.get(device)?.state === 'paired',
    nameOf: device => devices.get(device)?.name ?? device,

    paired: {
      find(device) {
        const d = devices.get(device)
        return d === undefined ? undefined : toKnown(d)
      },
      list: () => [...devices.values()].filter(d => d.state !== 'forgotten').map(toKnown),
      savePaired: pair => savePaired(pair)
    },

    secretsOf(device) {
      const rows = database.all<{ epoch: number; sealed: Uint8Array; confirmed: number; lapses_at: number | null }>(
        'SELECT epoch, sealed, confirmed, lapses_at FROM pair_secrets WHERE device = ? ORDER BY epoch DESC',
        [device]
      )
      const id = unlocked()
      return rows
        .filter(r => r.lapses_at === null || r.lapses_at > clock.nowMs())
        .map(
          (r): PairSecret => ({
            epoch: r.epoch,
            root: id.open(r.sealed, about(device, r.epoch)),
            confirmed: r.confirmed === 1
          })
        )
    },

    async helloProven(device, epoch, facts) {
      const before = readKnown(device)
      if (before.state === 'revoked') throw new SpacedriveError('NOT_PAIRED', `${device} was revoked`)
      if (problems.get(device) !== 'runs-twice') problems.delete(device)
      const name = cleanName(facts.name) || before.ownName
      await database.write(deviceWrites.helloProven, { device, epoch, nowMs: clock.nowMs(), facts: { ...facts, name } })
      // RACE: revoked while the write ran: the tombstone is written after it, and the caller looks again.
      const known = devices.get(device)
      if (known?.state === 'revoked') throw new SpacedriveError('NOT_PAIRED', `${device} was revoked`)
      const now = reload(device)!
      if (known?.state !== 'paired') events.emit('device:paired', { device, name: now.name })
      if (now.name !== before.name) events.emit('device:renamed', { device, name: now.name })
      return now
    },

    async seen(device) {
      await database.write(deviceWrites.seen, { device, nowMs: clock.nowMs() })
      reload(device)
    },

    setProblem(device, problem) {
      const d = devices.get(device)
      if (d === undefined || d.problem === problem) return false
      if (problem === undefined) problems.delete(device)
      else problems.set(device, problem)
      devices.set(device, { ...d, problem })
      if (problem !== undefined) events.emit('device:troubled', { device, name: d.name, problem })
      return true
    },

    async rename(device, name) {
      const before = readKnown(device)
      await database.write(deviceWrites.rename, { device, name: name === null ? null : parseName(name) })
      const now = reload(device)!
      if (now.name !== before.name) events.emit('device:renamed', { device, name: now.name })
      return now
    },

    async nameTold(device, told) {
      const before = readKnown(device)
      const name = cleanName(told)
      if (name === '' || name === before.ownName) return
      await database.write(deviceWrites.nameTold, { device, name })
      const now = reload(device)
      if (now !== undefined && now.name !== before.name) events.emit('device:renamed', { device, name: now.name })
    },

    async revoke(device) {
      const before = readKnown(device)
      // From here on nobody takes it for paired: not the gater, not a handler, not the next step of a batch.
      devices.set(device, { ...before, state: 'revoked', problem: undefined })
      problems.delete(device)
      for (const hook of revokeHooks) hook.cut?.(device)
      await database.write(deviceWrites.revoke, { device, nowMs: clock.nowMs() })
      reload(device)
      for (const hook of revokeHooks) {
        try {
          await hook.clean?.(device)
        } catch (err) {
          log.error('could not clean up after a revoked device', { device, err })
        }
      }
      events.emit('device:revoked', { device, name: before.name })
    },

    addressesOf: device =>
      database.all<{ address: string; goodAt: number }>(
        'SELECT address, good_at AS goodAt FROM device_addresses WHERE device = ? ORDER BY good_at DESC, told_at DESC',
        [device]
      ),
    async saveAddresses(device, addresses, good) {
      if (addresses.length === 0 || !devices.has(device)) return
      await database.write(deviceWrites.addresses, { device, addresses: [...addresses], good, nowMs: clock.nowMs() })
    },

    onRevoke(hook) {
      revokeHooks.add(hook)
      return () => revokeHooks.delete(hook)
    },
    addTrustHolder(holder) {
      trustHolders.add(holder)
      return () => trustHolders.delete(holder)
    },
    async lapse() {
      if ((await database.write(deviceWrites.lapse, { nowMs: clock.nowMs() })) > 0) reloadAll()
    },
    async forgetAll() {
      await database.write(deviceWrites.forgetAll, { nowMs: clock.nowMs() })
      problems.clear()
      reloadAll()
    }
  }

  async function savePaired(pair: NewPair): Promise<void> {
    const id = unlocked()
    if (pair.device === id.device) throw new SpacedriveError('SELF_PAIRING', 'this device cannot be paired with itself')
    const nowMs = clock.nowMs()
    await database.write(deviceWrites.savePair, {
      device: pair.device,
      name: cleanName(pair.name) || pair.device.slice(-8),
      os: pair.os,
      model: cleanName(pair.model),
      epoch: pair.epoch,
      sealed: id.seal(pair.pairRoot, about(pair.device, pair.epoch)),
      nowMs,
      lapsesAt: nowMs + UNCONFIRMED_LIFETIME_MS,
      keepGrants: pair.keepGrants
    })
    problems.delete(pair.device)
    reload(pair.device)
    if (!pair.keepGrants) for (const holder of trustHolders) await holder.drop(pair.device)
  }

  return registry
}
