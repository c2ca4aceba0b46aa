import {
  type AbortOptions,
  type Clock,
  type DeviceId,
  deadline,
  type EventBus,
  errorCode,
  hasCode,
  type Logger,
  type MessageId,
  raceSignal
} from '../../storage/base/index.js'
import type { Database } from '../../storage/sql/index.js'
import { Courier, type CourierOutcome, type PeerNetwork } from '../wire/index.js'
import { SEND_BATCH } from './limits.js'
import type { Link } from './link.js'
import { messageWrites, type Settled } from './messages.worker.js'
import { devicesWaitedFor, waitingFor } from './store.js'

export type Outcome = 'delivered' | 'refused' | 'expired' | 'cancelled'

export interface DeliveryInit {
  db: Database
  network: Pick<PeerNetwork, 'session'>
  clock: Clock
  events: EventBus
  log: Logger
  linkTo(device: DeviceId): Link
}

/** Answers that no repetition changes; after any other the message stays in the outbox. */
const FINAL: ReadonlySet<string> = new Set(['UNKNOWN_TYPE', 'MALFORMED', 'REFUSED'])
const EXPIRY_CHECK_MS = 60 * 60 * 1000

/** Empties the outbox: one device at a time in order, while it is connected. */
export class Delivery {
  readonly #init: DeliveryInit
  readonly #courier: Courier
  readonly #waiters = new Map<MessageId, Set<(outcome: Outcome) => void>>()
  #stopped = false
  #expiry: { clear(): void } | undefined

  constructor(init: DeliveryInit) {
    this.#init = init
    const { network, clock, log } = init
    this.#courier = new Courier({ network, clock, log, work: device => this.#sendNext(device) })
  }

  async start(): Promise<void> {
    await this.#expire()
    for (const device of devicesWaitedFor(this.#init.db)) this.wake(device)
  }

  async stop(): Promise<void> {
    this.#expiry?.clear()
    this.#stopped = true
    await this.#courier.stop()
  }

  /** Something waits for this device, or it has just been connected. */
  wake(device: DeviceId): void {
    this.#courier.wake(device)
  }

  /** Resolves when the message left the outbox, or with undefined after `timeoutMs`. */
  async settled(id: MessageId, timeoutMs: number, { signal }: AbortOptions = {}): Promise<Outcome | undefined> {
    const limit = deadline(timeoutMs, 'the delivery', signal)
    let tell: (outcome: Outcome) => void = () => {}
    const outcome = new Promise<Outcome>(resolve => {
      tell = resolve
    })
    const waiting = this.#waiters.get(id) ?? new Set()
    this.#waiters.set(id, waiting.add(tell))
    try {
      return await raceSignal(outcome, limit.signal)
    } catch (err) {
      if (!signal?.aborted && hasCode(err, 'TIMEOUT')) return undefined
      throw err
    } finally {
      limit.clear()
      waiting.delete(tell)
      if (waiting.size === 0) this.#waiters.delete(id)
    }
  }

  announce(id: MessageId, device: DeviceId, outcome: Outcome, code?: string): void {
    for (const tell of this.#waiters.get(id) ?? []) tell(outcome)
    if (outcome === 'delivered') this.#init.events.emit('message:delivered', { message: id, device })
    else this.#init.events.emit('message:failed', { message: id, device, code: code ?? outcome.toUpperCase() })
  }

  async #sendNext(device: DeviceId): Promise<CourierOutcome> {
    const { db, clock, log } = this.#init
    const batch = waitingFor(db, device, clock.nowMs(), SEND_BATCH)
    if (batch.length === 0) return 'done'
    const link = this.#init.linkTo(device)
    const answers = await Promise.allSettled(
      batch.map(({ id, kind, body, sentAt }) =>
        link.send({ type: 'message', id, kind, body: JSON.parse(body), sentAt })
      )
    )
    const settled: Settled[] = []
    for (const [i, answer] of answers.entries()) {
      const { id, kind } = batch[i]!
      if (answer.status === 'fulfilled') settled.push({ id, device, state: 'delivered' })
      else if (answer.reason?.details?.remote === true && FINAL.has(errorCode(answer.reason))) {
        log.warn('a message was refused by the device it is for', { device, kind, code: errorCode(answer.reason) })
        settled.push({ id, device, state: 'refused', code: errorCode(answer.reason) })
      }
    }
    if (settled.length > 0) {
      await db.write(messageWrites.settle, { at: clock.nowMs(), settled })
      for (const s of settled) this.announce(s.id, device, s.state, s.code)
    }
    return settled.length === batch.length ? 'again' : 'later'
  }

  async #expire(): Promise<void> {
    const { db, clock, log } = this.#init
    for (const { id, device } of await db.write(messageWrites.expire, { now: clock.nowMs() })) {
      this.announce(id, device, 'expired')
    }
    if (this.#stopped) return
    this.#expiry = clock.timer(() => {
      this.#expire().catch((err: unknown) => log.error('old messages could not be given up', { err }))
    }, EXPIRY_CHECK_MS)
  }
}
