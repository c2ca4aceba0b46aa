/** The ends that a session writes to, whether their folder lies here or on another device. */
import type { AbortOptions, Clock } from '../../storage/base/index.js'
import type { Capabilities, FileRoot, Marker, PlaceStep, StagedHow, Staging } from '../../storage/files/index.js'
import type { AnnouncedRun, Endpoint, EndpointStage, EndVectors, SyncedEnd } from '../endpoints/index.js'
import type { Step } from './achieved.js'
import { bothDone } from './bringing.js'
import { openEnd } from './ends.js'
import type { PlacedBatch, Placing, VersionKeeper } from './transition-end.js'
import type { FolderVectors } from './vectors.js'

export interface SessionEnd {
  readonly capabilities: Capabilities
  /** Of a folder of this device: what lies in it is staged straight from another one. */
  readonly here?: { readonly root: FileRoot; staging(options?: AbortOptions): Promise<Staging> } | undefined
  /** Opened when there is something to be done: until then nothing is written at this end. */
  stage(options?: AbortOptions): Promise<EndpointStage>
  /** What a run is about to take away there. @throws {SpacedriveError} GUARD, where that device has guards of its own */
  announce(run: AnnouncedRun, options?: AbortOptions): Promise<void>
  /** Sets the number of the batch in the marker. */
  count(sync: string, batch: number, options?: AbortOptions): Promise<Pick<Marker, 'root'>>
  readonly place: Placing
  /** See `SyncedEnd.gotOn`. */
  readonly gotOn?: (() => void) | undefined
  /** Versions of what lies there; undefined: none are kept. */
  readonly vectors?: EndVectors | undefined
  /**
   * @param done - what is staged and was not placed is not wanted any more
   * @param settled - all of both ends was looked at, and nothing is left over
   */
  close(done: boolean, settled?: boolean): Promise<void>
}

export interface SessionEndInit {
  readonly endpoint: Endpoint
  /** Of the sync: its staging place. */
  readonly sync: string
  readonly clock: Clock
  /** What was staged is found again by the next session: the content comes over a connection. */
  readonly resumes: boolean
  /** Versions of a folder of this device. */
  readonly vectors?: FolderVectors | undefined
}

/** Completes or takes back what a crash left, old contents first. @throws what opening it for writing throws */
export async function openSessionEnd(init: SessionEndInit, options: AbortOptions): Promise<SessionEnd> {
  const { endpoint, sync, clock, resumes, vectors } = init
  if (endpoint.sync !== undefined) return remoteEnd(await endpoint.sync.open(options))
  const { root, versions, stage, close } = await openEnd(endpoint, sync, clock, { ...options, keepStaged: resumes })
  return {
    ...{ capabilities: root.capabilities, here: { root, staging: stage }, stage },
    async announce() {},
    count: (id, batch, o) => root.count(id, batch, o),
    place: keptPlacing(endpoint, versions, vectors),
    vectors,
    close: done => close(done || !resumes)
  }
}

/** Gives names in a folder of this device: written down before, and what lost its name kept afterwards. */
export function keptPlacing(
  endpoint: Pick<Endpoint, 'place' | 'placeGroup'>,
  versions: VersionKeeper,
  vectors?: FolderVectors
): Placing {
  return async ({ steps, lines, group, notes, begin, stagedDurable }, options) => {
    // Each is durable by itself, and neither says that anything was done: the disk writes them at once.
    await bothDone(lines.length > 0 ? versions.record(lines, options) : Promise.resolve(), begin())
    options?.signal?.throwIfAborted()
    const placed = steps.map(sized)
    const place = () => placeAt(endpoint, placed, group !== undefined, { stagedDurable })
    const results =
      vectors === undefined || notes === undefined ? await place() : await vectors.noting(placed, notes, place)
    await versions.keep({ steps: placed, results, lines })
    return results
  }
}

/** With the size of what is staged, which was told when it was: nobody needs to look at each of a thousand for it. */
function sized({ step, ops }: Step): PlaceStep {
  if (step.kind !== 'create' && step.kind !== 'replace') return step
  const last = ops.at(-1)!
  const content = 'content' in last ? last.content : undefined
  const sizeBytes = content?.kind === 'file' ? content.sizeBytes : undefined
  return { ...step, from: { ...step.from, sizeBytes } }
}

/** One batch, or a group. */
export const placeAt = (
  endpoint: Pick<Endpoint, 'place' | 'placeGroup'>,
  steps: readonly PlaceStep[],
  group: boolean,
  options?: StagedHow & AbortOptions
) => (group ? endpoint.placeGroup(steps, options) : endpoint.place(steps, options))

function remoteEnd(end: SyncedEnd): SessionEnd {
  return {
    ...{ capabilities: end.capabilities, vectors: end.vectors },
    stage: options => end.stage(options),
    announce: (run, options) => end.announce(run, options),
    count: (sync, batch, options) => end.count(sync, batch, options),
    gotOn: () => end.gotOn?.(),
    async place(batch, options) {
      await batch.begin()
      options?.signal?.throwIfAborted()
      return end.place(keptBatch(batch))
    },
    close: (done, settled = false) => end.close({ done, settled })
  }
}

/** What a device that keeps its own versions is told: what stood there it sees for itself. */
function keptBatch({ run, steps, lines, group, notes }: PlacedBatch): Parameters<SyncedEnd['place']>[0] {
  const were = new Map(lines.flatMap(({ path, was }) => (was?.kind === 'attributes' ? [[path, was] as const] : [])))
  return {
    ...{ run, group, notes, steps: steps.map(({ step }) => step), why: steps.map(({ ops }) => ops.at(-1)!.reason) },
    was: steps.map(({ step }) => {
      const was = step.kind === 'attributes' ? were.get(step.path) : undefined
      return was === undefined ? null : { mode: was.mode, mtimeNs: was.mtimeNs }
    })
  }
}
