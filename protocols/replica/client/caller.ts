import type { Stream } from '@libp2p/interface'
import type { ZodType } from 'zod'
import {
  type AbortOptions,
  type Clock,
  type Random,
  raceSignal,
  SpacedriveError,
  toError
} from '../../../storage/base/index.js'
import { type HandedOver, ownMemory } from '../../../sync/endpoints/index.js'
import type { Pacing } from '../../pace/index.js'
import { decode, type PeerSession, wireError } from '../../wire/index.js'
import { CALLS, type CallName, type Input, type Output, type StreamName, traitsOf } from '../calls.js'
import { Lanes } from '../lanes.js'
import { MAX_REQUEST_BYTES, MAX_REQUESTS, MAX_STREAMED } from '../limits.js'
import {
  ABORT,
  ALIVE,
  CALL,
  ERROR,
  MORE,
  PART,
  RESULT,
  type ReplicaFrame,
  type SealedPipe,
  sealedPipe
} from '../sealed-pipe.js'
import type { Answer, AnswerPart } from './answer.js'
import { ComingParts } from './coming-parts.js'
import { endedBy, saidThere } from './failures.js'
import { Silence } from './silence.js'
import { Turns } from './turns.js'

export interface CallerInit {
  readonly stream: Stream
  readonly peer: PeerSession
  readonly clock: Clock
  readonly random: Random
  readonly pacing: Pacing
  readonly compressBelowBytesPerSecond: number | undefined
  /** The other device, for people. */
  readonly name: string
  /** Called once it is at work no more: it only waits for what changes, or has ended. May be called twice. */
  rest(): void
}

interface Pending {
  /** It waits for something to happen: nothing is due. */
  readonly waits?: boolean
  /** What asked, until there is an answer. */
  frame?: Uint8Array
  /** It has parts that nobody took. */
  isUntaken?(): boolean
  onFrame(frame: ReplicaFrame): void
  fail(err: Error): void
}

/** Asks the other end of one replica stream and sorts the answers. */
export class Caller {
  readonly #init: CallerInit
  readonly #pipe: SealedPipe
  readonly #pending = new Map<number, Pending>()
  readonly #requests = new Turns(MAX_REQUESTS, MAX_REQUEST_BYTES)
  readonly #streams = new Turns(MAX_STREAMED, Number.MAX_SAFE_INTEGER)
  readonly #over = new AbortController()
  readonly #lanes: Lanes
  readonly #silence: Silence
  /** Is told that something came or went, or was paid at a limit. */
  #onMoved = (): void => {}
  #nextCall = 1
  #ended: Error | undefined

  constructor(init: CallerInit) {
    this.#init = init
    const { stream, peer, random, clock } = init
    this.#lanes = new Lanes(init.pacing, peer.device, this.#over.signal)
    this.#pipe = sealedPipe({
      ...{ stream, peer, random, compressBelowBytesPerSecond: init.compressBelowBytesPerSecond, sharedType: PART },
      pace: this.#lanes.up,
      windowBytes: () => this.#lanes.windowBytes,
      onFrame: frame => this.#onFrame(frame),
      onEnd: err => this.#end(err ?? wireError('STREAM_CLOSED', 'the other device ended the stream'))
    })
    this.#silence = new Silence({
      clock,
      isDue: () => this.#isDue(),
      isUntaken: () => [...this.#pending.values()].some(pending => pending.isUntaken?.() === true),
      wire: this.#pipe,
      moved: () => this.#onMoved(),
      tooLong: err => this.#pipe.abort(err)
    })
  }

  /** Whoever has to say that this end gets on is told when it does. */
  whenMoved(listener: () => void): void {
    this.#onMoved = listener
  }

  /** What one message should carry under the limits of now: see `Lanes`. */
  get upBytes(): number {
    return this.#lanes.upBytes(this.#pipe.windowBytes)
  }

  get downBytes(): number {
    return this.#lanes.downBytes
  }

  /** That does not jump. */
  nowMs(): number {
    return this.#init.clock.monotonicMs()
  }

  /** @param data - bytes beside the input; sealed when the call begins, which is in the order of the calls: `onTaken` */
  async call<N extends CallName>(
    name: N,
    input: Input<N>,
    { signal, data = [], onTaken }: AbortOptions & HandedOver & { data?: readonly Uint8Array[] } = {}
  ): Promise<Answer<Output<N>>> {
    signal?.throwIfAborted()
    const bytes = data.reduce((sum, part) => sum + part.length, 0)
    const { turn, ordered } = traitsOf(name)!
    // That this end gets on cannot wait behind all that it has to bring.
    const release = turn === 'word' ? undefined : await this.#requests.take(bytes, signal)
    try {
      const ask = (): Promise<Answer<Output<N>>> => {
        signal?.throwIfAborted()
        const answer = this.#ask(name, input, data, signal)
        onTaken?.()
        return answer
      }
      const asked = ordered ? this.#pipe.inTurn(ask) : ask()
      const answer = await raceSignal(asked, signal)
      await this.#payDown(answer.data.length, signal)
      return answer
    } finally {
      release?.()
    }
  }

  /** Parts of an answer, as far ahead as `PARTS_AHEAD`; ending the loop early ends the work there. */
  async *stream<N extends StreamName>(
    name: N,
    input: Input<N>,
    options: AbortOptions = {}
  ): AsyncGenerator<Answer<Output<N>>, void, void> {
    for await (const { value, data } of this.parts(name, input, options)) yield { value, data: ownMemory(data) }
  }

  /** The same for who reads content where it lies. */
  async *parts<N extends StreamName>(
    name: N,
    input: Input<N>,
    { signal }: AbortOptions = {}
  ): AsyncGenerator<AnswerPart<Output<N>>, void, void> {
    signal?.throwIfAborted()
    const release = await this.#streams.take(0, signal)
    const coming = new ComingParts(name)
    const call = this.#begin(name, input, [], {
      onFrame: frame => coming.onFrame(frame),
      isUntaken: () => coming.isUntaken,
      fail: err => coming.fail(err)
    })
    try {
      for (;;) {
        const part = await coming.next(signal)
        if (part === undefined) return
        await this.#payDown(part.data.length, signal)
        this.#send(MORE, call, { parts: 1 })
        yield part
      }
    } finally {
      coming.drop()
      // Its last answer comes all the same, and is waited for by nobody but the place it takes.
      if (coming.over) release()
      else this.#letGo(call, release)
    }
  }

  /** From now on it only waits for what changes. */
  rest(): void {
    this.#init.rest()
  }

  async close(): Promise<void> {
    if (this.#ended !== undefined) return
    await this.call('close', {}).catch(() => {}) // a stream that is gone is closed
    this.#end(new SpacedriveError('STOPPED', 'this end was closed'))
    await this.#pipe.close().catch(() => {})
  }

  #ask<N extends CallName>(
    name: N,
    input: Input<N>,
    data: readonly Uint8Array[],
    signal: AbortSignal | undefined
  ): Promise<Answer<Output<N>>> {
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        this.#send(ABORT, call, undefined)
        reject(signal?.reason)
      }
      const done = (): void => signal?.removeEventListener('abort', onAbort)
      const call = this.#begin(name, input, data, {
        onFrame: frame => {
          done()
          const value = decode(
            frame.values,
            CALLS[name].output as unknown as ZodType<Output<N>>,
            `the answer to ${name}`
          )
          resolve({ value, data: frame.data as Uint8Array<ArrayBuffer> }) // only parts are shared
        },
        fail: err => {
          done()
          reject(err)
        }
      })
      signal?.addEventListener('abort', onAbort, { once: true })
    })
  }

  #begin(name: CallName | StreamName, input: unknown, data: readonly Uint8Array[], pending: Pending): number {
    if (this.#ended !== undefined) throw this.#ended
    const call = this.#nextCall++
    // Silence counts only while an answer is due.
    if (!this.#isDue()) this.#silence.heard(false)
    const asked: Pending = { ...pending, waits: traitsOf(name)?.waits === true }
    this.#pending.set(call, asked)
    try {
      asked.frame = this.#pipe.send(CALL, call, { name, input }, data)
    } catch (err) {
      this.#pending.delete(call)
      throw err
    }
    return call
  }

  async #payDown(bytes: number, signal: AbortSignal | undefined): Promise<void> {
    if (bytes === 0) return
    const taken = this.#lanes.down.take(bytes, () => this.#onMoved())
    await raceSignal(taken, signal)
  }

  #send(type: number, call: number, values: unknown): void {
    if (this.#ended === undefined && this.#pending.has(call)) this.#pipe.send(type, call, values)
  }

  #letGo(call: number, release: () => void): void {
    if (this.#pending.has(call)) {
      this.#send(ABORT, call, undefined)
      this.#pending.set(call, { onFrame: ({ type }) => type === RESULT && release(), fail: release })
    } else release()
  }

  #onFrame(frame: ReplicaFrame): void {
    this.#silence.heard(frame.type === ALIVE)
    this.#requests.allow(this.#pipe.windowBytes)
    if (frame.type === ALIVE) return
    const pending = this.#pending.get(frame.call)
    if (pending === undefined) throw wireError('UNEXPECTED_MESSAGE', 'an answer to what was not asked')
    if (frame.type === PART) {
      pending.onFrame(frame)
      return
    }
    this.#pending.delete(frame.call)
    if (pending.frame !== undefined) this.#pipe.arrived(pending.frame)
    if (!this.#isDue()) this.#pipe.rest()
    try {
      if (frame.type === RESULT) pending.onFrame(frame)
      else if (frame.type === ERROR) pending.fail(saidThere(frame, this.#init.name))
      else throw wireError('UNEXPECTED_MESSAGE', `a frame of type ${frame.type}`)
    } catch (err) {
      // Nobody else would tell it any more; that the stream ends of it is told to the others.
      pending.fail(endedBy(toError(err), this.#init.name))
      throw err
    }
  }

  #end(cause: Error): void {
    if (this.#ended !== undefined) return
    const { name } = this.#init
    this.#ended = endedBy(cause, name)
    this.#silence.stop()
    this.#init.rest()
    this.#over.abort(this.#ended)
    const waiting = [...this.#pending.values()]
    this.#pending.clear()
    for (const pending of waiting) pending.fail(this.#ended)
    this.#requests.end(this.#ended)
    this.#streams.end(this.#ended)
  }

  /** An answer is due. */
  #isDue(): boolean {
    for (const { waits } of this.#pending.values()) if (waits !== true) return true
    return false
  }
}
