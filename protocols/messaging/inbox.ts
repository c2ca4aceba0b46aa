import {
  type Clock,
  type DeviceId,
  type EventBus,
  type Logger,
  raceSignal,
  SpacedriveError
} from '../../storage/base/index.js'
import type { Database } from '../../storage/sql/index.js'
import type { MessageFrame } from './frames.js'
import type { Handlers } from './handlers.js'
import { MAX_HANDLER_ATTEMPTS } from './limits.js'
import { messageWrites } from './messages.worker.js'
import { messageBySeq, unhandled } from './store.js'

export interface InboxInit {
  db: Database
  handlers: Handlers
  clock: Clock
  events: EventBus
  log: Logger
}

const PAGE = 256

/** Keeps what was received and hands it on: durable first, then acknowledged, then handled in order for each device. */
export class Inbox {
  readonly #init: InboxInit
  readonly #chains = new Map<DeviceId, Promise<void>>()
  #stopping = new AbortController()

  constructor(init: InboxInit) {
    this.#init = init
  }

  /** Takes up what an earlier run received and did not finish. Before anything new is received: the order holds. */
  start(): void {
    this.#stopping = new AbortController()
    for (let after = 0; ; ) {
      const page = unhandled(this.#init.db, PAGE, after)
      for (const m of page) this.#queue(m.device, m.seq)
      if (page.length < PAGE) return
      after = page.at(-1)!.seq
    }
  }

  async stop(): Promise<void> {
    this.#stopping.abort(new SpacedriveError('STOPPED', 'messaging was stopped'))
    await Promise.all(this.#chains.values())
  }

  /** Resolves when the message is durable; the caller then acknowledges it. @throws TOO_MANY while too much is unread */
  async receive(device: DeviceId, { id, kind, body, sentAt }: MessageFrame): Promise<void> {
    const { db, clock, events } = this.#init
    const at = clock.nowMs()
    const { outcome, seq } = await db.write(messageWrites.receive, {
      id,
      device,
      kind,
      body: JSON.stringify(body),
      sentAt,
      at
    })
    if (outcome === 'full') throw new SpacedriveError('TOO_MANY', 'too many messages of this device are unread')
    if (outcome === 'seen') return
    events.emit('message:received', { message: id, device, kind })
    if (kind !== 'text') this.#queue(device, seq)
  }

  #queue(device: DeviceId, seq: number): void {
    const { log } = this.#init
    const chain = (this.#chains.get(device) ?? Promise.resolve())
      .then(() => this.#handle(seq))
      .catch((err: unknown) => {
        if (!this.#stopping.signal.aborted) log.error('a message could not be handled', { device, seq, err })
      })
      .finally(() => {
        if (this.#chains.get(device) === chain) this.#chains.delete(device)
      })
    this.#chains.set(device, chain)
  }

  async #handle(seq: number): Promise<void> {
    const { db, clock, handlers } = this.#init
    const { signal } = this.#stopping
    if (signal.aborted) return
    const attempts = await db.write(messageWrites.attempt, { seq })
    const row = messageBySeq(db, seq)
    if (row === undefined || row.state !== 'received' || row.body === null) return
    const handler = handlers.get(row.kind)?.message
    // A kind of an older version: nobody will ever handle it.
    const failed = attempts > MAX_HANDLER_ATTEMPTS ? 'GIVEN_UP' : handler === undefined ? 'UNKNOWN_TYPE' : undefined
    if (failed === undefined) {
      const { id, device, kind, sentAt, at } = row
      const message = { id, device, kind, body: JSON.parse(row.body), sentAt, receivedAt: at }
      await raceSignal(Promise.resolve(handler!(message, { signal })), signal)
    }
    await db.write(messageWrites.handled, { seqs: [seq], at: clock.nowMs(), ...(failed !== undefined && { failed }) })
  }
}
