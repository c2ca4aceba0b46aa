import { setMaxListeners } from 'node:events'
import type { Connection } from '@libp2p/interface'
import { type Control, controlSchema, deriveKey, type HelloResult } from '../../protocols/hello/index.js'
import {
  CONTROL_MESSAGE_BURST,
  CONTROL_MESSAGES_PER_SECOND,
  type Direction,
  decode,
  encode,
  type PeerSession,
  TokenBucket,
  wireError
} from '../../protocols/wire/index.js'
import { type Clock, type DeviceId, type Logger, SpacedriveError } from '../../storage/base/index.js'
import { MAX_UNANSWERED_PINGS, PING_INTERVAL_MS } from './limits.js'
import { findMeter } from './meter.js'

export interface SessionInit {
  readonly id: string
  readonly device: DeviceId
  readonly connection: Connection
  readonly hello: HelloResult
  readonly clock: Clock
  readonly log: Logger
  /** What the other side says of its connection or itself. */
  readonly onControl: (session: Session, message: Control) => void
  /** The other side has said `retire`: `retired.there` is true. */
  readonly onRetire: (session: Session) => void
}

/**
 * A connection after its hello: what the protocols see of it (PeerSession), and the hello's stream that goes on as its
 * control channel: ping and pong, retire, updates.
 */
export class Session implements PeerSession {
  readonly id: string
  readonly device: DeviceId
  readonly capabilities: ReadonlySet<string>
  readonly clockOffsetMs: number
  readonly signal: AbortSignal
  readonly connection: Connection
  /** We dialled it. */
  readonly dialled: boolean
  readonly address: string
  /** The run of the other daemon, hex. */
  readonly run: string
  readonly openedAt: number
  rttMs: number | undefined
  /** It gives way to another connection of the same device: each side has said so. */
  readonly retired = { here: false, there: false }

  readonly #init: SessionInit
  readonly #ended = new AbortController()
  readonly #bucket: TokenBucket
  readonly #pings = new Map<number, { sentAt: number; answer: (alive: boolean) => void }>()
  #nextPing = 1
  #tickPing = 0
  #unanswered = 0
  #seenBytes = 0
  #timer: { clear(): void } | undefined

  constructor(init: SessionInit) {
    const { clock, connection, hello } = init
    this.#init = init
    this.id = init.id
    this.device = init.device
    this.connection = connection
    this.dialled = connection.direction === 'outbound'
    this.address = connection.remoteAddr.toString().replace(/\/p2p\/[A-Za-z0-9]+$/, '')
    this.capabilities = new Set(hello.info.capabilities)
    this.clockOffsetMs = hello.info.wallMs - clock.nowMs()
    this.run = Buffer.from(hello.info.run).toString('hex')
    this.openedAt = clock.nowMs()
    this.signal = this.#ended.signal
    setMaxListeners(0, this.signal) // one for each stream and each that waits
    this.#bucket = new TokenBucket(CONTROL_MESSAGES_PER_SECOND, CONTROL_MESSAGE_BURST, () => clock.monotonicMs())
  }

  deriveKey(direction: Direction, salt: Uint8Array, info: string): Uint8Array {
    const { sendKey, receiveKey } = this.#init.hello
    return deriveKey(direction === 'send' ? sendKey : receiveKey, salt, info)
  }

  /** Begins to read the control channel and to ping. */
  start(): void {
    void this.#read()
    this.#tick()
  }

  /** Sends a control message; a connection that does not take it is ended by its pings. */
  send(message: Control): void {
    this.#init.hello.frames.write(encode(message), { signal: this.signal }).catch(() => {})
  }

  /**
   * Asks for a sign of life.
   * @param strict - only the answer counts; else any byte that comes in
   */
  async probe(timeoutMs: number, strict: boolean): Promise<boolean> {
    if (this.signal.aborted) return false
    const before = this.#received()
    return new Promise(resolve => {
      const id = this.#ping(resolve)
      this.#init.clock.timer(() => {
        if (!this.#pings.delete(id)) return
        resolve(!strict && this.#received() > before)
      }, timeoutMs)
    })
  }

  answers(timeoutMs: number): Promise<boolean> {
    return this.probe(timeoutMs, true)
  }

  /** No more streams are opened on it; it closes when those that are open have ended on both sides. */
  retire(): void {
    if (this.retired.here) return
    this.retired.here = true
    this.send({ t: 'retire' })
  }

  /** Resolves when no stream of a protocol is open on it; the control channel is not one. */
  async quiet(): Promise<void> {
    const control = this.#init.hello.frames.stream
    for (;;) {
      const open = this.connection.streams.find(s => s !== control)
      if (open === undefined) return
      await new Promise(resolve => open.addEventListener('close', resolve, { once: true }))
    }
  }

  /** Tells whoever works on it, then cuts. Calling again does nothing. */
  end(reason: Error): void {
    if (this.signal.aborted) return
    this.#timer?.clear()
    this.#ended.abort(reason)
    for (const { answer } of this.#pings.values()) answer(false)
    this.#pings.clear()
    this.connection.abort(reason)
  }

  abort(reason: Error): void {
    this.end(reason)
  }

  #received(): number {
    return findMeter(this.connection)?.receivedBytes ?? 0
  }

  #ping(answer: (alive: boolean) => void): number {
    const id = this.#nextPing++
    this.#pings.set(id, { sentAt: this.#init.clock.monotonicMs(), answer })
    this.send({ t: 'ping', id })
    return id
  }

  #tick(): void {
    const received = this.#received()
    // A saturated link may keep a pong waiting; bytes of any kind say that it lives.
    this.#unanswered = received > this.#seenBytes ? 0 : this.#unanswered + 1
    this.#seenBytes = received
    if (this.#unanswered > MAX_UNANSWERED_PINGS) {
      this.end(wireError('TIMEOUT', 'the other device does not answer any more'))
      return
    }
    this.#pings.delete(this.#tickPing)
    this.#tickPing = this.#ping(() => {})
    this.#timer = this.#init.clock.timer(() => this.#tick(), PING_INTERVAL_MS)
  }

  async #read(): Promise<void> {
    const { frames } = this.#init.hello
    try {
      for (;;) {
        const frame = await frames.read({ signal: this.signal })
        if (frame === undefined) throw wireError('STREAM_CLOSED', 'the control channel ended')
        if (!this.#bucket.take()) throw wireError('FLOODED', 'too many control messages')
        this.#handle(decode(frame, controlSchema, 'a control message'))
      }
    } catch (err) {
      if (this.signal.aborted) return
      const closed = wireError('STREAM_CLOSED', 'the other device closed the connection', err)
      this.end(err instanceof SpacedriveError && err.code !== 'STREAM_CLOSED' ? err : closed)
    }
  }

  #handle(message: Control): void {
    if (message.t === 'ping' && 'id' in message) this.send({ t: 'pong', id: message.id })
    else if (message.t === 'pong' && 'id' in message) {
      const ping = this.#pings.get(message.id)
      if (ping === undefined) return
      this.#pings.delete(message.id)
      this.rttMs = this.#init.clock.monotonicMs() - ping.sentAt
      ping.answer(true)
    } else if (message.t === 'retire') {
      this.retired.there = true
      this.#init.onRetire(this)
    } else if (['update', 'twice'].includes(message.t)) this.#init.onControl(this, message)
    else if (message.t !== 'unknown') this.send({ t: 'unknown', type: message.t })
  }
}
