/**
 * Two whole peers in this process, paired and connected over loopback: ada drives, bob serves. What bob answers can be made a
 * lie, at whatever place of his folder the test says, while all the rest of him is real.
 */
import assert from 'node:assert/strict'
import { mkdirSync, realpathSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Peer } from '../../../node/compose.js'
import { type Replicas, type ReplicasInit, replicas, servingPort } from '../../../protocols/replica/index.js'
import {
  type AbsPath,
  type AnyEvent,
  type Clock,
  deadline,
  type EventName,
  type JobId,
  systemClock
} from '../../../storage/base/index.js'
import type { Disk } from '../../../storage/files/index.js'
import { type Endpoint, type FollowedPage, openLocalEndpoint } from '../../../sync/endpoints/index.js'
import type { ConflictPolicy, End, Mode } from '../../../sync/reconcile/index.js'
import type { Accepting, ServedSync, ServingEnd } from '../../../sync/serving/index.js'
import type { RunAsked, RunReport, Sync, SyncStatus } from '../../../sync/session/index.js'
import { testPeer } from '../../node/peer.js'
import { connectPeers, nextEvent, pairDirectly, type TestPeer } from '../../peers.js'
import { tempDir } from '../../temp.js'
import { WAIT_MS } from '../../waits.js'

const LOOPBACK = new Map<string, unknown>([
  ['network.loopback', true],
  ['network.enabled', true]
])

/** A sync as ada asks for it: `mine` of hers, `theirs` of bob's, which is its `side`. */
export interface Asked {
  readonly mode: Mode
  readonly side: End
  readonly mine: string
  readonly theirs: string
  readonly manual?: boolean
  readonly policy?: ConflictPolicy
}

/** What is told instead of the truth. */
export interface Lies {
  readonly folder?: (truth: Endpoint) => Partial<Endpoint>
  readonly end?: (truth: ServingEnd) => Partial<ServingEnd>
  readonly follow?: (truth: AsyncIterable<FollowedPage>) => AsyncIterable<FollowedPage>
}

/** Writes a file, and the folders above it. */
export function putAt(path: string, content: string | Buffer): void {
  mkdirSync(join(path, '..'), { recursive: true })
  writeFileSync(path, content)
}

export class TwoDevices {
  readonly #temp = tempDir('sd-two-devices-')
  ada!: Peer
  bob!: Peer
  #liar: Replicas | undefined
  #passedMs = 0
  readonly #clocks: Readonly<Record<string, Clock>>

  readonly #bobsDisk: Disk | undefined

  /**
   * @param init.bobAheadMs - what his clock is ahead of hers
   * @param init.bobsDisk - on which he gives names, instead of the real one
   */
  constructor({
    bobAheadMs = 0,
    bobsDisk
  }: { readonly bobAheadMs?: number; readonly bobsDisk?: Disk | undefined } = {}) {
    this.#bobsDisk = bobsDisk
    const nowMs = (): number => systemClock.nowMs() + this.#passedMs
    this.#clocks = { ada: { ...systemClock, nowMs }, bob: { ...systemClock, nowMs: () => nowMs() + bobAheadMs } }
  }

  at(path: string): AbsPath {
    return join(realpathSync(this.#temp.path), path) as AbsPath
  }

  put(path: string, content: string | Buffer): void {
    putAt(this.at(path), content)
  }

  async start(): Promise<void> {
    this.ada = await this.#peer('ada')
    this.bob = await this.#peer('bob')
    const [a, b] = [asTestPeer(this.ada), asTestPeer(this.bob)]
    await pairDirectly(a, b)
    await connectPeers(a, b)
  }

  /** Ada's, between `mine` of hers and `theirs` of bob's, which is its `side`; accepted when this returns. */
  async add(name: string, asked: Asked, accepting: Accepting = {}): Promise<Sync> {
    mkdirSync(this.at(asked.theirs), { recursive: true })
    const accepted = nextEvent(this.ada, 'sync:accepted')
    const served = await this.ask(name, asked)
    await this.bob.agreements.accept(served, this.at(asked.theirs), accepting)
    await accepted
    return this.ada.syncs.find(name)
  }

  /** Asked for by ada; bob knows of it when this returns. */
  async ask(
    name: string,
    { mode, side, mine, theirs, manual = true, policy = 'keep-both' }: Asked
  ): Promise<ServedSync> {
    mkdirSync(this.at(mine), { recursive: true })
    const far = { device: this.bob.network.localDevice, path: this.at(theirs) }
    const near = this.at(mine)
    const requested = nextEvent(this.bob, 'sync:requested')
    const sync = await this.ada.syncs.add({
      ...{ name, mode, policy, ignore: [], maxDeletePercent: 50, manual },
      source: side === 'source' ? far : near,
      destination: side === 'source' ? near : far
    })
    await requested
    return this.bob.served.find(this.ada.network.localDevice, sync.uuid)!
  }

  /** A person runs it. */
  async run(name: string, asked: RunAsked = {}): Promise<RunReport> {
    const job = await this.ada.syncs.begin(this.ada.syncs.find(name), asked)
    return this.ended<RunReport>(job)
  }

  /** A person runs it and means what it takes away; a second later both ends are in step. */
  async converge(name: string): Promise<void> {
    const { state, halts, problems } = await this.run(name, { force: true })
    assert.equal(state, 'converged', JSON.stringify([halts, problems]))
    this.later(1_000)
  }

  /** What a job of ada's gave. @throws its error, with the code */
  async ended<T>(job: JobId): Promise<T> {
    const { output, error } = await this.ada.jobs.outcome(job)
    if (output === undefined) throw Object.assign(new Error(error?.message), error)
    return output as unknown as T
  }

  status(name: string): SyncStatus {
    return this.ada.syncs.status(this.ada.syncs.find(name))
  }

  /** Looks at once, and again with each event of ada's whose name begins so. */
  async until(what: string, fits: () => boolean, prefix = 'sync:'): Promise<void> {
    const limit = deadline(WAIT_MS, what)
    let wake = (): void => {}
    const off = this.ada.events.onAny((event: AnyEvent) => {
      if ((event.type as EventName).startsWith(prefix)) wake()
    })
    limit.signal.addEventListener('abort', () => wake())
    try {
      while (!fits()) {
        if (limit.signal.aborted) throw new Error(`${what} took too long`)
        await new Promise<void>(resolve => {
          wake = resolve
        })
      }
    } finally {
      off()
      limit.clear()
    }
  }

  /** So much time has passed for both. */
  later(ms: number): void {
    this.#passedMs += ms
  }

  /** From now on bob tells lies. */
  async lie({ folder = () => ({}), end = () => ({}), follow = truth => truth }: Lies): Promise<void> {
    await this.truth()
    await this.bob.replicas.stop()
    const { network, grants, clock, random, log, libraries, served, watcher, dataDir } = this.bob
    const ours = (): AbsPath[] => [dataDir, ...libraries.opened().map(l => l.path)]
    const init: ReplicasInit = {
      ...{ network, grants, clock, random, log, ours, nameOf: () => 'ada' },
      open: async (path, { allAreas, ...options }) => {
        const truth = await openLocalEndpoint({ ...this.bob, ours, allAreas, path }, options)
        return instead(truth, folder(truth))
      },
      syncs(device, uuid) {
        const port = servingPort({ served, watcher, isNetwork: async () => false }, device, uuid)
        if (port === undefined) return port
        const openEnd: typeof port.openEnd = async (sync, endpoint, options) => {
          const truth = await port.openEnd(sync, endpoint, options)
          return instead(truth, end(truth))
        }
        return { ...port, openEnd, follow: (endpoint, options) => follow(port.follow(endpoint, options)) }
      }
    }
    this.#liar = replicas(init)
    await this.#liar.start()
  }

  /** Bob is honest again. */
  async truth(): Promise<void> {
    if (this.#liar === undefined) return
    await this.#liar.stop()
    this.#liar = undefined
    await this.bob.replicas.start()
  }

  /** @param unmount - what is mounted in the folders, which nobody holds open any more */
  async clean(unmount = (): void => {}): Promise<void> {
    await this.#liar?.stop()
    await this.ada?.stop()
    await this.bob?.stop()
    unmount()
    this.#temp.clean()
  }

  async #peer(name: string): Promise<Peer> {
    const dataDir = this.at(`instance-${name}`)
    mkdirSync(dataDir, { recursive: true, mode: 0o700 })
    const disk = name === 'bob' && this.#bobsDisk !== undefined ? { disk: this.#bobsDisk } : {}
    const peer = await testPeer(dataDir, { flags: LOOPBACK, clock: this.#clocks[name]!, ...disk })
    await peer.start()
    return peer
  }
}

/** What pairing and connecting need of a peer. */
const asTestPeer = (peer: Peer): TestPeer =>
  ({ ...peer, id: peer.network.localDevice, network: peer.network, devices: peer.devices }) as unknown as TestPeer

/** All of `truth`, but for what is told instead. */
function instead<T extends object>(truth: T, lies: Partial<T>): T {
  return new Proxy(truth, {
    get(target, key) {
      if (Object.hasOwn(lies, key)) return lies[key as keyof T]
      const value = target[key as keyof T]
      return typeof value === 'function' ? value.bind(target) : value
    }
  })
}
