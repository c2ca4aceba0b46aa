/** What exists while the network is on: built in order, taken down in reverse. */
import type { Connection } from '@libp2p/interface'
import { HELLO_PROTOCOL, HELLO_TIMEOUT_MS, type HelloInfo, MAX_TOLD_ADDRESSES } from '../../protocols/hello/index.js'
import { TokenBucket } from '../../protocols/wire/index.js'
import type { Clock, DeviceId, EventBus, Logger, Random } from '../../storage/base/index.js'
import { SpacedriveError } from '../../storage/base/index.js'
import type { DeviceRegistry, LocalDevice } from '../devices/index.js'
import type { Identity } from '../identity/index.js'
import { dialOrder, parseAddress, reachOf, sourceOf } from './addresses.js'
import { type Admission, admission } from './admission.js'
import { dialFirst } from './dialer.js'
import { MAX_STREAM_VIOLATIONS, MAX_STREAM_WINDOW_BYTES, STREAM_BURST, STREAMS_PER_SECOND } from './limits.js'
import { Links } from './links.js'
import { type Reconnect, reconnect } from './reconnect.js'
import type { Session } from './session.js'
import { startTransport, type Transport } from './transport.js'
import { type Twins, twins } from './twins.js'

export interface RunningInit {
  readonly identity: Identity
  readonly devices: DeviceRegistry
  readonly self: LocalDevice
  readonly listen: readonly string[]
  readonly clock: Clock
  readonly random: Random
  readonly events: EventBus
  readonly log: Logger
  readonly upgradeTimeoutMs: number | undefined
  isDoorOpen(): boolean
  capabilities(): string[]
  /** A device is about to be dialled: whoever finds devices may look for it meanwhile. */
  search(device: DeviceId): void
  onConnected(session: Session): void
  onDisconnected(session: Session, reason: unknown): void
}

export interface Running {
  /** Begins to dial; called when all handlers are in place. */
  begin(): void
  readonly transport: Transport
  readonly admission: Admission
  readonly links: Links
  readonly reconnect: Reconnect
  readonly twins: Twins
  /** Addresses found out from elsewhere (discovery, DHT) for a device: dialled beside those that are stored. */
  hint(device: DeviceId, addresses: readonly string[]): void
  /** Somebody waits for this device: tries at once, if it is one of ours and not connected. */
  seek(device: DeviceId): void
  /** Addresses others may reach us at, most useful first. */
  addresses(): string[]
  /** Interfaces or addresses changed: what is dead is found out, what is lost is dialled, the others are told. */
  networkChanged(): void
  /** Connects to an address of a device that is known, or fails. */
  connect(device: DeviceId, addresses: readonly string[]): Promise<Connection>
  stop(reason: SpacedriveError): Promise<void>
}

/** Closed on us right after it proved to be itself, this often in a row: it does not know us. */
const REFUSALS_TO_BELIEVE = 2
/** Hints kept for a device beside the stored addresses. */
const MAX_HINTS = 8

export async function startRunning(init: RunningInit): Promise<Running> {
  const { identity, devices, self, clock, random, log } = init
  const refusals = new Map<DeviceId, number>()
  /** How often a device that we dialled has proven to be itself. */
  const authenticated = new Map<DeviceId, number>()
  const hints = new Map<DeviceId, string[]>()

  const isKnown = (device: DeviceId): boolean => {
    const state = devices.find(device)?.state
    return state === 'paired' || state === 'unconfirmed'
  }
  const gate = admission({
    clock,
    log,
    isKnown,
    isDoorOpen: init.isDoorOpen,
    isKnownSource: source => knownSources().has(source)
  })
  gate.onAuthenticated(device => authenticated.set(device, (authenticated.get(device) ?? 0) + 1))

  // Asked for each inbound connection: read from the database at most once a second.
  let sources = { at: Number.NEGATIVE_INFINITY, set: new Set<string>() }
  function knownSources(): Set<string> {
    if (clock.monotonicMs() - sources.at < 1_000) return sources.set
    const set = new Set<string>()
    for (const device of devices.list().filter(d => isKnown(d.id))) {
      for (const { address, goodAt } of devices.addressesOf(device.id)) if (goodAt > 0) set.add(sourceOf(address))
    }
    sources = { at: clock.monotonicMs(), set }
    return set
  }

  const twin = twins({ devices, log })
  const links: Links = new Links({
    local: identity.device,
    devices,
    admission: gate,
    twins: twin,
    clock,
    random,
    log,
    info: (): HelloInfo => ({
      name: self.name,
      os: self.os,
      model: self.model,
      version: self.version,
      capabilities: init.capabilities(),
      wallMs: clock.nowMs(),
      starts: self.starts,
      run: self.run,
      addresses: addresses().slice(0, MAX_TOLD_ADDRESSES)
    }),
    onConnected(session) {
      loops.release(session.device)
      init.onConnected(session)
    },
    onDisconnected(session, reason) {
      if (devices.isPaired(session.device)) keep(devices.seen(session.device))
      init.onDisconnected(session, reason)
      if (isKnown(session.device) && !stopped) loops.want(session.device)
    },
    onPaired: device => loops.want(device, HELLO_TIMEOUT_MS),
    onSession(session, info) {
      refusals.delete(session.device)
      if (session.dialled) keep(devices.saveAddresses(session.device, [session.address], true))
      keep(devices.saveAddresses(session.device, info.addresses.filter(isUseful), false))
    },
    onUpdate(session, message) {
      if (message.t === 'twice') twin.told(session.device)
      if (message.t === 'update' && 'name' in message && message.name !== undefined) {
        keep(devices.nameTold(session.device, message.name))
      }
      if (message.t === 'update' && 'addresses' in message && message.addresses !== undefined) {
        keep(devices.saveAddresses(session.device, message.addresses.filter(isUseful), false))
      }
    }
  })
  /** Writes that go on while others do something else; awaited before the database may be closed. */
  const writes = new Set<Promise<void>>()
  const keep = (writing: Promise<void>): void => {
    const done = writing
      .catch((err: unknown) => log.warn('could not keep what was learnt of a device', { err }))
      .finally(() => writes.delete(done))
    writes.add(done)
  }

  const transport = await startTransport({
    identity,
    listen: init.listen,
    upgradeTimeoutMs: init.upgradeTimeoutMs,
    gater: gate.gater,
    guard: () => {
      const bucket = new TokenBucket(STREAMS_PER_SECOND, STREAM_BURST, () => clock.monotonicMs())
      let violations = 0
      return {
        maxFrameBytes: MAX_STREAM_WINDOW_BYTES,
        onStream() {
          return bucket.take() || ++violations < MAX_STREAM_VIOLATIONS
        }
      }
    }
  })
  transport.onConnection(connection => links.open(connection))
  await transport.handle(HELLO_PROTOCOL, (stream, connection) => links.answer(stream, connection), 1)

  function addresses(): string[] {
    const all = dialOrder(transport.listening().map(address => ({ address, goodAt: 0 })))
    const outward = all.filter(a => !['loopback', 'link-local'].includes(reachOf(parseAddress(a)!)))
    // On loopback alone that is where we are.
    return outward.length > 0 ? outward : all
  }

  async function connect(device: DeviceId, targets: readonly string[]): Promise<Connection> {
    const { connection } = await dialFirst(
      { clock, dial: transport.dial, drop: c => c.abort(new SpacedriveError('RETIRED', 'another address was faster')) },
      targets,
      device,
      {}
    )
    return connection
  }

  async function attempt(device: DeviceId): Promise<boolean> {
    if (links.session(device) !== undefined) return true
    const before = authenticated.get(device)
    try {
      const known = [
        ...devices.addressesOf(device),
        ...(hints.get(device) ?? []).map(address => ({ address, goodAt: 0 }))
      ]
      init.search(device)
      const connection = await connect(device, dialOrder(known))
      const link = links.find(connection)
      if (link === undefined) return false
      await link.ready
      return true
    } catch (err) {
      log.debug('could not connect', { device, err })
      if (authenticated.get(device) !== before && isSilentRefusal(err)) noteRefusal(device)
      else refusals.delete(device)
      return links.session(device) !== undefined
    }
  }

  function noteRefusal(device: DeviceId): void {
    const count = (refusals.get(device) ?? 0) + 1
    refusals.set(device, count)
    if (count >= REFUSALS_TO_BELIEVE && devices.setProblem(device, 'does-not-know-us')) {
      log.warn('it does not know us: pair again', { device })
    }
  }

  const loops = reconnect({ clock, random, attempt })
  let stopped = false
  return {
    begin() {
      for (const device of devices.list()) if (isKnown(device.id)) loops.want(device.id)
    },
    transport,
    admission: gate,
    links,
    reconnect: loops,
    twins: twin,
    hint(device, found) {
      const merged = [...new Set([...found, ...(hints.get(device) ?? [])])].slice(0, MAX_HINTS)
      hints.set(device, merged)
    },
    seek(device) {
      if (stopped || !isKnown(device) || links.session(device) !== undefined) return
      loops.want(device)
      loops.wake(device, 'asked')
    },
    addresses,
    networkChanged() {
      void links.probeAll()
      links.broadcast({ t: 'update', addresses: addresses().slice(0, MAX_TOLD_ADDRESSES) })
      loops.wakeAll()
    },
    connect,
    async stop(reason) {
      stopped = true
      loops.stop()
      links.cutAll(reason)
      await transport.stop()
      await Promise.all(writes)
    }
  }
}

/** A loopback address of another machine leads nowhere; of our own tests it leads home. Names and odd ranges are not kept. */
function isUseful(address: string): boolean {
  const parsed = parseAddress(address)
  return parsed !== undefined && parsed.kind !== 'dns' && reachOf(parsed) !== 'reserved'
}

/** The connection ended without a refusal that was said aloud. */
function isSilentRefusal(err: unknown): boolean {
  return !['KEYS_DIFFER', 'RUNS_TWICE', 'VERSION_DIFFERS', 'REFUSED', 'TIMEOUT'].includes(
    (err as { code?: string }).code ?? ''
  )
}
