import { z } from 'zod'
import { defineJob, type JobDefinition, type Json, onePiece, type PieceState } from '../../storage/jobs/index.js'
import type { RunReport } from './report.js'
import type { NotDone, RunOptions } from './runs.js'
import type { SessionPhase } from './session.js'

export const SESSION_PHASES: readonly SessionPhase[] = [
  'Analyzing differences',
  'Exchanging versions',
  'Planning changes',
  'Applying changes'
]

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
export type SyncJobState = PieceState<RunReport | NotDone>
export type SyncJob = JobDefinition<SyncJobInput, SyncJobState, Json>

export interface SyncJobInit {
  run(sync: string, options: RunOptions): Promise<RunReport | NotDone>
}

/** What a job is about: one session of a sync at a time. */
export const syncSerial = (uuid: string): string => `sync:${uuid}`

/** What is brought back or taken back in a sync, one after the other. */
export const historySerial = (uuid: string): string => `${syncSerial(uuid)}:history`

/** Told while another sync of the same folder is at it. */
export const WAITS_FOR_TURN = 'waits until the other work at this folder is done'

/** A session as a job, so that it can be seen, paused and cancelled. It is not resumed but run again (SYNC.md 7). */
export function syncJob({ run }: SyncJobInit): SyncJob {
  return defineJob<SyncJobInput, SyncJobState, Json>({
    kind: 'sync',
    summary: 'brings both ends of a sync in step',
    version: 1,
    input,
    title: ({ name }) => `sync ${name}`,
    serial: ({ sync }) => syncSerial(sync),
    state: () => ({ ended: null, at: 0 }),
    phases: onePiece<SyncJobInput, SyncJobState, RunReport | NotDone, SessionPhase>({
      names: SESSION_PHASES,
      run: ({ sync, force, acceptRollback, planHash, background }, going) =>
        run(sync, {
          ...{ signal: going.signal, force, acceptRollback, background, onPhase: going.onPhase },
          ...(planHash !== undefined && { planHash }),
          waiting(turn) {
            going.ctx.progress({ message: WAITS_FOR_TURN })
            return going.ctx.waitFor(turn)
          },
          onScan: (_end, { entries, hashedBytes }) =>
            going.ctx.progress({ message: 'looking at both ends', doneFiles: entries, doneBytes: hashedBytes }),
          onProgress: ({ operations, of, bytes }) =>
            going.ctx.progress({ doneFiles: operations, totalFiles: of, doneBytes: bytes }),
          onVersions: entries =>
            going.ctx.progress({ message: `versions of ${entries.toLocaleString('en')} entries are exchanged` })
        }),
      problems: ended => ('problems' in ended ? ended.problems : [])
    }),
    output: ({ ended }) => ended as unknown as Json
  })
}
