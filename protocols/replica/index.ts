/**
 * Replica `/spacedrive/replica/1.2.0`: a folder of a paired device as an `Endpoint` (PEERS.md 8, docs/protocols/replica.md).
 *
 *   const endpoint = await replicas.connect(device, '/srv/photos', 'read')
 *   for await (const { entries } of endpoint.walk(ROOT)) ...
 *
 * One stream is one open folder. `calls.ts` lists what may be asked, `values.ts` the shapes, `sealed-pipe.ts` the frames;
 * `client/` asks, `server/` answers. What a device may reach is said by `Grants`, folder by folder; none by default.
 */
import { posix } from 'node:path'
import type { Stream } from '@libp2p/interface'
import {
  type AbortOptions,
  type AbsPath,
  type Clock,
  type ContentHash,
  type DeviceId,
  displayPath,
  isWithin,
  type Logger,
  type Random,
  SpacedriveError,
  type Startable,
  toError,
  typed
} from '../../storage/base/index.js'
import { AREA_NAME } from '../../storage/files/index.js'
import type { IndexPlaces } from '../../sync/analysis/index.js'
import type { Endpoint } from '../../sync/endpoints/index.js'
import { madeBySync } from '../../sync/serving/index.js'
import { type Pacing, UNPACED } from '../pace/index.js'
import type { PeerNetwork, PeerSession } from '../wire/index.js'
import type { Input } from './calls.js'
import { Caller } from './client/caller.js'
import { RemoteEndpoint } from './client/remote-endpoint.js'
import { Turns } from './client/turns.js'
import { type Access, type Grants, PERSON } from './grants.js'
import { MAX_FOUND, MAX_SESSIONS, MAX_WATCHING, SYNCS_AT_WORK } from './limits.js'
import type { Served } from './server/served-folder.js'
import type { ServingPort } from './server/serving-port.js'
import { serveReplica } from './server/session.js'

export { farEnds } from './client/far-ends.js'
export { type Access, type Grant, type Grants, grants, PERSON } from './grants.js'
export * from './limits.js'
export { type ServingPort, type ServingPortInit, servingPort } from './server/serving-port.js'

export const REPLICA_PROTOCOL = '/spacedrive/replica/1.2.0'

export interface ReplicasInit {
  readonly network: PeerNetwork
  readonly grants: Pick<Grants, 'covering'>
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  /** Limits of the rate of content; none unless given. */
  readonly pacing?: Pacing
  /** Content is compressed on a link slower than this; SLOW_LINK_BYTES_PER_SECOND unless given. */
  readonly compressBelowBytesPerSecond?: number
  nameOf(device: DeviceId): string
  /** Opens a folder of this device; its root is where the path really leads. @param allAreas - as `LocalEndpointInit` has it */
  open(path: AbsPath, options: { readonly allAreas?: boolean } & AbortOptions): Promise<Endpoint>
  ours(): readonly string[]
  /** What the indexes of this device know; nothing unless given. */
  readonly known?: Pick<IndexPlaces, 'copiesOf' | 'recordedOf'>
  /** The sync of a device that is served here. @returns undefined: there is none, or nobody has accepted it */
  syncs?(device: DeviceId, uuid: string): ServingPort | undefined
  /** A device is about to reach a folder, or was refused: for the audit log. */
  onAccess?(access: ReplicaAccess): Promise<void>
}

export interface ReplicaAccess {
  readonly device: DeviceId
  readonly path: string
  readonly access: Access
  readonly refused?: Error | undefined
}

export interface ConnectOptions extends AbortOptions {
  /** The sync for which that device serves the folder. */
  readonly sync?: string | undefined
}

export interface Replicas extends Startable {
  /**
   * Opens a folder of a paired device that is connected.
   * @throws {SpacedriveError} DEVICE_AWAY; NOT_GRANTED, MISSING, NOT_A_DIRECTORY, ... as that device says; UNREACHABLE
   */
  connect(device: DeviceId, path: string, access: Access, options?: ConnectOptions): Promise<Endpoint>
  /**
   * Where the device has files with this content that it lets this one read, as its indexes tell: whoever wants one looks.
   * @throws {SpacedriveError} DEVICE_AWAY, UNREACHABLE
   */
  find(device: DeviceId, hash: ContentHash, options?: AbortOptions): Promise<readonly AbsPath[]>
  /** Ends what the device does here at once: its grant went, or it was revoked. @param sync - only what it does for that one */
  cut(device: DeviceId, sync?: string): Promise<void>
}

export function replicas(init: ReplicasInit): Replicas {
  return new Service(init)
}

interface Serving {
  readonly stream: Stream
  readonly done: Promise<void>
  /** For which it opened its folder. */
  sync: string | undefined
  /** It does nothing any more but tell what changes. */
  watching: boolean
}

class Service implements Replicas {
  readonly #init: ReplicasInit
  readonly #serving = new Map<DeviceId, Set<Serving>>()
  /** Syncs at work with each device. */
  readonly #atWork = new Map<DeviceId, Turns>()

  constructor(init: ReplicasInit) {
    this.#init = init
  }

  async start(): Promise<void> {
    const serve = (stream: Stream, peer: PeerSession): Promise<void> => this.#serve(stream, peer)
    await this.#init.network.handle(REPLICA_PROTOCOL, serve, { maxInboundStreams: MAX_SESSIONS + MAX_WATCHING })
  }

  async stop(): Promise<void> {
    await this.#init.network.unhandle(REPLICA_PROTOCOL)
    await Promise.all([...this.#serving.keys()].map(device => this.cut(device)))
  }

  async connect(
    device: DeviceId,
    path: string,
    access: Access,
    { sync, ...options }: ConnectOptions = {}
  ): Promise<Endpoint> {
    const release = sync === undefined ? undefined : await this.#placeAtWork(device, options)
    const caller = await this.#call(device, options, release).catch(err => {
      release?.()
      throw err
    })
    try {
      const { value } = await caller.call('hello', { path, access, ...(sync !== undefined && { sync }) }, options)
      return new RemoteEndpoint(caller, device, `${this.#init.nameOf(device)}:${path}`, value, sync)
    } catch (err) {
      await caller.close()
      throw err
    }
  }

  async find(device: DeviceId, hash: ContentHash, options: AbortOptions = {}): Promise<readonly AbsPath[]> {
    const caller = await this.#call(device, options)
    try {
      const { value } = await caller.call('find', { hash }, options)
      return value.filter(path => path.startsWith('/') && posix.normalize(path) === path) as AbsPath[]
    } finally {
      await caller.close()
    }
  }

  #placeAtWork(device: DeviceId, { signal }: AbortOptions): Promise<() => void> {
    const turns = this.#atWork.get(device) ?? new Turns(SYNCS_AT_WORK, Number.MAX_SAFE_INTEGER)
    this.#atWork.set(device, turns)
    return turns.take(0, signal)
  }

  /** @param rest - called once it is at work no more: it only waits for what changes, or has ended */
  async #call(device: DeviceId, options: AbortOptions, rest: () => void = () => {}): Promise<Caller> {
    const { network, clock, random, nameOf, pacing = UNPACED, compressBelowBytesPerSecond } = this.#init
    const { stream, peer } = await network.open(device, REPLICA_PROTOCOL, options)
    return new Caller({ stream, peer, clock, random, pacing, compressBelowBytesPerSecond, name: nameOf(device), rest })
  }

  async cut(device: DeviceId, sync?: string): Promise<void> {
    const sessions = [...(this.#serving.get(device) ?? [])].filter(s => sync === undefined || s.sync === sync)
    for (const { stream } of sessions) stream.abort(new SpacedriveError('NOT_GRANTED', 'the access was taken away'))
    await Promise.all(sessions.map(s => s.done))
  }

  async #serve(stream: Stream, peer: PeerSession): Promise<void> {
    const { clock, log, pacing = UNPACED, compressBelowBytesPerSecond } = this.#init
    const open = (hello: Input<'hello'>, options: AbortOptions): Promise<Served> => {
      session.sync = hello.sync
      return this.#open(peer.device, hello, options)
    }
    const find = (hash: ContentHash, options: AbortOptions) => this.#find(peer.device, hash, options)
    const sessions = this.#serving.get(peer.device) ?? new Set()
    if ([...sessions].filter(s => !s.watching).length >= MAX_SESSIONS) throw tooMany(MAX_SESSIONS)
    const onWatch = (): void => {
      if ([...sessions].filter(s => s.watching).length >= MAX_WATCHING) throw tooMany(MAX_WATCHING)
      session.watching = true
    }
    const session: Serving = {
      ...{ stream, sync: undefined, watching: false },
      done: serveReplica({ stream, peer, clock, log, pacing, compressBelowBytesPerSecond, open, find, onWatch })
    }
    this.#serving.set(peer.device, sessions.add(session))
    await session.done
    sessions.delete(session)
    if (sessions.size === 0) this.#serving.delete(peer.device)
  }

  /** The folder is opened first, and judged by where it really lies: no link leads out of what was granted. */
  async #open(device: DeviceId, { path, access, sync: uuid }: Input<'hello'>, options: AbortOptions): Promise<Served> {
    const { grants, ours, onAccess } = this.#init
    const refuse = async (refused: Error): Promise<never> => {
      await onAccess?.({ device, path, access, refused })
      throw refused
    }
    const sync = uuid === undefined ? undefined : this.#init.syncs?.(device, uuid)
    const madeBy = uuid === undefined ? PERSON : madeBySync(uuid)
    const may = (at: string): boolean => grants.covering(device, at, access, madeBy) !== undefined
    // What is not granted is not told apart from what is not there.
    const notGranted = uuid === undefined ? notGrantedTo(this.#init.nameOf(device), path, access) : noSuchSync()
    if (uuid !== undefined && sync === undefined) return refuse(notGranted)
    const within = path.startsWith('/') && may(posix.normalize(path))
    let endpoint: Endpoint
    try {
      endpoint = await this.#init.open(path as AbsPath, {
        allAreas: sync !== undefined && access === 'write',
        ...options
      })
    } catch (err) {
      return refuse(within ? toError(err) : notGranted)
    }
    const root = endpoint.local?.path
    try {
      if (root === undefined || !may(root)) throw notGranted
      await sync?.judge(endpoint, options)
    } catch (err) {
      await endpoint.close()
      return refuse(toError(err))
    }
    await onAccess?.({ device, path: root, access })
    const { known } = this.#init
    const recordedOf: Served['recordedOf'] = async (paths, asked) =>
      (await known?.recordedOf(paths, asked)) ?? paths.map(() => undefined)
    const kept: ServingPort['kept'] = async at => {
      await onAccess?.({ device, path: `${root}/${AREA_NAME}/versions`, access: 'read' })
      return sync!.kept(at)
    }
    return { endpoint, root, ours, recordedOf, sync: sync && { ...sync, kept } }
  }

  /** Only of files that the device may read: what else is here it does not learn, not even by its hash. */
  async #find(device: DeviceId, hash: ContentHash, options: AbortOptions): Promise<readonly string[]> {
    const { grants, known, ours, onAccess } = this.#init
    await onAccess?.({ device, path: `content:${hash}`, access: 'read' })
    const copies = (await known?.copiesOf(hash, options)) ?? []
    const paths = copies.map(c => c.path).filter(path => !ours().some(own => isWithin(path, own)))
    return paths.filter(path => grants.covering(device, path, 'read') !== undefined).slice(0, MAX_FOUND)
  }
}

/** The words that let it, of what was asked for alone: nothing that is here is learned from them. All of a disk is not proposed. */
const notGrantedTo = (name: string, path: string, access: Access): SpacedriveError => {
  const dir = posix.normalize(path) === '/' ? 'DIR' : typed(displayPath(path))
  return new SpacedriveError('NOT_GRANTED', 'that folder is not granted to you', {
    hint: `On the other device: \`spacedrive network grant ${typed(name)} ${dir} --${access}\`.`
  })
}
const tooMany = (n: number): SpacedriveError => new SpacedriveError('TOO_MANY', `${n} folders are open already`)
const noSuchSync = (): SpacedriveError => new SpacedriveError('NOT_GRANTED', 'it takes no part in that sync')
