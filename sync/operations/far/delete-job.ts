import { z } from 'zod'
import type { DeviceId, Problem } from '../../../storage/base/index.js'
import { MAX_TRASH_BATCH } from '../../../storage/files/index.js'
import { defineJob, type JobDefinition, type PhaseContext } from '../../../storage/jobs/index.js'
import { type Ends, MovedAway, reaching, type Taking, type Waits } from '../../copy/index.js'
import type { Endpoint, TreeEntry } from '../../endpoints/index.js'
import { farGroups, lookAtTops, openAround } from './far-paths.js'
import { removeTree } from './remove-tree.js'

export interface FarDeleteInput {
  readonly device: DeviceId
  /** Absolute, on that device. */
  readonly paths: readonly string[]
  readonly permanent: boolean
}

export interface FarDeleteState {
  items: number
  files: number
  bytes: number
  /** Folders that are done with. */
  folders: number
  /** Folders that were begun: what is not there any more may have gone by an earlier try. */
  begun: number
  runs: number
  fruitless: number
  /** What goes for good and may still be aside; a try of an earlier release wrote none down. */
  taking?: readonly Taking[]
}

export type FarDeleteJob = JobDefinition<
  FarDeleteInput,
  FarDeleteState,
  { items: number; files: number; bytes: number }
>

/** Paths of one job: they are its input. */
export const MAX_FAR_PATHS = 10_000

/** Deletes files and folders of another device: to its trash, or for good. Where the device is away in the middle, it waits. */
export function farDeleteJob({ ends, waits }: { readonly ends: Ends; readonly waits: Waits }): FarDeleteJob {
  return defineJob<FarDeleteInput, FarDeleteState, { items: number; files: number; bytes: number }>({
    kind: 'remote-delete',
    summary: 'deletes files and folders of another device',
    version: 1,
    input: z.strictObject({
      device: z.string().min(1).max(512),
      paths: z.array(z.string().startsWith('/')).min(1).max(MAX_FAR_PATHS),
      permanent: z.boolean()
    }) as unknown as z.ZodType<FarDeleteInput>,
    title: ({ device, paths, permanent }) =>
      `delete ${paths.length === 1 ? '1 thing' : `${paths.length} things`} on ${ends.nameOf(device)}${permanent ? ' for good' : ''}`,
    serial: ({ device }) => `far-delete:${device}`,
    state: () => ({ items: 0, files: 0, bytes: 0, folders: 0, begun: 0, runs: 0, fruitless: 0 }),
    phases: ({ device, paths, permanent }) => [
      {
        name: 'Deletion',
        execute: ctx =>
          reaching({ ends, waits, devices: [device] }, ctx, async () => {
            const { state, signal } = ctx
            state.runs++
            for (const group of farGroups(paths).slice(state.folders)) {
              const again = state.begun > state.folders
              state.begun = state.folders + 1
              await ctx.checkpoint()
              const { endpoint, tops } = await openAround(ends, device, group, 'write', { signal })
              try {
                if (permanent) await putBack(ctx, endpoint)
                const { entries, problems } = await lookAtTops(endpoint, tops, { signal })
                for (const p of problems) if (!again || p.code !== 'MISSING') ctx.problem(p)
                await (permanent ? forGood : toTrash)(ctx, endpoint, entries)
              } finally {
                await endpoint.close()
              }
              state.folders++
              state.fruitless = 0
              await ctx.checkpoint()
            }
          })
      }
    ],
    output: ({ items, files, bytes }) => ({ items, files, bytes })
  })
}

type Ctx = PhaseContext<FarDeleteState>

function count(ctx: Ctx, files: number, bytes: number): void {
  ctx.state.files += files
  ctx.state.bytes += bytes
  ctx.progress({ doneFiles: ctx.state.files, doneBytes: ctx.state.bytes })
}

async function toTrash(ctx: Ctx, endpoint: Endpoint, entries: readonly TreeEntry[]): Promise<void> {
  for (let at = 0; at < entries.length; at += MAX_TRASH_BATCH) {
    const items = entries.slice(at, at + MAX_TRASH_BATCH).map(({ path, stat }) => ({ path, expected: stat }))
    const options = { command: 'file.delete', job: ctx.job, signal: ctx.signal }
    for (const outcome of await endpoint.trash(items, options)) {
      if (outcome.done) {
        ctx.state.items++
        count(ctx, outcome.files, outcome.bytes)
      } else ctx.problem(outcome.problem)
    }
  }
}

function takenAway(ctx: Ctx, endpoint: Endpoint): MovedAway {
  const { state } = ctx
  return new MovedAway(endpoint, {
    ...{ id: ctx.job, run: `${state.runs}-${state.folders}`, command: 'file.delete', left: state.taking },
    async taking(list) {
      state.taking = list
      if (list.length > 0) await ctx.checkpoint()
    },
    problem: p => ctx.problem(p)
  })
}

/** What a try that was cut short had taken from its name is looked at like the rest. */
async function putBack(ctx: Ctx, endpoint: Endpoint): Promise<void> {
  const away = takenAway(ctx, endpoint)
  try {
    await away.putBack({ signal: ctx.signal })
  } finally {
    await away.close()
  }
}

async function forGood(ctx: Ctx, endpoint: Endpoint, entries: readonly TreeEntry[]): Promise<void> {
  const { signal, state } = ctx
  const away = takenAway(ctx, endpoint)
  try {
    for (const { path } of entries) {
      let refused = 0
      const problem = (p: Problem): void => {
        refused++
        ctx.problem(p)
      }
      const gone = (files: number, bytes: number): void => count(ctx, files, bytes)
      await removeTree(endpoint, away, path, { signal, problem, gone })
      if (refused === 0) state.items++
    }
    await away.end({ signal })
  } finally {
    await away.close()
  }
}
