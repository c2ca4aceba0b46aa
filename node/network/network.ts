import type { PairingGate } from '../../protocols/pairing/index.js'
import {
  type HandlerOptions,
  type PeerHandler,
  type PeerSession,
  patientDeadline,
  TokenBucket,
  wireError
} from '../../protocols/wire/index.js'
import { type AbortOptions, type DeviceId, SpacedriveError, toError } from '../../storage/base/index.js'
import { type DeviceProblem, deviceWrites } from '../devices/index.js'
import { belonging } from '../identity/index.js'
import { type Finding, startFinding } from './finding.js'
import type { Network, NetworkInit } from './index.js'
import { NEGOTIATION_TIMEOUT_MS, OPEN_BURST, OPENS_PER_SECOND } from './limits.js'
import { planListening, rememberPorts } from './listen.js'
import { pairingPort } from './pairing-port.js'
import { type Running, startRunning } from './running.js'
import type { Session } from './session.js'
import { composeStatus, type NetworkState } from './status.js'
import { served } from './streams.js'
import { standingOf } from './trust.js'
import { unsupported } from './unsupported.js'

const LOOPBACK = ['/ip4/127.0.0.1/tcp/0']

export function createNetwork(init: NetworkInit): Network {
  const { identity, devices, self, database, clock, random, events, log } = init
  const handlers = new Map<string, { handler: PeerHandler; options: HandlerOptions }>()
  const onConnected = new Set<(peer: PeerSession) => void>()
  const onDisconnected = new Set<(peer: PeerSession, reason: unknown) => void>()
  const opening = new Map<DeviceId, TokenBucket>()
  let gate: PairingGate = { isOpen: () => false }
  let state: NetworkState = 'off'
  let failure: Error | undefined
  let notes: string[] = []
  let running: Running | undefined
  let finding: Finding | undefined
  /** Starting and stopping take turns. */
  let turn: Promise<unknown> = Promise.resolve()

  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const next = turn.then(work)
    turn = next.catch(() => {})
    return next
  }
  const standing = (device: DeviceId) => standingOf(devices.find(device), gate.isOpen())
  const call = <A extends unknown[]>(listeners: Iterable<(...args: A) => void>, ...args: A): void => {
    for (const listener of [...listeners]) {
      try {
        listener(...args)
      } catch (err) {
        log.error('a listener failed', { err })
      }
    }
  }

  devices.onRevoke({
    cut(device) {
      running?.reconnect.release(device)
      running?.links.cut(device, new SpacedriveError('REVOKED', `${device} was revoked`))
    }
  })

  const pairing = pairingPort({
    clock,
    running: () => running,
    finding: () => finding,
    identity: () => identity.identity,
    standing
  })

  async function register(target: Running, protocol: string): Promise<void> {
    const { handler, options } = handlers.get(protocol)!
    const serve = served({ protocol, handler, options, log, links: () => running?.links, standing })
    // Our own count is over all connections of a device; libp2p's is the same for each connection.
    await target.transport.handle(protocol, serve, options.maxInboundStreams ?? 1_000)
  }

  async function begin(): Promise<void> {
    if (running !== undefined) return
    state = 'starting'
    failure = undefined
    try {
      const config = init.config()
      await settleIdentity()
      const key = await identity.unlock(identity.state() === 'locked' ? await init.password?.() : undefined)
      const listen = config.loopback ? LOOPBACK : config.listen
      const plan = await planListening(listen, database)
      notes = plan.failed.map(f => `not listening on ${f.address}: ${f.why}`)
      await devices.lapse()
      running = await startRunning({
        identity: key,
        devices,
        self,
        listen: plan.addresses,
        clock,
        random,
        events,
        log,
        upgradeTimeoutMs: init.upgradeTimeoutMs,
        isDoorOpen: () => gate.isOpen(),
        search: device => finding?.search(device),
        capabilities: () => [...handlers.keys()].sort(),
        onConnected: sessionBegan,
        onDisconnected: sessionEnded
      })
      await rememberPorts(listen, running.transport.listening(), database)
      for (const protocol of handlers.keys()) await register(running, protocol)
      await pairing.attach(running)
      finding = await startFinding({
        config,
        local: key.device,
        running,
        devices,
        clock,
        random,
        events,
        log
      })
      running.begin()
      state = 'on'
      events.emit('network:started', { listening: running.transport.listening() })
    } catch (err) {
      const { code } = err as { code?: string }
      state = code === 'LOCKED_IDENTITY' || code === 'WRONG_PASSWORD' ? 'locked' : 'failed'
      failure = toError(err)
      await finding?.stop()
      await running?.stop(new SpacedriveError('NETWORK_STOPPED', 'networking did not start'))
      finding = undefined
      running = undefined
      throw err
    }
  }

  /** Lost halves (PEERS 3), and the first start of all. */
  async function settleIdentity(): Promise<void> {
    if (identity.error !== undefined) throw identity.error
    const named = database.get<{ value: DeviceId }>(`SELECT value FROM meta WHERE name = 'device_id'`)?.value
    const found = belonging(identity.device, named)
    if (found.error !== undefined) throw found.error
    if (found.state === 'new') await identity.create({})
    if (found.state === 'database-lost') log.warn('the database of this device was lost: it knows nobody any more', {})
    if (found.state !== 'same') {
      await database.write(deviceWrites.setMeta, { name: 'device_id', value: identity.device! })
    }
  }

  async function end(): Promise<void> {
    const was = running
    state = 'off'
    failure = undefined
    if (was === undefined) return
    running = undefined
    const found = finding
    finding = undefined
    await found?.stop()
    await was.stop(new SpacedriveError('NETWORK_STOPPED', 'networking was switched off'))
    events.emit('network:stopped', {})
  }

  function sessionBegan(session: Session): void {
    const { device, address } = session
    log.info('connected', { device, address, direction: session.dialled ? 'outbound' : 'inbound' })
    events.emit('device:connected', { device, name: devices.nameOf(device), address })
    call(onConnected, session)
  }

  function sessionEnded(session: Session, reason: unknown): void {
    const { device } = session
    const text = toError(reason).message
    log.info('disconnected', { device, reason: text })
    events.emit('device:disconnected', { device, name: devices.nameOf(device), reason: text })
    call(onDisconnected, session, reason)
  }

  /** Paces our own opening of streams below what the other side allows. */
  async function pace(device: DeviceId, signal?: AbortSignal): Promise<void> {
    const bucket = opening.get(device) ?? new TokenBucket(OPENS_PER_SECOND, OPEN_BURST, () => clock.monotonicMs())
    opening.set(device, bucket)
    while (!bucket.take()) await clock.sleep(1_000 / OPENS_PER_SECOND, { signal })
  }

  async function open(device: DeviceId, protocol: string, { signal }: AbortOptions = {}): ReturnType<Network['open']> {
    await pace(device, signal)
    const peer = running?.links.session(device)
    if (peer === undefined) {
      throw awayFor(devices.nameOf(device), devices.find(device)?.problem)
    }
    const limit = patientDeadline(peer, NEGOTIATION_TIMEOUT_MS, `opening ${protocol}`, signal)
    try {
      return { stream: await peer.connection.newStream([protocol], { signal: limit.signal }), peer }
    } catch (err) {
      signal?.throwIfAborted()
      if (peer.signal.aborted) {
        throw wireError('DEVICE_AWAY', `${devices.nameOf(device)} was disconnected`, err)
      }
      limit.signal.throwIfAborted()
      if ((err as Error).name === 'UnsupportedProtocolError') {
        throw unsupported({ name: devices.nameOf(device), theirs: peer.capabilities }, protocol, err)
      }
      throw wireError('STREAM_CLOSED', `could not open ${protocol}: ${toError(err).message}`, err)
    } finally {
      limit.clear()
    }
  }

  function whenConnected(device: DeviceId, { signal }: AbortOptions = {}): Promise<PeerSession> {
    return new Promise((resolve, reject) => {
      const finish = (act: () => void): void => {
        for (const undo of undos) undo()
        act()
      }
      const aborted = (): void => finish(() => reject(signal?.reason))
      const connected = (peer: PeerSession): void => {
        if (peer.device === device) finish(() => resolve(peer))
      }
      const undos = [
        () => signal?.removeEventListener('abort', aborted),
        () => onConnected.delete(connected),
        events.on('device:revoked', event => {
          if (event.device !== device) return
          finish(() => reject(new SpacedriveError('REVOKED', `${devices.nameOf(device)} was revoked`)))
        })
      ]
      if (signal?.aborted === true) return aborted()
      const present = running?.links.session(device)
      if (present !== undefined) return finish(() => resolve(present))
      signal?.addEventListener('abort', aborted, { once: true })
      onConnected.add(connected)
      running?.seek(device)
    })
  }

  return {
    get state() {
      return state
    },
    get localDevice() {
      const device = identity.device
      if (device === undefined) {
        throw new SpacedriveError('NO_IDENTITY', 'this device has no identity yet', {
          hint: 'Run `spacedrive network init`.'
        })
      }
      return device
    },
    pairing,
    setPairingGate(next) {
      gate = next
    },
    start: () => inTurn(begin),
    stop: () => inTurn(end),
    async handle(protocol, handler, options = {}) {
      if (handlers.has(protocol)) throw new TypeError(`${protocol} has a handler already`)
      handlers.set(protocol, { handler, options })
      if (running !== undefined) await register(running, protocol)
    },
    async unhandle(protocol) {
      handlers.delete(protocol)
      await running?.transport.unhandle(protocol)
    },
    open,
    session: device => running?.links.session(device),
    whenConnected,
    connected: () => running?.links.sessions() ?? [],
    onConnected(listener) {
      onConnected.add(listener)
      return () => onConnected.delete(listener)
    },
    onDisconnected(listener) {
      onDisconnected.add(listener)
      return () => onDisconnected.delete(listener)
    },
    hint(device, addresses) {
      running?.hint(device, addresses)
      running?.seek(device)
    },
    renamed: () => running?.links.broadcast({ t: 'update', name: self.name }),
    status: () =>
      composeStatus({ state, failure, notes, running, finding, config: init.config(), identity, devices, self })
  }
}

/** Of a device that is there and will not have us, that it is away would be untrue. */
function awayFor(name: string, problem: DeviceProblem | undefined): SpacedriveError {
  if (problem !== 'does-not-know-us' && problem !== 'keys-differ') return wireError('DEVICE_AWAY', `${name} is away`)
  const why =
    problem === 'keys-differ' ? 'its keys differ from those kept here' : 'it does not know this device any more'
  return new SpacedriveError('DEVICE_AWAY', `${name} cannot be reached: ${why}`, {
    hint: 'Pair the two again: `spacedrive network pair generate`.'
  })
}
