import { z } from 'zod'
import { linkSignals } from '../../storage/base/index.js'
import { defineJob, type JobDefinition, type Json, type PhaseContext } from '../../storage/jobs/index.js'
import type { RunReport } from './report.js'
import type { NotDone, RunOptions } from './runs.js'
import type { SessionPhase } from './session.js'

export const SESSION_PHASES: readonly SessionPhase[] = ['Analyzing differences', 'Planning changes', 'Applying changes']

const input = z.strictObject({
  /** Its uuid: the name is for the title. */
  sync: z.uuid(),
  name: z.string(),
  force: z.boolean().default(false),
  acceptRollback: z.boolean().default(false),
  planHash: z.string().optional(),
  /** Nobody waits for it. */
  background: z.boolean().default(false)
})

export type SyncJobInput = z.output<typeof input>
export interface SyncJobState {
  ended: RunReport | NotDone | null
}
export type SyncJob = JobDefinition<SyncJobInput, SyncJobState, Json>

export interface SyncJobInit {
  run(sync: string, options: RunOptions): Promise<RunReport | NotDone>
}

/** What a job is about: one session of a sync at a time. */
export const syncSerial = (uuid: string): string => `sync:${uuid}`

interface Going {
  readonly ended: Promise<RunReport | NotDone>
  phase: SessionPhase
  /** Who is told of what happens: the phase that the job is in. */
  ctx: PhaseContext<SyncJobState>
  readonly reached: Map<SessionPhase, () => void>
}

/**
 * A session as a job, so that it can be seen, paused and cancelled. A session is one piece of work, its phases are where it has
 * got to: each phase of the job waits until the session is through it. It is not resumed but run again (SYNC.md 7): a phase
 * that finds no session going on (after a pause, or a crash) begins one, and stays until it ends.
 */
export function syncJob({ run }: SyncJobInit): SyncJob {
  const going = new Map<string, Going>()

  function begin(asked: SyncJobInput, ctx: PhaseContext<SyncJobState>): Going {
    const { sync, force, acceptRollback, planHash, background } = asked
    const reached = new Map<SessionPhase, () => void>()
    const { signal, clear } = linkSignals(ctx.signal)
    const session: Going = {
      ...{ ctx, reached, phase: SESSION_PHASES[0]! },
      ended: run(sync, {
        ...{ signal, force, acceptRollback, background, ...(planHash !== undefined && { planHash }) },
        onPhase(phase) {
          session.phase = phase
          reached.get(phase)?.()
        },
        onScan: (_end, { entries, hashedBytes }) =>
          session.ctx.progress({ message: 'looking at both ends', doneFiles: entries, doneBytes: hashedBytes }),
        onProgress: ({ operations, of, bytes }) =>
          session.ctx.progress({ doneFiles: operations, totalFiles: of, doneBytes: bytes })
      }).finally(() => {
        clear()
        going.delete(ctx.job)
      })
    }
    session.ended.catch(() => {})
    going.set(ctx.job, session)
    return session
  }

  async function through(asked: SyncJobInput, ctx: PhaseContext<SyncJobState>, index: number): Promise<void> {
    if (ctx.state.ended !== null) return
    const session = going.get(ctx.job) ?? begin(asked, ctx)
    session.ctx = ctx
    const next = SESSION_PHASES[index + 1]
    const passed = new Promise<void>(resolve => {
      if (next === undefined) return
      if (SESSION_PHASES.indexOf(session.phase) > index) resolve()
      else for (const later of SESSION_PHASES.slice(index + 1)) session.reached.set(later, resolve)
    })
    const ended = await Promise.race([session.ended, passed]).catch(err => {
      ctx.checkInterrupt()
      throw err
    })
    if (ended === undefined) return
    ctx.state.ended = ended
    if ('problems' in ended) for (const problem of ended.problems) ctx.problem(problem)
  }

  return defineJob<SyncJobInput, SyncJobState, Json>({
    kind: 'sync',
    summary: 'brings both ends of a sync in step',
    version: 1,
    input,
    title: ({ name }) => `sync ${name}`,
    serial: ({ sync }) => syncSerial(sync),
    state: () => ({ ended: null }),
    phases: asked =>
      SESSION_PHASES.map((name, index) => ({
        name,
        execute: ctx => through(asked, ctx, index)
      })),
    output: ({ ended }) => ended as unknown as Json
  })
}
