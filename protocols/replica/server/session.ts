import type { Stream } from '@libp2p/interface'
import type { z } from 'zod'
import {
  type AbortOptions,
  type Clock,
  type ContentHash,
  isAbort,
  type Logger,
  SpacedriveError,
  toError
} from '../../../storage/base/index.js'
import { type Endpoint, givePlace } from '../../../sync/endpoints/index.js'
import type { Pacing } from '../../pace/index.js'
import { decode, HEADER_TIMEOUT_MS, type PeerSession, patientDeadline, wireError } from '../../wire/index.js'
import {
  CALLS,
  type CallName,
  callHead,
  type Input,
  moreHead,
  type Output,
  STREAMS,
  type StreamName,
  traitsOf
} from '../calls.js'
import { Lanes } from '../lanes.js'
import { MAX_REQUESTS, MAX_STREAMED, PARTS_AHEAD } from '../limits.js'
import { isAnyDone } from '../placing.js'
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
import type { Outgoing } from './answering.js'
import { HANDLERS, type Handler } from './handlers.js'
import { Life } from './life.js'
import { RunningCall } from './running.js'
import { type Served, ServedFolder } from './served-folder.js'
import { isTellable, toldOf } from './told.js'

export interface ServeInit {
  readonly stream: Stream
  readonly peer: PeerSession
  readonly clock: Clock
  readonly pacing: Pacing
  readonly compressBelowBytesPerSecond: number | undefined
  readonly log: Logger
  /** Opens what the device asks for. @throws NOT_GRANTED, and what opening the folder throws */
  open(hello: Input<'hello'>, options: AbortOptions): Promise<Served>
  /** Where files with this content lie that the device may read. */
  find(hash: ContentHash, options: AbortOptions): Promise<readonly string[]>
  /** From now on it only watches. @throws {SpacedriveError} TOO_MANY */
  onWatch(): void
}

/** One folder of this device as another one sees it, for as long as its stream is open. Resolves when that is over. */
export function serveReplica(init: ServeInit): Promise<void> {
  return new Session(init).done
}

class Session {
  readonly done: Promise<void>
  readonly #init: ServeInit
  readonly #pipe: SealedPipe
  readonly #running = new Map<number, RunningCall>()
  readonly #work = new Set<Promise<unknown>>()
  readonly #over = new AbortController()
  readonly #lanes: Lanes
  #folder: ServedFolder | undefined
  #greeted = false
  #lastCall = 0
  #watching = false
  readonly #life: Life
  #finish!: () => void

  constructor(init: ServeInit) {
    this.#init = init
    const { stream, peer, clock, pacing } = init
    this.#lanes = new Lanes(pacing, peer.device, this.#over.signal)
    const ended = new Promise<void>(resolve => {
      this.#finish = resolve
    })
    this.#pipe = sealedPipe({
      ...{ stream, peer, compressBelowBytesPerSecond: init.compressBelowBytesPerSecond, sharedType: CALL },
      pace: this.#lanes.up,
      windowBytes: () => this.#lanes.windowBytes,
      onFrame: frame => this.#onFrame(frame),
      onEnd: err => this.#end(err ?? wireError('STREAM_CLOSED', 'the device ended the stream'))
    })
    const cut = (): void => this.#pipe.abort(toError(peer.signal.reason))
    peer.signal.addEventListener('abort', cut, { once: true })
    if (peer.signal.aborted) cut()
    const header = patientDeadline(peer, HEADER_TIMEOUT_MS, 'what the device wants')
    header.signal.addEventListener('abort', () => {
      if (!this.#greeted) this.#pipe.abort(wireError('TIMEOUT', 'the device did not say what it wants'))
    })
    this.#life = new Life({
      ...{ clock, wire: this.#pipe, isBusy: () => this.#is('isBusy') },
      turn: () => ({
        holds: this.#folder?.holdsTurn === true,
        wanted: this.#folder?.isWanted === true,
        working: this.#is('isWorking')
      }),
      say: () => this.#send(ALIVE, 0, {}),
      over: err => this.#pipe.abort(err)
    })
    this.done = ended.then(async () => {
      header.clear()
      this.#life.stop()
      peer.signal.removeEventListener('abort', cut)
      await Promise.allSettled([...this.#work])
      await this.#folder?.close()
    })
  }

  #end(reason: Error): void {
    this.#over.abort(reason)
    for (const running of this.#running.values()) running.abort(reason)
    this.#finish()
  }

  #onFrame({ type, call, values, data }: ReplicaFrame): void {
    if (type === CALL) {
      this.#begin(call, values, data)
      return
    }
    const running = this.#running.get(call)
    // Its answer and this may have crossed.
    if (type === ABORT) running?.abort(new SpacedriveError('CANCELLED', 'the device does not want it any more'))
    else if (type !== MORE) throw wireError('UNEXPECTED_MESSAGE', `a frame of type ${type}`)
    else if (running !== undefined) {
      const { parts } = decode(values, moreHead, 'a message')
      running.room += parts
      if (running.room > PARTS_AHEAD) throw wireError('FLOODED', 'the device asked for more parts than there may be')
      for (const part of running.parts.splice(0, parts)) this.#pipe.arrived(part)
    }
    running?.wake()
  }

  #begin(call: number, values: Uint8Array, data: Uint8Array): void {
    if (call <= this.#lastCall) throw wireError('UNEXPECTED_MESSAGE', 'a call has the number of another one')
    this.#lastCall = call
    if (this.#running.size >= MAX_REQUESTS + MAX_STREAMED)
      throw wireError('FLOODED', 'the device asks too much at once')
    const { name, input } = decode(values, callHead, 'a call')
    const running = new RunningCall(name)
    this.#running.set(call, running)
    const work = this.#answer(call, name, input, data, running)
      .catch(err => this.#refuse(call, name, err))
      .catch(err => this.#pipe.abort(toError(err)))
      .finally(() => {
        givePlace(data.buffer)
        this.#running.delete(call)
        if (!this.#is('isBusy')) this.#pipe.rest()
        this.#work.delete(work)
      })
    this.#work.add(work)
  }

  async #answer(call: number, name: string, raw: unknown, data: Uint8Array, running: RunningCall) {
    const { signal } = running.aborting
    if (this.#watching && name !== 'close') throw wireError('UNEXPECTED_MESSAGE', 'it only watches')
    if (name === 'watch') {
      this.#init.onWatch()
      this.#watching = true
    }
    if (Object.hasOwn(STREAMS, name)) {
      const input = parsed(STREAMS[name as StreamName].input, raw)
      for await (const part of this.#opened().stream(name as StreamName, input as never, { signal })) {
        await running.untilRoom()
        running.room--
        const frame = await this.#reply(PART, call, part)
        if (frame !== undefined) running.parts.push(frame)
      }
      this.#send(RESULT, call, {})
      return
    }
    if (!Object.hasOwn(CALLS, name)) throw wireError('UNEXPECTED_MESSAGE', 'an unknown call')
    const input = parsed(CALLS[name as CallName].input, raw)
    if (name === 'hello') {
      const about = await this.#open(input as Input<'hello'>, signal)
      this.#send(RESULT, call, { values: about })
      return
    }
    if (name === 'find') {
      this.#greeted = true
      this.#send(RESULT, call, { values: await this.#init.find((input as Input<'find'>).hash, { signal }) })
      return
    }
    if (name === 'close' && this.#folder === undefined) {
      this.#send(RESULT, call, { values: {} })
      return
    }
    const folder = this.#opened()
    folder.ensureMay(CALLS[name as CallName].access, name)
    const handle = HANDLERS[name as keyof typeof HANDLERS] as Handler<CallName>
    const cameBytes = data.length // its memory may be handed to another thread
    const answer = await handle.call(folder, input as never, { signal }, data)
    // It was begun at once, in its order; what is unanswered holds the device back.
    if (cameBytes > 0) await this.#lanes.down.take(cameBytes)
    const { turn } = traitsOf(name)!
    if (turn === 'word' && !this.#life.heardWord()) return
    if (turn === 'placed' && isAnyDone(answer.values as Output<'syncPlace'>)) this.#life.placed()
    await this.#reply(RESULT, call, answer)
  }

  async #open(hello: Input<'hello'>, signal: AbortSignal) {
    if (this.#greeted) throw wireError('UNEXPECTED_MESSAGE', 'a stream is for one folder')
    this.#greeted = true
    const served = await this.#init.open(hello, { signal })
    this.#folder = new ServedFolder(served, hello.access, {
      ...{ clock: this.#init.clock, partBytes: () => this.#lanes.upBytes(this.#pipe.windowBytes) }
    })
    if (this.#over.signal.aborted) await this.#folder.close()
    const endpoint: Endpoint = served.endpoint
    const { root, fileSystem, network, timeStepNs } = await endpoint.about({ signal })
    return { root, fileSystem, network, timeStepNs, ...this.#folder.told }
  }

  /** Content keeps to the limits of its rate; what carries none waits at most for the frame that is going out. */
  async #reply(type: number, call: number, answer: Outgoing): Promise<Uint8Array | undefined> {
    const send = (): Uint8Array | undefined => this.#send(type, call, answer)
    return answer.data?.some(part => part.length > 0) ? this.#pipe.inTurn(send) : send()
  }

  #opened(): ServedFolder {
    if (this.#folder === undefined) throw wireError('UNEXPECTED_MESSAGE', 'the stream does not begin with a folder')
    return this.#folder
  }

  #refuse(call: number, name: string, err: unknown): void {
    if (this.#over.signal.aborted) return
    const { log, peer } = this.#init
    if (!isTellable(err) && !isAbort(err))
      log.error('what a device asked for failed', { device: peer.device, name, err })
    this.#send(ERROR, call, { values: toldOf(err) })
  }

  #send(type: number, call: number, { values, data }: Partial<Outgoing>): Uint8Array | undefined {
    if (this.#over.signal.aborted) return undefined
    this.#life.said()
    return this.#pipe.send(type, call, values, data)
  }

  /** Of some of what runs. */
  #is(what: 'isBusy' | 'isWorking'): boolean {
    for (const running of this.#running.values()) if (running[what]) return true
    return false
  }
}

function parsed(schema: z.ZodType, raw: unknown): unknown {
  const { success, data } = schema.safeParse(raw)
  if (!success) throw wireError('MALFORMED', 'a question has a bad shape')
  return data
}
