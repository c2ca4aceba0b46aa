/**
 * The connections of the own node and what has become of each: a stranger that pairs, a hello under way, a session. It
 * cuts what does not say hello in time, keeps one session a device in use when there are several, and tells of devices
 * that come and go.
 */
import { setMaxListeners } from 'node:events'
import type { Connection, Stream } from '@libp2p/interface'
import {
  answerHello,
  type Control,
  HELLO_PROTOCOL,
  HELLO_TIMEOUT_MS,
  type HelloInfo,
  type HelloInit,
  type HelloResult,
  sayHello
} from '../../protocols/hello/index.js'
import { wireError } from '../../protocols/wire/index.js'
import {
  type DeviceId,
  deadline,
  errorCode,
  isAbort,
  raceSignal,
  SpacedriveError,
  toError
} from '../../storage/base/index.js'
import { MAX_CONNECTIONS_PER_DEVICE, PROBE_TIMEOUT_MS } from './limits.js'
import type { Link, LinksInit } from './link.js'
import { Session } from './session.js'
import { followRetirement, type Succession, settleSuccession } from './succession.js'

export type { Link, LinksInit } from './link.js'

interface OwnLink extends Link {
  hello: 'none' | 'running' | 'done'
  settle(session: Session): void
  fail(reason: unknown): void
  readonly ending: AbortController
}

/** How long the other side has to read why its hello failed; it closes the connection itself when it has. */
const REFUSAL_LINGER_MS = 500

export class Links {
  readonly #init: LinksInit
  readonly #links = new Map<Connection, OwnLink>()
  /** Sessions by device; the one in use first. */
  readonly #sessions = new Map<DeviceId, Session[]>()
  readonly #succession: Succession
  #nextId = 1

  constructor(init: LinksInit) {
    this.#init = init
    this.#succession = { local: init.local, prefer: session => this.#prefer(session) }
  }

  session(device: DeviceId): Session | undefined {
    return this.#sessions.get(device)?.[0]
  }

  sessions(): readonly Session[] {
    return [...this.#sessions.values()].map(list => list[0]!)
  }

  all(device: DeviceId): readonly Session[] {
    return this.#sessions.get(device) ?? []
  }

  find(connection: Connection): Link | undefined {
    return this.#links.get(connection)
  }

  /** A connection that libp2p has just made, in or out. */
  open(connection: Connection): Link {
    const device = connection.remotePeer.toString() as DeviceId
    let resolve: (session: Session) => void = () => {}
    let reject: (reason: unknown) => void = () => {}
    const promise = new Promise<Session>((a, b) => {
      resolve = a
      reject = b
    })
    promise.catch(() => {}) // not everybody waits for it
    const ending = new AbortController()
    setMaxListeners(0, ending.signal) // one for each stream
    const link: OwnLink = {
      connection,
      device,
      dialled: connection.direction === 'outbound',
      pairing: 0,
      session: undefined,
      ready: promise,
      closed: ending.signal,
      hello: 'none',
      settle: resolve,
      fail: reject,
      ending
    }
    this.#links.set(connection, link)
    connection.addEventListener('close', () => this.#closed(link))
    const siblings = [...this.#links.values()].filter(l => l.device === device)
    if (siblings.length > MAX_CONNECTIONS_PER_DEVICE) {
      siblings[0]!.connection.abort(new SpacedriveError('REFUSED', 'the device has newer connections'))
    }
    if (this.#isKnown(device) && !this.#init.admission.isPairingDial(connection)) this.awaitHello(link)
    return link
  }

  /** The connection is a device's: its hello begins, or is waited for. */
  awaitHello(open: Link): void {
    const link = open as OwnLink
    if (link.hello !== 'none' || link.closed.aborted) return
    this.#init.admission.becameKnown(link.connection)
    if (link.dialled) void this.#sayHello(link)
    else {
      this.#init.clock.timer(() => {
        if (link.hello !== 'none' || link.pairing > 0 || link.closed.aborted) return
        link.connection.abort(wireError('TIMEOUT', `no hello within ${HELLO_TIMEOUT_MS} ms`))
      }, HELLO_TIMEOUT_MS)
    }
  }

  /** A pairing on this connection is over: with a device that is saved by now the hello follows, any other is cut. */
  afterPairing(open: Link): void {
    const link = open as OwnLink
    if (link.pairing > 0 || link.session !== undefined || link.hello === 'running') return
    if (this.#isKnown(link.device)) {
      this.awaitHello(link)
      this.#init.onPaired(link.device)
    } else link.connection.abort(new SpacedriveError('REFUSED', 'the pairing is over'))
  }

  /** A hello stream that the other side opened. */
  async answer(stream: Stream, connection: Connection): Promise<void> {
    const link = this.#links.get(connection)
    if (link === undefined || link.dialled || link.hello !== 'none' || !this.#isKnown(link.device)) {
      stream.abort(wireError('REFUSED', 'no hello is expected here'))
      return
    }
    this.#init.admission.becameKnown(connection)
    link.hello = 'running'
    await this.#run(link, init => answerHello({ ...init, stream }, { signal: link.closed }))
  }

  /** Ends every connection of a device, strangers' pairing included. */
  cut(device: DeviceId, reason: SpacedriveError): void {
    for (const session of [...this.all(device)]) session.end(reason)
    for (const link of this.#links.values()) if (link.device === device) link.connection.abort(reason)
  }

  cutAll(reason: SpacedriveError): void {
    for (const list of [...this.#sessions.values()]) for (const session of [...list]) session.end(reason)
    for (const link of [...this.#links.values()]) link.connection.abort(reason)
  }

  /** After a network change: whatever shows no life is ended, so that redialling begins at once. */
  async probeAll(device?: DeviceId): Promise<void> {
    const sessions = device === undefined ? [...this.#sessions.values()].flat() : [...this.all(device)]
    await Promise.all(
      sessions.map(async s => {
        if (!(await s.probe(PROBE_TIMEOUT_MS, false)))
          s.end(wireError('TIMEOUT', 'no answer after the network changed'))
      })
    )
  }

  broadcast(message: Control): void {
    for (const list of this.#sessions.values()) for (const session of list) session.send(message)
  }

  #isKnown(device: DeviceId): boolean {
    const state = this.#init.devices.find(device)?.state
    return state === 'paired' || state === 'unconfirmed'
  }

  async #sayHello(link: OwnLink): Promise<void> {
    link.hello = 'running'
    await this.#run(link, async init => {
      const limit = deadline(HELLO_TIMEOUT_MS, 'the hello', link.closed)
      try {
        const stream = await link.connection.newStream([HELLO_PROTOCOL], { signal: limit.signal })
        return await sayHello({ ...init, stream }, { signal: limit.signal })
      } finally {
        limit.clear()
      }
    })
  }

  async #run(link: OwnLink, hello: (init: Omit<HelloInit, 'stream'>) => Promise<HelloResult>): Promise<void> {
    const { device } = link
    const { local, devices, random, twins, log } = this.#init
    try {
      const result = await hello({
        local,
        remote: device,
        secrets: devices.secretsOf(device),
        random,
        info: () => this.#init.info(),
        admit: (epoch, info) => this.#admit(device, epoch, info)
      })
      this.#established(link, result)
    } catch (err) {
      link.hello = 'done'
      // Closed by the other side without a word: the dialler's loop judges what that means.
      const error =
        link.closed.aborted && !(err instanceof SpacedriveError) ? toError(link.closed.reason) : toError(err)
      link.fail(error)
      const code = errorCode(error)
      if (code === 'KEYS_DIFFER' && devices.setProblem(device, 'keys-differ')) {
        log.warn('keys differ: pair again', { device })
      } else if (code === 'RUNS_TWICE' && link.dialled) twins.told(device)
      else if (!isAbort(error)) log.debug('a hello failed', { device, err: error })
      // A refusal is on its way to the other side; an abort now would throw it away.
      this.#init.clock.timer(() => link.connection.abort(error), REFUSAL_LINGER_MS)
    }
  }

  /** The other side has proven itself: refuses a second running peer of one identity, else makes the pair durable. */
  async #admit(device: DeviceId, epoch: number, info: HelloInfo): Promise<void> {
    await this.#init.twins.check(device, info, this.all(device))
    await this.#init.devices.helloProven(device, epoch, {
      name: info.name,
      os: info.os,
      model: info.model,
      version: info.version,
      capabilities: info.capabilities,
      starts: info.starts,
      run: Buffer.from(info.run).toString('hex')
    })
  }

  #established(link: OwnLink, hello: HelloResult): void {
    if (link.closed.aborted || !this.#isKnown(link.device)) throw wireError('STREAM_CLOSED', 'the connection ended')
    const { clock, log } = this.#init
    const session = new Session({
      id: `${this.#nextId++}`,
      device: link.device,
      connection: link.connection,
      hello,
      clock,
      log,
      onControl: (s, message) => this.#init.onUpdate(s, message),
      onRetire: s => followRetirement(s, this.all(s.device), this.#succession)
    })
    link.hello = 'done'
    link.session = session
    const others = [...this.all(link.device)]
    this.#sessions.set(link.device, [session, ...others])
    session.start()
    link.settle(session)
    this.#init.onSession(session, hello.info)
    if (others.length === 0) this.#init.onConnected(session)
    else this.#settle(session, others)
  }

  #settle(session: Session, others: readonly Session[]): void {
    // What the other side gave up for this one before this one was here.
    for (const other of others) followRetirement(other, this.all(session.device), this.#succession)
    void settleSuccession(session, others, this.#succession)
  }

  /** From now on this one of the sessions of its device is used. */
  #prefer(session: Session): void {
    const list = this.#sessions.get(session.device)
    if (list?.includes(session)) this.#sessions.set(session.device, [session, ...list.filter(s => s !== session)])
  }

  #closed(link: OwnLink): void {
    this.#links.delete(link.connection)
    const reason = wireError('STREAM_CLOSED', 'the connection ended')
    link.ending.abort(reason)
    link.fail(reason)
    const { session } = link
    if (session === undefined) return
    session.end(reason)
    const left = this.all(link.device).filter(s => s !== session)
    if (left.length > 0) {
      this.#sessions.set(link.device, left)
      return
    }
    this.#sessions.delete(link.device)
    this.#init.onDisconnected(session, session.signal.reason)
  }
}

/** Waits for the session of a connection. */
export function sessionOf(link: Link, signal?: AbortSignal): Promise<Session> {
  return raceSignal(link.ready, signal)
}
