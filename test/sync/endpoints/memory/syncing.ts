/** A tree in memory as what another device serves of a sync: its marker, what changed in it, and names that are given and taken by batches. */
import { randomUUID } from 'node:crypto'
import { isWithin, type RelPath, ROOT } from '../../../../storage/base/index.js'
import type { Marker, PlaceResult } from '../../../../storage/files/index.js'
import type {
  Endpoint,
  EndpointStage,
  EndpointSync,
  FollowedPage,
  FollowOptions,
  KeptBatch,
  SyncedEnd,
  TreeEntry
} from '../../../../sync/endpoints/index.js'
import type { MemoryNode } from './disk.js'
import { paged, walked } from './looking.js'
import { MEMORY_CAPABILITIES, MemoryEndpoint } from './memory-endpoint.js'
import { stagedAt } from './placing.js'
import type { MemoryTree } from './tree.js'

/** What a device keeps of a sync that it serves, beside the folder. */
export class MemoryServer {
  readonly tree: MemoryTree
  /** What was replaced or removed. */
  readonly kept: MemoryNode[] = []
  marker: Marker | undefined
  /** What was there when an answer ended, by its mark. */
  readonly told = new Map<string, ReadonlyMap<RelPath, TreeEntry>>()

  constructor(tree: MemoryTree) {
    this.tree = tree
  }

  /** As one session has it. */
  open(uuid: string): Endpoint {
    return new MemoryEndpoint(this.tree, { sync: endpoint => new MemorySync(this, endpoint, uuid) })
  }
}

class MemorySync implements EndpointSync {
  readonly #server: MemoryServer
  readonly #endpoint: MemoryEndpoint
  readonly #uuid: string

  constructor(server: MemoryServer, endpoint: MemoryEndpoint, uuid: string) {
    this.#server = server
    this.#endpoint = endpoint
    this.#uuid = uuid
  }

  async marker(): Promise<Marker | undefined> {
    return this.#server.marker
  }

  watch(): AsyncIterable<never> {
    throw new Error('nothing watches a tree in memory')
  }

  /** Renames are told as names that are gone and others that came: their inodes tell the rest. */
  async *follow({ since }: FollowOptions = {}): AsyncGenerator<FollowedPage> {
    const now = new Map<RelPath, TreeEntry>()
    for (const entry of walked({ root: this.#server.tree.root, ours: [] }, ROOT, {}))
      if (entry.path !== ROOT) now.set(entry.path, entry)
    yield { kind: 'looked', entries: now.size }
    const before = since === undefined ? undefined : this.#server.told.get(since)
    if (before === undefined) yield { kind: 'whole' }
    else yield { kind: 'since', moves: [] }
    const changed = [...now.values()].filter(entry => !isAs(entry, before?.get(entry.path)))
    for (const { entries } of paged(changed)) yield { kind: 'entries', entries }
    const gone = [...(before?.keys() ?? [])].filter(path => !now.has(path))
    const highest = gone.filter(path => !gone.some(other => other !== path && isWithin(path, other)))
    if (highest.length > 0) yield { kind: 'gone', paths: highest }
    const mark = randomUUID()
    this.#server.told.set(mark, now)
    yield { kind: 'end', mark, later: [] }
  }

  async open(): Promise<SyncedEnd> {
    let staging: Promise<EndpointStage> | undefined
    const stage = (): Promise<EndpointStage> => {
      staging ??= this.#endpoint.openStage(this.#uuid)
      return staging
    }
    return {
      capabilities: MEMORY_CAPABILITIES,
      stage,
      announce: async () => {},
      count: async (sync, batch) => {
        const { root = randomUUID(), syncs = {} } = this.#server.marker ?? {}
        this.#server.marker = { root, syncs: { ...syncs, [sync]: batch } }
        return { root }
      },
      place: batch => this.#place(batch),
      close: async ({ done = false } = {}) => {
        const open = done ? await stage() : await staging
        await (done ? open?.discard() : open?.close())
      }
    }
  }

  /** What lost its name is kept, whatever the driver does with it. */
  async #place({ steps, group }: KeptBatch): Promise<readonly PlaceResult[]> {
    const results = await (group === undefined ? this.#endpoint.place(steps) : this.#endpoint.placeGroup(steps))
    for (const [i, step] of steps.entries()) {
      if (!('aside' in step) || !results[i]!.done) continue
      this.#server.kept.push(this.#server.tree.disk.take(stagedAt(this.#server.tree, step.aside)))
    }
    return results
  }
}

/** Nothing of it changed but, of a directory, what is in it. */
function isAs(a: TreeEntry, b: TreeEntry | undefined): boolean {
  const facts = ['kind', 'sizeBytes', 'mtimeNs', 'ctimeNs', 'birthNs', 'inode', 'mode'] as const
  return (
    b !== undefined &&
    a.target === b.target &&
    a.unknown === b.unknown &&
    facts.every(fact => a.stat[fact] === b.stat[fact])
  )
}
