import {
  type AbortOptions,
  type Clock,
  type DeviceId,
  deadline,
  type EventBus,
  errorCode,
  hasCode,
  type Logger,
  linkSignals,
  type MessageId,
  raceSignal,
  SpacedriveError
} from '../../storage/base/index.js'
import type { Database } from '../../storage/sql/index.js'
import type { PeerNetwork } from '../wire/index.js'
import { RETRY_MAX_MS, RETRY_MIN_MS, SEND_BATCH } from './limits.js'
import type { Link } from './link.js'
import { messageWrites, type Settled } from './messages.worker.js'
import { devicesWaitedFor, type StoredMessage, waitingFor } from './store.js'

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
  readonly #running = new Map<DeviceId, { again: boolean; done: Promise<void> }>()
  readonly #waiters = new Map<MessageId, Set<(outcome: Outcome) => void>>()
  #stopping = new AbortController()
  #expiry: { clear(): void } | undefined

  constructor(init: DeliveryInit) {
    this.#init = init
  }

  async start(): Promise<void> {
    this.#stopping = new AbortController()
    await this.#expire()
    for (const device of devicesWaitedFor(this.#init.db)) this.wake(device)
  }

  async stop(): Promise<void> {
    this.#expiry?.clear()
    this.#stopping.abort(new SpacedriveError('STOPPED', 'messaging was stopped'))
    await Promise.all([...this.#running.values()].map(r => r.done))
  }

  /** Something waits for this device, or it has just been connected. */
  wake(device: DeviceId): void {
    if (this.#stopping.signal.aborted) return
    const running = this.#running.get(device)
    if (running !== undefined) {
      running.again = true
      return
    }
    const run = { again: false, done: Promise.resolve() }
    this.#running.set(device, run)
    run.done = this.#empty(device)
      .catch((err: unknown) => {
        if (!this.#stopping.signal.aborted) this.#init.log.error('the outbox could not be sent', { device, err })
      })
      .finally(() => {
        this.#running.delete(device)
        if (run.again) this.wake(device)
      })
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

  async #empty(device: DeviceId): Promise<void> {
    const { db, network, clock } = this.#init
    for (let failures = 0; ; ) {
      const session = network.session(device)
      if (session === undefined || this.#stopping.signal.aborted) return
      const batch = waitingFor(db, device, clock.nowMs(), SEND_BATCH)
      if (batch.length === 0) return
      if (await this.#send(device, batch)) {
        failures = 0
        continue
      }
      const link = linkSignals(session.signal, this.#stopping.signal)
      try {
        await clock.sleep(Math.min(RETRY_MAX_MS, RETRY_MIN_MS * 2 ** failures++), { signal: link.signal })
      } catch {
        // The connection ended: the next one wakes us.
      } finally {
        link.clear()
      }
    }
  }

  /** @returns false when some of it has to be sent again */
  async #send(device: DeviceId, batch: readonly StoredMessage[]): Promise<boolean> {
    const { db, clock, log } = this.#init
    const link = this.#init.linkTo(device)
    const answers = await Promise.allSettled(
      batch.map(({ id, kind, body, sentAt }) =>
        link.send({ type: 'message', id, kind, body: JSON.parse(body), sentAt })
      )
    )
    const settled: Settled[] = []
    let whole = true
    for (const [i, answer] of answers.entries()) {
      const { id, kind } = batch[i]!
      if (answer.status === 'fulfilled') settled.push({ id, device, state: 'delivered' })
      else if (answer.reason?.details?.remote === true && FINAL.has(errorCode(answer.reason))) {
        log.warn('a message was refused by the device it is for', { device, kind, code: errorCode(answer.reason) })
        settled.push({ id, device, state: 'refused', code: errorCode(answer.reason) })
      } else whole = false
    }
    if (settled.length > 0) {
      await db.write(messageWrites.settle, { at: clock.nowMs(), settled })
      for (const s of settled) this.announce(s.id, device, s.state, s.code)
    }
    return whole
  }

  async #expire(): Promise<void> {
    const { db, clock, log } = this.#init
    for (const { id, device } of await db.write(messageWrites.expire, { now: clock.nowMs() })) {
      this.announce(id, device, 'expired')
    }
    if (this.#stopping.signal.aborted) return
    this.#expiry = clock.timer(() => {
      this.#expire().catch((err: unknown) => log.error('old messages could not be given up', { err }))
    }, EXPIRY_CHECK_MS)
  }
}
