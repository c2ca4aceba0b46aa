import { setMaxListeners } from 'node:events'
import { SpacedriveError } from '../storage/base/index.js'
import { type Part, Parts, signpost } from './parts.js'
import type { Ground, LocalParts, Peer, RemoteParts } from './peer.js'

/** What works on this device alone, built. */
export interface LocalStep {
  readonly parts: LocalParts
  /** They start before `ready`: what can keep a peer from starting. */
  readonly first: readonly Part[]
  /** They start when all is there. */
  readonly rest: readonly Part[]
  close(): Promise<void>
}

/** What speaks with others, built. */
export interface RemoteStep {
  readonly parts: RemoteParts
  /** They start before the `rest` of the local ones. */
  readonly first: readonly Part[]
  /** They start after all others, when every protocol has its handler, and stop before them. */
  readonly last: readonly Part[]
}

export interface Steps {
  local(): Promise<LocalStep>
  remote(local: LocalParts): Promise<RemoteStep>
}

/** A peer that stands on its ground and brings the rest when it is started; what is not there yet is undefined (`stage`). */
export function growingPeer(ground: Ground, steps: Steps): Peer {
  const { log, pool, instance } = ground
  const stopping = new AbortController()
  setMaxListeners(0, stopping.signal) // one for each call that runs
  const parts = new Parts(stopping.signal, log)
  const ready = signpost()
  const whole = signpost()
  let stage: Peer['stage'] = 'ground'
  let composing: Promise<unknown> = Promise.resolve()
  let close = async (): Promise<void> => {}
  let stopped: Promise<void> | undefined

  /** A step that has begun is awaited before anything is closed under it. */
  async function step<T>(work: () => Promise<T>): Promise<T> {
    stopping.signal.throwIfAborted()
    const done = work()
    composing = done.catch(() => {})
    return await done
  }

  async function start(): Promise<void> {
    const local = await step(steps.local)
    close = local.close
    Object.assign(peer, local.parts)
    await parts.start(local.first)
    stage = 'local'
    ready.resolve()
    const remote = await step(() => steps.remote(local.parts))
    Object.assign(peer, remote.parts)
    await parts.start([...remote.first, ...local.rest])
    stage = 'whole'
    whole.resolve()
    await parts.start(remote.last)
  }

  function refuse(reason: unknown): void {
    ready.reject(reason)
    whole.reject(reason)
  }

  async function stop(): Promise<void> {
    const reason = new SpacedriveError('STOPPED', 'the daemon is stopping')
    refuse(reason)
    stopping.abort(reason)
    await composing
    await parts.stop()
    await close().catch(err => log.error('a folder could not be closed', { err }))
    await pool.close()
    await instance.close()
  }

  const own = {
    get stage() {
      return stage
    },
    ready: ready.promise,
    whole: whole.promise,
    stopping: stopping.signal,
    async start() {
      try {
        await start()
      } catch (err) {
        refuse(err)
        throw err
      }
    },
    stop() {
      stopped ??= stop()
      return stopped
    }
  }
  // The getters stay getters.
  const peer = Object.defineProperties(
    {},
    {
      ...Object.getOwnPropertyDescriptors(ground),
      ...Object.getOwnPropertyDescriptors(own)
    }
  ) as Peer
  return peer
}
