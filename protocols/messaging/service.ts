import {
  type AbortOptions,
  type DeviceId,
  hasCode,
  type Logger,
  type MessageId,
  newUuid,
  SpacedriveError
} from '../../storage/base/index.js'
import {
  CONTROL_MESSAGE_BURST,
  CONTROL_MESSAGES_PER_SECOND,
  encode,
  type PeerHandler,
  TokenBucket,
  wireError
} from '../wire/index.js'
import { Delivery } from './delivery.js'
import type { Unnumbered } from './frames.js'
import { Handlers, type KindHandlers } from './handlers.js'
import { Inbox } from './inbox.js'
import type { Messaging, MessagingInit } from './index.js'
import { type Json, toJson } from './json.js'
import {
  DEFAULT_DEADLINE_MS,
  MAX_BODY_BYTES,
  MAX_DEADLINE_MS,
  OUTBOX_LIFETIME_MS,
  REQUEST_GRACE_MS,
  STREAMS_PER_DEVICE
} from './limits.js'
import { Link } from './link.js'
import { messageWrites } from './messages.worker.js'
import { PRESENCE, PresenceTable } from './presence.js'
import { serve } from './serve.js'
import { countUnread, devicesWaitedFor } from './store.js'
import { readTexts, TEXT, textHandlers } from './text.js'

/** Long enough for one round trip to every device that is really there. */
const FAREWELL_MS = 500

export class MessagingService implements Messaging {
  readonly #init: MessagingInit
  readonly #protocol: string
  readonly #log: Logger
  readonly #handlers = new Handlers()
  readonly #links = new Map<DeviceId, Link>()
  readonly #buckets = new Map<DeviceId, TokenBucket>()
  readonly #presence: PresenceTable
  readonly #inbox: Inbox
  readonly #delivery: Delivery
  readonly #undo: (() => void)[] = []
  #stopping = new AbortController()

  constructor(init: MessagingInit, protocol: string) {
    this.#init = init
    this.#protocol = protocol
    this.#log = init.log.child('messaging')
    const { db, network, clock, events } = init
    const log = this.#log
    this.#presence = new PresenceTable(() => clock.nowMs())
    this.#inbox = new Inbox({ db, handlers: this.#handlers, clock, events, log })
    this.#delivery = new Delivery({ db, network, clock, events, log, linkTo: device => this.#linkTo(device) })
    this.#handlers.add(TEXT, textHandlers)
    this.#handlers.add(PRESENCE, this.#presence.handlers)
  }

  async start(): Promise<void> {
    const { db, network, trust, events } = this.#init
    this.#stopping = new AbortController()
    for (const device of devicesWaitedFor(db)) if (!trust.isPaired(device)) await this.forget(device)
    this.#inbox.start()
    await network.handle(this.#protocol, this.#serve, { maxInboundStreams: STREAMS_PER_DEVICE })
    this.#undo.push(
      network.onConnected(peer => this.#greet(peer.device)),
      events.on('daemon:stopping', () => void this.#sayGoodbye())
    )
    await this.#delivery.start()
    for (const peer of network.connected()) this.#greet(peer.device)
  }

  async stop(): Promise<void> {
    if (this.#stopping.signal.aborted) return
    for (const undo of this.#undo.splice(0)) undo()
    await this.#sayGoodbye()
    await this.#init.network.unhandle(this.#protocol)
    const stopped = new SpacedriveError('STOPPED', 'messaging was stopped')
    this.#stopping.abort(stopped)
    for (const link of this.#links.values()) link.close(stopped)
    this.#links.clear()
    await this.#delivery.stop()
    await this.#inbox.stop()
  }

  handle(kind: string, handlers: KindHandlers): void {
    this.#handlers.add(kind, handlers)
  }

  async post(device: DeviceId, kind: string, body: unknown, options: { lifetimeMs?: number } = {}): Promise<MessageId> {
    this.#ensurePaired(device)
    const now = this.#init.clock.nowMs()
    const id = newUuid(now, this.#init.random) as MessageId
    const expiresAt = now + Math.min(options.lifetimeMs ?? OUTBOX_LIFETIME_MS, OUTBOX_LIFETIME_MS)
    const json = JSON.stringify(ensureSmall(body))
    await this.#init.db.write(messageWrites.enqueue, { id, device, kind, body: json, sentAt: now, at: now, expiresAt })
    this.#delivery.wake(device)
    return id
  }

  settled(id: MessageId, timeoutMs: number, options?: AbortOptions): ReturnType<Messaging['settled']> {
    return this.#delivery.settled(id, timeoutMs, options)
  }

  async notify(device: DeviceId, kind: string, body: unknown): Promise<boolean> {
    try {
      await this.#send(device, { type: 'notify', kind, body: ensureSmall(body) })
      return true
    } catch (err) {
      if (hasCode(err, 'TOO_LARGE', 'USAGE')) throw err
      this.#log.debug('a notification was not delivered', { device, kind, err })
      return false
    }
  }

  async request(
    device: DeviceId,
    kind: string,
    body: unknown,
    options: AbortOptions & { deadlineMs?: number } = {}
  ): Promise<Json> {
    const deadlineMs = Math.min(options.deadlineMs ?? DEFAULT_DEADLINE_MS, MAX_DEADLINE_MS)
    const { signal } = options
    const answer = await this.#send(
      device,
      { type: 'request', kind, body: ensureSmall(body), deadlineMs },
      { signal, timeoutMs: deadlineMs + REQUEST_GRACE_MS }
    )
    return answer.body ?? null
  }

  sendText(device: DeviceId, text: string): Promise<MessageId> {
    if (text === '') {
      throw new SpacedriveError('EMPTY', 'there is no text to send', {
        hint: 'Give it as an argument or on standard input.'
      })
    }
    return this.post(device, TEXT, { text })
  }

  async recordText({ id, device, direction, text, sentAtMs }: Parameters<Messaging['recordText']>[0]): Promise<void> {
    const at = this.#init.clock.nowMs()
    const body = JSON.stringify(toJson({ text }))
    await this.#init.db.write(messageWrites.record, { id, device, direction, kind: TEXT, body, sentAt: sentAtMs, at })
  }

  async texts({ peek, ...query }: Parameters<Messaging['texts']>[0]): ReturnType<Messaging['texts']> {
    const { texts, unreadSeqs, more } = readTexts(this.#init.db, query)
    if (peek !== true && unreadSeqs.length > 0) {
      await this.#init.db.write(messageWrites.handled, { seqs: unreadSeqs, at: this.#init.clock.nowMs() })
    }
    return { texts, more }
  }

  unreadTexts(): number {
    return countUnread(this.#init.db)
  }

  presence(device: DeviceId): ReturnType<Messaging['presence']> {
    return this.#presence.of(device)
  }

  async #send(device: DeviceId, frame: Unnumbered, options: AbortOptions & { timeoutMs?: number } = {}) {
    this.#ensurePaired(device)
    if (this.#init.network.session(device) === undefined) {
      throw wireError('DEVICE_AWAY', `${this.#init.trust.nameOf(device)} is away`)
    }
    return this.#linkTo(device).send(frame, options)
  }

  #linkTo(device: DeviceId): Link {
    let link = this.#links.get(device)
    if (link === undefined) {
      const { network, clock } = this.#init
      link = new Link({ open: options => network.open(device, this.#protocol, options), clock })
      this.#links.set(device, link)
    }
    return link
  }

  readonly #serve: PeerHandler = (stream, peer) =>
    serve(stream, peer, {
      handlers: this.#handlers,
      bucketOf: device => {
        const fresh = (): TokenBucket =>
          new TokenBucket(CONTROL_MESSAGES_PER_SECOND, CONTROL_MESSAGE_BURST, () => this.#init.clock.monotonicMs())
        const bucket = this.#buckets.get(device) ?? fresh()
        this.#buckets.set(device, bucket)
        return bucket
      },
      receive: (device, frame) => this.#inbox.receive(device, frame),
      signal: this.#stopping.signal,
      log: this.#log
    })

  #greet(device: DeviceId): void {
    void this.notify(device, PRESENCE, { state: 'available' })
    this.#delivery.wake(device)
  }

  /** As well as can be: the network may be stopping at the same time. */
  async #sayGoodbye(): Promise<void> {
    const said = this.#init.network.connected().map(p => this.notify(p.device, PRESENCE, { state: 'stopping' }))
    await Promise.race([Promise.all(said), this.#init.clock.sleep(FAREWELL_MS)])
  }

  async forget(device: DeviceId): Promise<void> {
    this.#links.get(device)?.close(new SpacedriveError('REVOKED', 'the device was revoked'))
    this.#links.delete(device)
    this.#buckets.delete(device)
    this.#presence.forget(device)
    const dropped = await this.#init.db.write(messageWrites.forget, { device, at: this.#init.clock.nowMs() })
    for (const id of dropped) this.#delivery.announce(id, device, 'cancelled')
  }

  #ensurePaired(device: DeviceId): void {
    if (this.#init.trust.isPaired(device)) return
    throw new SpacedriveError('NOT_PAIRED', `${this.#init.trust.nameOf(device)} is not paired with this device`, {
      hint: '`spacedrive network devices` lists the paired ones; `spacedrive network pair generate` pairs another.'
    })
  }
}

function ensureSmall(body: unknown): Json {
  const json = toJson(body)
  const { length } = encode(json)
  if (length <= MAX_BODY_BYTES) return json
  throw new SpacedriveError('TOO_LARGE', `a message holds at most ${MAX_BODY_BYTES} bytes, this one has ${length}`, {
    hint: 'Send longer text as a drop: `spacedrive network spacedrop DEVICE --text` reads it from standard input.'
  })
}
