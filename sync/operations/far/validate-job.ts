import { z } from 'zod'
import { comparePaths, type DeviceId, displayPath, type Problem, type RelPath } from '../../../storage/base/index.js'
import { defineJob, type JobDefinition, type PhaseContext } from '../../../storage/jobs/index.js'
import type { RecordedFile } from '../../analysis/index.js'
import { type Ends, reaching, type Waits } from '../../copy/index.js'
import type { Endpoint, HashedFile, TreeEntry } from '../../endpoints/index.js'
import type { Validated } from '../validate/validate-job.js'
import { MAX_FAR_PATHS } from './delete-job.js'
import { farGroups, lookAtTops, openAround } from './far-paths.js'

export interface FarValidateInput {
  readonly device: DeviceId
  /** Absolute, on that device. */
  readonly paths: readonly string[]
}

export interface FarValidateState {
  counts: { -readonly [K in keyof Validated]: number }
  /** Folders that are done with; in the next one the things that are, and in the one after them the last path. */
  folders: number
  tops: number
  after: RelPath | null
  fruitless: number
}

export type FarValidateJob = JobDefinition<FarValidateInput, FarValidateState, Validated & Record<string, number>>

type Verdict = Exclude<keyof Validated, 'bytes'>

/**
 * Has files of another device read again there, and compares them with what its own indexes recorded: the same verdicts as here
 * (`validate/`). Goes on behind the last file that it has a verdict of.
 */
export function farValidateJob({ ends, waits }: { readonly ends: Ends; readonly waits: Waits }): FarValidateJob {
  return defineJob<FarValidateInput, FarValidateState, Validated & Record<string, number>>({
    kind: 'remote-validate',
    summary: 'has files of another device read again and compares them with their recorded hash',
    version: 1,
    input: z.strictObject({
      device: z.string().min(1).max(512),
      paths: z.array(z.string().startsWith('/')).min(1).max(MAX_FAR_PATHS)
    }) as unknown as z.ZodType<FarValidateInput>,
    title: ({ device, paths }) =>
      `validate ${paths.length === 1 ? displayPath(paths[0]!) : `${paths.length} things`} on ${ends.nameOf(device)}`,
    serial: ({ device }) => `far-validate:${device}`,
    state: () => ({
      counts: { whole: 0, corrupt: 0, changed: 0, unreadable: 0, unrecorded: 0, bytes: 0 },
      ...{ folders: 0, tops: 0, after: null, fruitless: 0 }
    }),
    phases: ({ device, paths }) => [
      {
        name: 'Validation',
        execute: ctx =>
          reaching({ ends, waits, devices: [device] }, ctx, async () => {
            const { state, signal } = ctx
            for (const group of farGroups(paths).slice(state.folders)) {
              const { endpoint, tops } = await openAround(ends, device, group, 'read', { signal })
              try {
                for (const top of tops.slice(state.tops)) {
                  await validateTree(ctx, endpoint, top)
                  Object.assign(state, { tops: state.tops + 1, after: null })
                }
              } finally {
                await endpoint.close()
              }
              Object.assign(state, { folders: state.folders + 1, tops: 0 })
              await ctx.checkpoint()
            }
          })
      }
    ],
    output: ({ counts }) => ({ ...counts })
  })
}

type Ctx = PhaseContext<FarValidateState>

async function validateTree(ctx: Ctx, endpoint: Endpoint, top: RelPath): Promise<void> {
  const { state, signal } = ctx
  const { entries: found, problems } = await lookAtTops(endpoint, [top], { signal })
  for (const p of problems) ctx.problem(p)
  if (found.length === 0) return
  for await (const { entries } of endpoint.walk(top, { signal })) {
    const files = entries.filter(
      ({ path, stat, unknown }) =>
        stat.kind === 'file' && unknown === undefined && (state.after === null || comparePaths(path, state.after) > 0)
    )
    for (const { path, unknown, problem } of entries) if (unknown === 'unreadable') ctx.problem(problem ?? unread(path))
    if (files.length > 0) await validatePage(ctx, endpoint, files)
    await ctx.checkpoint()
  }
}

/** Counted together at its end: a page that is cut short is taken anew. */
async function validatePage(ctx: Ctx, endpoint: Endpoint, files: readonly TreeEntry[]): Promise<void> {
  const { state, signal } = ctx
  const paths = files.map(f => f.path)
  const recorded = (await endpoint.recorded?.(paths, { signal })) ?? []
  const known = new Map<RelPath, RecordedFile>()
  for (const [i, file] of recorded.entries()) if (file !== undefined) known.set(paths[i]!, file)
  const counts = { whole: 0, corrupt: 0, changed: 0, unreadable: 0, unrecorded: files.length - known.size, bytes: 0 }
  const problems: Problem[] = []
  const onBytes = (n: number): void => {
    counts.bytes += n
    ctx.progress({ doneBytes: state.counts.bytes + counts.bytes })
  }
  for await (const file of endpoint.hash([...known.keys()], { onBytes, signal })) {
    const verdict = verdictOf(known.get(file.path)!, file)
    if (verdict === 'unreadable' && file.problem !== undefined) problems.push(file.problem)
    if (verdict === 'corrupt') problems.push(corrupt(file.path, known.get(file.path)!))
    counts[verdict]++
  }
  for (const p of problems) ctx.problem(p)
  for (const [name, n] of Object.entries(counts)) state.counts[name as keyof Validated] += n
  state.after = paths.at(-1)!
  state.fruitless = 0
  ctx.atomicOperationComplete(files.length)
}

/** What changed meanwhile or is gone was edited; what the system there does not give is unreadable. */
const EDITED: ReadonlySet<string> = new Set([
  'CHANGED',
  'CHANGED_WHILE_READING',
  'MISSING',
  'NOT_A_FILE',
  'LINK_IN_PATH'
])

function verdictOf(recorded: RecordedFile, file: HashedFile): Verdict {
  if (file.problem !== undefined) return EDITED.has(file.problem.code) ? 'changed' : 'unreadable'
  if (file.hash === recorded.hash) return 'whole'
  const { sizeBytes, mtimeNs, ctimeNs, inode } = file.stat
  const same =
    sizeBytes === recorded.sizeBytes &&
    mtimeNs === recorded.mtimeNs &&
    ctimeNs === recorded.ctimeNs &&
    (recorded.inode === 0n || inode === recorded.inode)
  return same && recorded.vouches ? 'corrupt' : 'changed'
}

const corrupt = (path: RelPath, { hash }: RecordedFile) => ({
  ...{ path: displayPath(path), code: 'CORRUPT' },
  message: `${displayPath(path)} holds other bytes than were recorded there, though its size and times are the same: expected ${hash.slice(0, 16)}...`
})

const unread = (path: RelPath) => ({
  ...{ path: displayPath(path), code: 'NO_PERMISSION', message: `${displayPath(path)} could not be read` }
})
