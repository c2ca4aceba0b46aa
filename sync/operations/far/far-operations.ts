import {
  type AbortOptions,
  type DeviceId,
  displayPath,
  type JobId,
  type Problem,
  SpacedriveError
} from '../../../storage/base/index.js'
import type { JobManager } from '../../../storage/jobs/index.js'
import { type Ends, shownPlace, type Waits } from '../../copy/index.js'
import type { Endpoint, TreeEntry } from '../../endpoints/index.js'
import type { DeletePlan } from '../delete/plan-delete.js'
import { farDeleteJob } from './delete-job.js'
import { farGroups, lookAtTops, openAround, pathIn } from './far-paths.js'
import { farValidateJob } from './validate-job.js'

export interface FarOperationsInit {
  readonly ends: Ends
  readonly waits: Waits
  readonly jobs: JobManager
}

/** What deleting on another device would do. Nothing of it is kept: the job looks again. */
export type FarDeletePlan = Omit<DeletePlan, 'work'>

/** Deleting, looking and validating on other devices, where they granted it. Registers its kinds of jobs. */
export interface FarOperations {
  /** @throws {SpacedriveError} NOT_FOUND when nothing is there; PROTECTED for a granted folder itself; DEVICE_AWAY */
  planDelete(
    device: DeviceId,
    paths: readonly string[],
    options: { onProgress?: (found: { files: number; bytes: number }) => void } & AbortOptions
  ): Promise<FarDeletePlan>
  beginDelete(device: DeviceId, paths: readonly string[], options: { permanent: boolean }): Promise<JobId>
  /** Has files read there and compared with what is recorded there. @throws {SpacedriveError} NOT_FOUND, DEVICE_AWAY */
  validate(device: DeviceId, paths: readonly string[], options?: AbortOptions): Promise<JobId>
  /** @throws {SpacedriveError} NOT_FOUND, DEVICE_AWAY */
  look(device: DeviceId, path: string, options: FarLookOptions): Promise<FarLook>
}

export interface FarLookOptions extends AbortOptions {
  /** Has the file hashed there. */
  readonly hash: boolean
  /** Counts what is in a folder. */
  readonly count: boolean
}

export interface FarLook {
  readonly entry: TreeEntry
  readonly hash: string | null
  readonly counted: { readonly files: number; readonly bytes: number } | null
  readonly fileSystem: string
}

/** Things that a preview names; the rest is counted. */
const MAX_LISTED = 1000

export function farOperations({ ends, waits, jobs }: FarOperationsInit): FarOperations {
  const deleting = farDeleteJob({ ends, waits })
  const validating = farValidateJob({ ends, waits })
  jobs.register(deleting)
  jobs.register(validating)
  return {
    async planDelete(device, paths, { onProgress, signal }) {
      const options = { ...(signal && { signal }) }
      const sum = { items: 0, files: 0, bytes: 0 }
      const list: FarDeletePlan['list'][number][] = []
      const problems: Problem[] = []
      for (const group of farGroups(paths)) {
        const { endpoint, tops } = await openAround(ends, device, group, 'write', options)
        try {
          const found = await lookAtTops(endpoint, tops, options)
          problems.push(...found.problems)
          for (const { path, stat } of found.entries) {
            const below = await measure(endpoint, path, options)
            sum.items++
            sum.files += below.files
            sum.bytes += below.bytes
            onProgress?.(sum)
            if (list.length < MAX_LISTED)
              list.push({ path: pathIn(group.folder, path), kind: stat.kind, ...below, bin: null })
          }
        } finally {
          await endpoint.close()
        }
      }
      if (sum.items === 0) throw nothingThere(problems)
      return { ...sum, list, problems, problemCount: problems.length }
    },
    beginDelete: async (device, paths, { permanent }) =>
      (await jobs.dispatch(deleting, { device, paths, permanent })).id,
    async validate(device, paths, options) {
      for (const group of farGroups(paths)) {
        const { endpoint, tops } = await openAround(ends, device, group, 'read', options ?? {})
        try {
          const { problems } = await lookAtTops(endpoint, tops, options ?? {})
          if (problems.length > 0) throw nothingThere(problems)
        } finally {
          await endpoint.close()
        }
      }
      return (await jobs.dispatch(validating, { device, paths })).id
    },
    async look(device, path, { hash, count, signal }) {
      const options = { ...(signal && { signal }) }
      const [group] = farGroups([path])
      const { endpoint, tops } = await openAround(ends, device, group!, 'read', options)
      try {
        const [looked] = await endpoint.look(tops, options)
        if (looked?.problem !== undefined) throw new SpacedriveError(looked.problem.code, looked.problem.message)
        const entry = looked?.entry
        if (entry === undefined)
          throw new SpacedriveError('NOT_FOUND', `there is no ${shownPlace(ends, { device, path: path as never })}`)
        const { fileSystem } = await endpoint.about(options)
        const { kind } = entry.stat
        return {
          ...{ entry, fileSystem },
          hash: hash && kind === 'file' ? await hashOf(endpoint, entry, options) : null,
          counted: count && kind === 'directory' ? await measure(endpoint, entry.path, options) : null
        }
      } finally {
        await endpoint.close()
      }
    }
  }
}

async function measure(endpoint: Endpoint, path: TreeEntry['path'], options: AbortOptions) {
  let [files, bytes] = [0, 0]
  for await (const { entries } of endpoint.walk(path, options)) {
    for (const { stat } of entries) {
      if (stat.kind === 'directory') continue
      files++
      if (stat.kind === 'file') bytes += stat.sizeBytes
    }
  }
  return { files, bytes }
}

async function hashOf(endpoint: Endpoint, { path }: TreeEntry, options: AbortOptions): Promise<string> {
  for await (const file of endpoint.hash([path], options)) {
    if (file.problem === undefined) return file.hash
    throw new SpacedriveError(file.problem.code, file.problem.message)
  }
  throw new SpacedriveError('NOT_FOUND', `there is no ${displayPath(path)}`)
}

function nothingThere(problems: readonly Problem[]): SpacedriveError {
  const [first] = problems
  const code = first === undefined || first.code === 'MISSING' ? 'NOT_FOUND' : first.code
  const more = problems.length > 1 ? ` (and ${problems.length - 1} more)` : ''
  return new SpacedriveError(code, `${first?.message ?? 'nothing was named to delete'}${more}`)
}
