/** A transfer being received: takes the sender's streams, one at a time, until everything is placed. */
import { errorCode, hasCode, isAbort, raceSignal, SpacedriveError, toError } from '../../../storage/base/index.js'
import type { TransferParts } from '../components.js'
import type { ReceiveInit, TransferOptions } from '../index.js'
import { MAX_STRIKES } from '../limits.js'
import { badPeer, brokeRules } from '../outcome.js'
import type { Done, RunContext } from '../run.js'
import type { Begin, Complete } from '../stream/messages.js'
import { Incoming, type IncomingInit, type Placed } from './incoming.js'
import type { ReceiveOutcome } from './messages.js'
import type { OpenStream, RunContent, StreamTarget } from './receive-stream.js'

export interface Received extends Done {
  readonly placed: readonly Placed[]
}

export interface ReceiveRunInit extends Omit<IncomingInit, 'totals' | 'doneBytes'> {
  readonly context: RunContext
  /** Lets it go on to its names, or rejects. */
  beforePlacing?: TransferOptions['beforePlacing']
  /** Remembers that all is there, before any of it gets its name. */
  arrived(all: Done): Promise<void>
  /** Remembers the end, before the sender hears of it. */
  commit(received: Received): Promise<void>
}

const notReady = (): SpacedriveError => new SpacedriveError('NOT_READY', 'the transfer is paused here')

/** A stream that ended before its time: the next one goes on. */
const TRANSIENT = [
  'STREAM_CLOSED',
  'TRUNCATED',
  'TIMEOUT',
  'STOPPED',
  'CANCELLED',
  'REPLACED',
  'NOT_READY',
  'WORKER_DIED',
  'PROGRAM_CHANGED'
]

export class ReceiveRun implements StreamTarget {
  readonly #parts: TransferParts
  readonly #transfer: ReceiveInit
  #onBytes = (_: number): void => {}
  readonly #opened: Promise<Incoming>
  readonly #result: Promise<Received>
  #open = { resolve: (_: Incoming): void => {}, reject: (_: unknown): void => {} }
  #settle = { resolve: (_: Received): void => {}, reject: (_: unknown): void => {} }
  #signal = new AbortController().signal
  #beforePlacing: TransferOptions['beforePlacing']
  #arrived: (all: Done) => Promise<void> = async () => {}
  #commit: (received: Received) => Promise<void> = async () => {}
  #current: { stream: OpenStream; settled: Promise<unknown> } | undefined
  #finishing: Promise<Received> | undefined
  #strikes = 0
  /** Set when this run is over: why, as a sender that comes now is told. */
  #closing: Error | undefined

  /** Takes streams from now on; they wait until `whole` has opened the folder. */
  constructor(parts: TransferParts, transfer: ReceiveInit) {
    this.#parts = parts
    this.#transfer = transfer
    this.#opened = new Promise((resolve, reject) => {
      this.#open = { resolve, reject }
    })
    this.#result = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject }
    })
    // Both may fail while nobody waits for them.
    this.#opened.catch(() => {})
    this.#result.catch(() => {})
  }

  /** Lasts until everything is placed. @throws what ends it; `signal.reason`. What has arrived stays, unless it was cancelled */
  async whole(init: ReceiveRunInit): Promise<Received> {
    const { signal, totals, before, countBytes } = init.context
    let incoming: Incoming | undefined
    let keep = true
    try {
      this.#onBytes = countBytes
      this.#signal = signal
      this.#arrived = all => init.arrived(all)
      this.#commit = received => init.commit(received)
      this.#beforePlacing = init.beforePlacing
      incoming = await Incoming.open({ ...init, totals, doneBytes: before.bytes }, signal)
      const placed = await incoming.placedBefore(signal)
      if (placed !== undefined) {
        init.onProgress(before.files, before.bytes)
        this.#end(this.#committed({ ...before, placed }))
      }
      this.#open.resolve(incoming)
      const received = await raceSignal(this.#result, signal)
      keep = false
      return received
    } catch (err) {
      this.#open.reject(err)
      if (hasCode(err, 'CANCELLED')) keep = false
      this.#closing = signal.aborted && keep ? notReady() : toError(err)
      this.#current?.stream.end(this.#closing)
      throw err
    } finally {
      this.#closing ??= notReady()
      // The sender hears the end over the stream that is open; one that failed is not waited for.
      if (keep || this.#finishing === undefined) await this.#current?.settled
      await this.#finishing?.catch(() => {})
      try {
        if (keep) await incoming?.close()
        else await incoming?.discard()
      } catch (err) {
        this.#parts.log.warn('could not close a staging place', { transfer: this.#transfer.id, err })
      }
    }
  }

  onBytes(bytes: number): void {
    this.#onBytes(bytes)
  }

  async accept(begin: Begin, run: RunContent, stream: OpenStream): Promise<Complete> {
    const incoming = await raceSignal(this.#opened, stream.signal)
    incoming.check(begin)
    // The sender came back before we noticed that its old connection is dead: the newer one counts.
    while (this.#current !== undefined) {
      this.#current.stream.end(new SpacedriveError('REPLACED', 'the sender opened another stream'))
      await this.#current.settled
    }
    // The descriptors of the staging place are about to be closed: nothing may begin to write there any more.
    if (this.#closing !== undefined && this.#finishing === undefined) throw this.#closing
    const giveBack = this.#parts.receiveSlots.take(this.#transfer.device)
    const serving = this.#serve(incoming, run, stream)
    const current = { stream, settled: serving.catch(() => {}) }
    this.#current = current
    try {
      return await serving
    } finally {
      giveBack()
      if (this.#current === current) this.#current = undefined
    }
  }

  async #serve(incoming: Incoming, run: RunContent, stream: OpenStream): Promise<Complete> {
    if (this.#finishing === undefined) {
      let outcome: ReceiveOutcome
      try {
        outcome = await run(incoming.plan())
      } catch (err) {
        this.#judge(err)
        throw err
      }
      // Not bound to this stream: once everything is here, it is placed whether the sender still listens or not.
      this.#end(this.#finish(incoming, outcome))
    }
    const received = await raceSignal(this.#finishing!, stream.signal)
    const { files, bytes, problems, problemCount = problems.count } = received
    return { files, bytes, problemCount, problems: problems.list() }
  }

  #end(finishing: Promise<Received>): void {
    this.#finishing = finishing
    finishing.then(this.#settle.resolve, this.#settle.reject)
  }

  async #finish(incoming: Incoming, { doneFiles, doneBytes }: ReceiveOutcome): Promise<Received> {
    await this.#beforePlacing?.(incoming.stagedPath, { signal: this.#signal })
    const tops = await incoming.settle(this.#signal)
    const all = { files: doneFiles, bytes: doneBytes, problems: incoming.problems }
    await this.#arrived(all)
    return this.#committed({ ...all, placed: await incoming.place(tops, this.#signal) })
  }

  async #committed(received: Received): Promise<Received> {
    await this.#commit(received)
    return received
  }

  /** Whether a stream that failed is the end of the transfer. */
  #judge(err: unknown): void {
    const { nameOf, log } = this.#parts
    const { id, device } = this.#transfer
    if (brokeRules(err)) {
      if (++this.#strikes >= MAX_STRIKES) this.#settle.reject(badPeer(nameOf(device), err))
    } else if (isAbort(err) || TRANSIENT.includes(errorCode(err))) {
      log.info('a transfer stream ended', { transfer: id, device, err })
    } else this.#settle.reject(err)
  }
}
