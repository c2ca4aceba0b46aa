/**
 * Agreements: how a sync with a folder of another device comes about, and ends (PEERS.md 4 and 8, docs/protocols/agreements.md).
 *
 *   const agreed = agreements({ messages, network, replicas, grants, syncs, served, ... })
 *   syncs.add({ ..., destination: { device, path } })      // asks: `agreed.far` is its way to the other device
 *   await agreed.accept(sync, folder)                      // there, by a person: the grant is made, the driver is told
 *
 * All of it goes by kept messages, so it does not matter who is away when; `bodies.ts` are their shapes. What a person at the serving
 * device wants to know or have done meanwhile the driver is asked, while both are connected: `questions.ts`.
 */
import type { z } from 'zod'
import type { Audit } from '../../storage/audit/index.js'
import {
  type AbortOptions,
  type AbsPath,
  type DeviceId,
  displayPath,
  isWithin,
  SpacedriveError
} from '../../storage/base/index.js'
import { ENDS, type End } from '../../sync/reconcile/index.js'
import {
  type Accepting,
  isWritten,
  madeBySync,
  type ServedSync,
  type ServedSyncs,
  type SyncRules
} from '../../sync/serving/index.js'
import { type FarEnds, farEnd, type Sync, type Syncs } from '../../sync/session/index.js'
import type { Messaging, ReceivedMessage } from '../messaging/index.js'
import type { Grants, Replicas } from '../replica/index.js'
import type { PeerNetwork, PeerTrust } from '../wire/index.js'
import { acceptByRule } from './accept-by-rule.js'
import { aboutSync, acceptedBody, askedBody, pathToBody } from './bodies.js'

export { type Question, type QuestionBody, questionBody } from './question.js'
export {
  ANSWER_WITHIN_MS,
  type AnswerContext,
  MAX_ANSWER_BYTES,
  MAX_QUESTIONS,
  QUESTION_FORGOTTEN_MS,
  type Questions,
  type QuestionsInit,
  questions
} from './questions.js'

export interface AgreementsInit {
  readonly messages: Pick<Messaging, 'handle' | 'post'>
  readonly network: Pick<PeerNetwork, 'session' | 'whenConnected'>
  readonly replicas: Pick<Replicas, 'connect' | 'cut'>
  readonly grants: Pick<Grants, 'add' | 'remove'>
  readonly syncs: Pick<Syncs, 'list' | 'answered'>
  readonly served: ServedSyncs
  /** What is accepted without asking. */
  readonly rules: Pick<SyncRules, 'judge'>
  readonly audit: Pick<Audit, 'begin' | 'end'>
  readonly trust: Pick<PeerTrust, 'isPaired'>
  nameOf(device: DeviceId): string
  /** It does not know this device any more, or by other keys. */
  refuses(device: DeviceId): boolean
}

export interface Agreements {
  /** The way to other devices, for the syncs of this one. */
  readonly far: FarEnds
  /**
   * Takes part in a sync that another device asked for: makes the folder where its parent exists, and grants it to that sync.
   * @throws {SpacedriveError} ENDS_OVERLAP, NOT_WRITTEN, NOT_PAIRED (revoked meanwhile), and what opening the folder throws
   */
  accept(sync: ServedSync, path: AbsPath, options?: Accepting & AbortOptions): Promise<ServedSync>
  /** It is not wanted, or not any more: the grant goes, what goes on is ended at once, files and versions stay. */
  leave(sync: ServedSync): Promise<void>
  /** Nothing more happens here until it is resumed. */
  pause(sync: ServedSync, paused: boolean): Promise<void>
}

export function agreements(init: AgreementsInit): Agreements {
  return new Service(init)
}

class Service implements Agreements {
  readonly #init: AgreementsInit
  readonly far: FarEnds

  constructor(init: AgreementsInit) {
    this.#init = init
    const { messages, network, replicas, nameOf, refuses } = init
    this.far = {
      ...{ nameOf, refuses },
      isConnected: device => network.session(device) !== undefined,
      whenConnected: (device, options) => network.whenConnected(device, options),
      open: ({ device, path, sync, access }, options) => replicas.connect(device, path, access, { sync, ...options }),
      ask: sync => this.#ask(sync),
      end: sync => this.#tell(farEnd(sync)!.device, 'sync.removed', sync.uuid)
    }
    const on = <T extends z.ZodType>(
      kind: string,
      body: T,
      act: (value: z.output<T>, device: DeviceId) => Promise<unknown>
    ): void =>
      messages.handle(kind, {
        check: said => body.safeParse(said).success,
        message: async ({ body: said, device }: ReceivedMessage) => void (await act(body.parse(said), device))
      })
    on('sync.asked', askedBody, (asked, device) => this.#asked(device, asked))
    on('sync.accepted', acceptedBody, ({ sync, ...end }, device) =>
      init.syncs.answered(device, sync, { agreement: 'accepted', ...end })
    )
    for (const agreement of ['declined', 'ended'] as const)
      on(`sync.${agreement}`, aboutSync, ({ sync }, device) => init.syncs.answered(device, sync, { agreement }))
    on('sync.removed', aboutSync, async ({ sync }, device) => {
      const found = init.served.find(device, sync)
      if (found !== undefined) await this.#drop(found)
    })
  }

  async accept(sync: ServedSync, path: AbsPath, options: Accepting & AbortOptions = {}): Promise<ServedSync> {
    const { served, grants, trust } = this.#init
    ensureApart(path, sync, this.#folders(sync))
    const accepted = await served.accept(sync, path, options)
    const { device, uuid, folder } = accepted
    ensureApart(folder!.path, sync, this.#folders(sync))
    await grants.add(device, folder!.path, isWritten(accepted) ? 'write' : 'read', madeBySync(uuid))
    // A device that is revoked at this moment may have lost everything before this was there.
    if (!trust.isPaired(device)) {
      await this.#drop(accepted)
      throw new SpacedriveError('NOT_PAIRED', `${this.#init.nameOf(device)} is not paired with this device any more`)
    }
    await this.#accepted(accepted)
    return accepted
  }

  async leave(sync: ServedSync): Promise<void> {
    await this.#drop(sync)
    await this.#tell(sync.device, sync.folder === undefined ? 'sync.declined' : 'sync.ended', sync.uuid)
  }

  async pause(sync: ServedSync, paused: boolean): Promise<void> {
    await this.#init.served.pause(sync, paused)
    if (paused) await this.#init.replicas.cut(sync.device, sync.uuid)
  }

  async #ask(sync: Sync): Promise<void> {
    const { at, device } = farEnd(sync)!
    const other: End = at === 'source' ? 'destination' : 'source'
    await this.#init.messages.post(device, 'sync.asked', {
      ...{ sync: sync.uuid, name: sync.name, mode: sync.mode, side: at },
      ...{ theirs: displayPath(sync[other].path), path: pathToBody(sync[at].path) }
    })
  }

  /** One that was accepted and is asked for again has not heard of it. */
  async #asked(device: DeviceId, { sync: uuid, ...asked }: z.output<typeof askedBody>): Promise<void> {
    const { served } = this.#init
    const known = served.find(device, uuid)
    if (known?.folder !== undefined) {
      await this.#accepted(known)
      return
    }
    await served.ask(device, { uuid, ...asked })
    const sync = served.find(device, uuid)
    if (sync !== undefined)
      await acceptByRule(this.#init, sync, (path, versions) => this.accept(sync, path, { versions, by: 'rule' }))
  }

  async #accepted({ device, uuid: sync, folder }: ServedSync): Promise<void> {
    const { path, inode, birthNs } = folder!
    await this.#init.messages.post(device, 'sync.accepted', { sync, path: pathToBody(path), inode, birthNs })
  }

  async #drop(sync: ServedSync): Promise<void> {
    const { served, grants, replicas } = this.#init
    const { device, uuid, folder } = sync
    // First nothing new may begin, then what goes on is ended.
    await served.remove(sync)
    if (folder !== undefined) await grants.remove(device, folder.path, madeBySync(uuid))
    await replicas.cut(device, uuid)
    // Nobody comes back for what was staged; of a folder that is away it goes when that comes back (sync/session/left-ends.ts).
    await served.tidy(sync).catch(() => {})
  }

  /** A device that is not paired any more needs not be told. */
  async #tell(device: DeviceId, kind: string, sync: string): Promise<void> {
    await this.#init.messages.post(device, kind, { sync }).catch(() => {})
  }

  /** Folders of this device that other syncs keep. */
  #folders(but: ServedSync): readonly { readonly name: string; readonly path: AbsPath }[] {
    const { syncs, served } = this.#init
    const own = syncs.list().flatMap(sync => ENDS.map(end => ({ name: sync.name, ...sync[end] })))
    return [
      ...own.filter(({ device }) => device === null),
      ...served
        .list()
        .flatMap(({ id, name, folder }) => (id === but.id || !folder ? [] : [{ name, path: folder.path }]))
    ]
  }
}

/** Two syncs may share a folder, but none may lie within that of another. @throws {SpacedriveError} ENDS_OVERLAP */
function ensureApart(path: AbsPath, { name }: ServedSync, others: readonly { name: string; path: AbsPath }[]): void {
  const over = others.find(o => o.path !== path && (isWithin(o.path, path) || isWithin(path, o.path)))
  if (over === undefined) return
  throw new SpacedriveError(
    'ENDS_OVERLAP',
    `could not accept ${displayPath(name)}: ${displayPath(path)} overlaps ${displayPath(over.path)} of the sync ${over.name}`,
    { hint: 'Name another folder with `--to`.' }
  )
}
