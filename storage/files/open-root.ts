import { type AbortOptions, type Clock, displayPath, SpacedriveError, type WorkerPool } from '../base/index.js'
import type { Disk } from './disk.js'
import type { FileRoot } from './files.js'
import type { RunTask } from './open-files.js'
import { openStaging } from './open-staging.js'
import { newGroupId } from './ours.js'
import type { StagedHow } from './place-batch.js'
import { fromPlacedColumns } from './place-columns.js'
import type { PlaceResult, PlaceStep } from './place-steps.js'
import { isRespelling } from './respell.js'
import type { RootHandle } from './root.js'
import type { Staging } from './staging.js'
import type { StagingHandle } from './staging-writer.js'
import { toStepColumns } from './step-columns.js'

export interface OpenRootParts {
  readonly root: RootHandle
  readonly run: RunTask
  readonly clock: Clock
  readonly pool: WorkerPool
  readonly disk: Disk | undefined
  /** Ids of this folder's open staging places: not recovered, also not over another `FileRoot` of it. */
  readonly busy: Set<string>
  onClose(): void
}

/** The `FileRoot` over an open handle. Counts what runs, so that no descriptor is closed under it. */
export function openFileRoot({ root, run, clock, pool, disk, busy, onClose }: OpenRootParts): FileRoot {
  const stagings = new Map<string, Staging>()
  const running = new Set<Promise<unknown>>()
  let closed = false
  /** Area and marker were made durable over this root: the next number is only written. */
  let counted = false

  const tracked: RunTask = (name, input, options) => {
    if (closed) return Promise.reject(new SpacedriveError('STOPPED', `${displayPath(root.path)} was closed`))
    const task = run(name, input, options)
    const ended = task.then(
      () => {},
      () => {}
    )
    running.add(ended)
    void ended.then(() => running.delete(ended))
    return task
  }

  return {
    path: root.path,
    capabilities: root.capabilities,
    handle: root,
    moveIn: (from, path, options) => tracked('moveIn', { root, ...from, path }, options),
    sync: ({ paths, ...options } = {}) => tracked('syncRoot', { root, paths }, options),
    space: () => tracked('space', { root, bytes: Number.NEGATIVE_INFINITY }),
    ensureSpace: async bytes => void (await tracked('space', { root, bytes })),

    async openStaging(id, { where = 'beside', signal } = {}) {
      if (busy.has(id)) {
        throw new SpacedriveError(
          'STAGING_IN_USE',
          `the staging place ${id} in ${displayPath(root.path)} is open already`
        )
      }
      busy.add(id)
      try {
        const place = await tracked('openStaging', { root, id, where }, { signal })
        const staging = openStaging({ root, place, run: tracked, pool, disk, onClose: () => release(id) })
        stagings.set(id, staging)
        return staging
      } catch (err) {
        busy.delete(id)
        throw err
      }
    },
    hasStaging: (id, options) => tracked('hasStaging', { root, id }, options),
    async count(sync, counter, options) {
      const marker = await tracked('countInMarker', { root, sync, counter, known: counted }, options)
      counted = true
      return marker
    },
    async place(steps, { commit, stagedDurable, signal } = {}) {
      const results: PlaceResult[] = []
      for (const part of parts(steps)) {
        const [first] = part
        const alone = part.length === 1 && isRespelling(root.capabilities, first!)
        results.push(...(await (alone ? placeGroup(part, { signal }) : placeSteps(part, { stagedDurable, signal }))))
      }
      await commit?.(results)
      return results
    },
    placeGroup,
    lookAgain: (list, options) =>
      tracked('lookAgain', { root, places: handles(list.map(l => l.at.staging)), list }, options),
    recover: options => tracked('recover', { root, busy: [...busy], nowMs: clock.nowMs() }, options),

    versions: {
      append: (list, text, options) => tracked('appendLines', { root, list, text }, options),
      lists: options => tracked('listLists', { root }, options),
      read: (list, { signal, ...range }) => tracked('readList', { root, list, ...range }, { signal }),
      swap: (swap, options) => tracked('swapList', { root, ...swap }, options),
      keep: ({ handle }, { signal, ...keep } = {}) =>
        tracked('keepAside', { root, place: handle, ...keep }, { signal }),
      contents: (part, options) => tracked('listContent', { root, part }, options),
      has: (hashes, options) => tracked('hasContent', { root, hashes }, options),
      remove: (hashes, options) => tracked('removeContent', { root, hashes }, options),
      verify: (hash, options) => tracked('verifyContent', { root, hash }, options),
      stage: ({ handle }, hash, path, options) => tracked('stageContent', { root, place: handle, hash, path }, options)
    },

    async close() {
      if (closed) return
      await Promise.all(running)
      for (const staging of stagings.values()) await staging.close()
      closed = true
      await Promise.all(running)
      await run('closeRoot', { root })
      onClose()
    }
  }

  async function placeSteps(
    steps: readonly PlaceStep[],
    { stagedDurable, signal }: StagedHow & AbortOptions
  ): Promise<PlaceResult[]> {
    const input = { root, places: placesOf(steps), columns: toStepColumns(steps), stagedDurable }
    return fromPlacedColumns(await tracked('place', input, { signal }), steps)
  }

  async function placeGroup(steps: readonly PlaceStep[], options?: AbortOptions): Promise<PlaceResult[]> {
    const id = newGroupId()
    busy.add(id)
    try {
      return await tracked('placeGroup', { root, places: placesOf(steps), steps, id }, options)
    } finally {
      busy.delete(id)
    }
  }

  /** As they are, but for what is a group of its own here. */
  function parts(steps: readonly PlaceStep[]): (readonly PlaceStep[])[] {
    if (!steps.some(step => isRespelling(root.capabilities, step))) return [steps]
    const found: PlaceStep[][] = []
    let open: PlaceStep[] | undefined
    for (const step of steps) {
      const alone = isRespelling(root.capabilities, step)
      if (alone || open === undefined) {
        open = [step]
        found.push(open)
        if (alone) open = undefined
      } else open.push(step)
    }
    return found
  }

  /** Of those that the steps name and that are open here; one that is missing is an error of the batch. */
  function placesOf(steps: readonly PlaceStep[]): Map<string, StagingHandle> {
    const ids = new Set<string>()
    for (const step of steps) {
      if ('from' in step) ids.add(step.from.staging)
      if ('aside' in step) ids.add(step.aside.staging)
    }
    return handles([...ids])
  }

  function handles(ids: readonly (string | undefined)[]): Map<string, StagingHandle> {
    const found = new Map<string, StagingHandle>()
    for (const id of ids) {
      const staging = id === undefined ? undefined : stagings.get(id)
      if (staging !== undefined) found.set(staging.id, staging.handle)
    }
    return found
  }

  function release(id: string): void {
    stagings.delete(id)
    busy.delete(id)
  }
}
