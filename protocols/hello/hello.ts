import type { Stream } from '@libp2p/interface'
import { type AbortOptions, type DeviceId, deadline, type Random, SpacedriveError } from '../../storage/base/index.js'
import { type FrameStream, frameStream, wireError } from '../wire/index.js'
import {
  awaitHello,
  type HelloDone,
  type HelloEffect,
  type HelloSecret,
  openHello,
  refuse,
  type Step,
  stepDialler,
  stepListener,
  welcome
} from './machine.js'
import { HELLO_TIMEOUT_MS, type HelloInfo, MAX_HELLO_FRAME_BYTES, NONCE_BYTES, type Refusal } from './messages.js'

export interface HelloInit {
  readonly stream: Stream
  readonly local: DeviceId
  /** From the connection (Noise), never from a message. */
  readonly remote: DeviceId
  readonly secrets: readonly HelloSecret[]
  readonly random: Random
  /** Asked once the other side has proven the secret. */
  info(): HelloInfo
  /**
   * The other side has proven the secret: makes that durable (unconfirmed becomes paired). What it throws ends the hello;
   * an error with code RUNS_TWICE tells the other side why.
   */
  admit(epoch: number, info: HelloInfo): Promise<void>
}

/** What the stream of a hello becomes: the same frames carry the control messages of the connection. */
export interface HelloResult extends HelloDone {
  readonly frames: FrameStream
}

/**
 * Says hello on a stream that we opened on a connection that we dialled.
 * @throws {SpacedriveError} KEYS_DIFFER, RUNS_TWICE, VERSION_DIFFERS, REFUSED, UNEXPECTED_MESSAGE, MALFORMED, TIMEOUT, STREAM_CLOSED
 */
export async function sayHello(init: HelloInit, options: AbortOptions = {}): Promise<HelloResult> {
  return withDeadline(init, options, async (frames, signal) => {
    const ends = { dialler: init.local, listener: init.remote }
    let step = openHello(ends, init.secrets, init.random.bytes(NONCE_BYTES), init.info())
    for (;;) {
      const done = await perform(frames, step, signal)
      if (done !== undefined) {
        await init.admit(done.epoch, done.info)
        return { ...done, frames }
      }
      step = stepDialler(step.state, await receive(frames, signal))
    }
  })
}

/** Answers on a stream of a connection that the other side dialled. @throws as `sayHello` */
export async function answerHello(init: HelloInit, options: AbortOptions = {}): Promise<HelloResult> {
  return withDeadline(init, options, async (frames, signal) => {
    const ends = { dialler: init.remote, listener: init.local }
    let state = awaitHello(ends, init.secrets, init.random.bytes(NONCE_BYTES))
    for (;;) {
      let step = stepListener(state, await receive(frames, signal))
      const admit = step.effects.find(e => 'admit' in e)
      if (admit !== undefined) {
        try {
          await init.admit(admit.admit.epoch, admit.admit.info)
          step = welcome(step.state, init.info())
        } catch (err) {
          const known = err instanceof SpacedriveError ? err : new SpacedriveError('REFUSED', 'refused', { cause: err })
          const code: Refusal = known.code === 'RUNS_TWICE' ? 'runs-twice' : 'refused'
          step = refuse(step.state, code, known)
        }
      }
      const done = await perform(frames, step, signal)
      if (done !== undefined) return { ...done, frames }
      state = step.state
    }
  })
}

async function withDeadline(
  init: HelloInit,
  { signal }: AbortOptions,
  run: (frames: FrameStream, signal: AbortSignal) => Promise<HelloResult>
): Promise<HelloResult> {
  const frames = frameStream(init.stream, {
    maxFrameBytes: MAX_HELLO_FRAME_BYTES,
    maxQueuedBytes: 4 * MAX_HELLO_FRAME_BYTES
  })
  const limit = deadline(HELLO_TIMEOUT_MS, 'the hello', signal)
  try {
    return await run(frames, limit.signal)
  } catch (err) {
    // What was sent last (a refusal) should still arrive: the side that failed closes its end and then lets go.
    await frames.closeWrite({ signal: limit.signal }).catch(() => {})
    throw err
  } finally {
    limit.clear()
  }
}

async function receive(frames: FrameStream, signal: AbortSignal): Promise<Uint8Array> {
  const frame = await frames.read({ signal })
  if (frame === undefined) throw wireError('STREAM_CLOSED', 'the other device closed the stream during the hello')
  return frame
}

async function perform<S>(frames: FrameStream, step: Step<S>, signal: AbortSignal): Promise<HelloDone | undefined> {
  let done: HelloDone | undefined
  for (const effect of step.effects as readonly HelloEffect[]) {
    if ('send' in effect) await frames.write(effect.send, { signal })
    else if ('failed' in effect) throw effect.failed
    else if ('done' in effect) done = effect.done
  }
  return done
}
