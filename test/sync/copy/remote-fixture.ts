import { type AbsPath, type DeviceId, type JobId, SpacedriveError, silentLog } from '../../../storage/base/index.js'
import type { JobInfo } from '../../../storage/jobs/index.js'
import { type CopyOutput, type RemoteCopies, type RemoteCopyInput, remoteCopies } from '../../../sync/copy/index.js'
import { type Endpoint, openLocalEndpoint } from '../../../sync/endpoints/index.js'
import { type CopyKit, openCopies } from './fixture.js'

/** The device at the other end: here a folder like any other, behind a line that can be cut. */
export const FAR = 'far' as DeviceId

/** When the line goes: before a call is made, or after it was carried out and before its answer is heard. */
export interface Cut {
  /** Calls that get through. */
  readonly calls: number
  readonly carriedOut: boolean
  /** DEVICE_AWAY, unless told. */
  readonly code?: 'UNREACHABLE' | undefined
}

export type Lie = (call: string, answer: never, asked: readonly unknown[]) => unknown

export interface RemoteKit {
  readonly kit: CopyKit
  readonly remote: RemoteCopies
  /** From now on: each connection ends by the next of these, and holds when there are none. */
  cut(...cuts: readonly Cut[]): void
  /** What the far device answers from now on: a call by its name, with its answer or a part of it. */
  lie(how?: Lie): void
  /** Content that went over the line, both ways, since it was last asked. */
  carried(): number
  /** Folders of the far device that were opened since it was last asked. */
  opened(): number
  /** @throws the job's error */
  copy(input: Partial<RemoteCopyInput> & Pick<RemoteCopyInput, 'sources' | 'destination'>): Promise<RemoteResult>
  clean(): Promise<void>
}

export type RemoteResult = CopyOutput & { readonly sentBytes: number; readonly job: JobId; readonly info: JobInfo }

/** Copies between this device and a far one, with everything they stand on, in one process. */
export async function openRemote(): Promise<RemoteKit> {
  const kit = await openCopies()
  const { components, jobs } = kit
  const { pool, files, volumes, trash, ours, db, clock } = components
  const line = new Line()
  const remote = remoteCopies(
    {
      // Delays between tries pass at once.
      ...{ db, clock: { ...clock, sleep: async () => {} }, events: kit.events, log: silentLog },
      ends: {
        async open({ device, path }, _access, options) {
          if (device !== null) line.open()
          const end = await openLocalEndpoint({ path, pool, files, volumes, trash: trash as never, ours }, options)
          return device === null ? end : line.through(end)
        },
        find: async () => [],
        nameOf: device => device,
        isConnected: () => false,
        whenConnected: async () => {}
      },
      index: { copiesOf: async () => [] },
      devices: () => [FAR],
      pause: (job, because) => jobs.pause(job, { because })
    },
    jobs
  )
  await remote.start()
  return {
    kit,
    remote,
    cut: (...cuts) => line.willBeCut(cuts),
    lie(how) {
      line.lie = how
    },
    opened() {
      const { opened } = line
      line.opened = 0
      return opened
    },
    carried: () => line.carried.splice(0).reduce((sum, n) => sum + n, 0),
    async copy(more) {
      const input: RemoteCopyInput = {
        ...{ operation: 'copy', into: false, overwrite: 'skip', verify: false, keepTimes: true },
        ...{ include: [], exclude: [], keep: true, ...more }
      }
      const job = await remote.begin(input)
      const { error } = await jobs.outcome(job)
      const info = jobs.info(job)
      if (error !== undefined) throw Object.assign(new Error(error.message), error)
      return { ...(info.output as unknown as CopyOutput & { sentBytes: number }), job, info }
    },
    async clean() {
      await remote.stop()
      await kit.clean()
    }
  }
}

export const far = (path: AbsPath) => ({ device: FAR, path })
export const near = (path: AbsPath) => ({ device: null, path })

/** Counts the calls of a connection and ends it, with all that is open over it, where it is told to. */
class Line {
  readonly cuts: Cut[] = []
  lie: Lie | undefined
  readonly carried: number[] = []
  opened = 0
  #left: Cut | undefined
  #calls = 0
  #broken = true

  willBeCut(cuts: readonly Cut[]): void {
    this.cuts.splice(0, this.cuts.length, ...cuts)
    this.#broken = true
  }

  open(): void {
    this.opened++
    if (!this.#broken) return
    this.#broken = false
    this.#calls = 0
    this.#left = this.cuts.shift()
  }

  /** Every call of an end, of its stages and of their writers goes over the line; closing does not need it. */
  through<T extends Endpoint>(end: T): T {
    return this.#wrap(end) as T
  }

  #wrap(end: object): object {
    return new Proxy(end, {
      get: (target, name) => {
        if (name === 'local') return undefined
        const value = Reflect.get(target, name, target) as unknown
        if (typeof value !== 'function' || name === 'close') {
          return typeof value === 'function' ? value.bind(target) : value
        }
        return (...args: unknown[]) => this.#call(String(name), value.bind(target) as never, args)
      }
    })
  }

  #call(name: string, call: (...args: unknown[]) => unknown, args: unknown[]): unknown {
    const last = this.#count()
    const carried = last !== 'not carried out'
    for (const arg of args) if (carried && arg instanceof Uint8Array) this.carried.push(arg.length)
    if (last === 'not carried out') {
      const away = this.#away()
      if (PARTS.has(name)) return failing(away)
      return Promise.reject(away)
    }
    const given = call(...args) as object
    if (Symbol.asyncIterator in given) return this.#parts(name, args, given as AsyncIterable<unknown>)
    return (given as Promise<unknown>).then(answer => {
      const value = this.lie?.(name, answer as never, args) ?? answer
      if (last === 'last' || this.#broken) throw this.#away()
      if (typeof value !== 'object' || value === null) return value
      if ('data' in value && value.data instanceof Uint8Array) this.carried.push(value.data.length)
      return 'verify' in value || 'append' in value ? this.#wrap(value) : value
    })
  }

  async *#parts(name: string, args: readonly unknown[], given: AsyncIterable<unknown>): AsyncGenerator<unknown> {
    for await (const part of given) {
      if (this.#broken) throw this.#away()
      const { bytes } = part as { bytes?: unknown }
      if (bytes instanceof Uint8Array) this.carried.push(bytes.length)
      yield this.lie?.(name, part as never, args) ?? part
    }
  }

  #count(): 'goes through' | 'last' | 'not carried out' {
    if (this.#broken) return 'not carried out'
    if (this.#left === undefined || this.#calls++ < this.#left.calls) return 'goes through'
    this.#broken = true
    return this.#left.carriedOut ? 'last' : 'not carried out'
  }

  #away(): SpacedriveError {
    this.#broken = true
    return new SpacedriveError(this.#left?.code ?? 'DEVICE_AWAY', 'far was disconnected')
  }
}

/** Calls that answer in parts. */
const PARTS = new Set(['list', 'walk', 'read', 'hash'])

// biome-ignore lint/correctness/useYield: it fails at its first step
async function* failing(err: Error): AsyncGenerator<never> {
  throw err
}
