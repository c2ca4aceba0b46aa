/** A restore and an undo as jobs: seen, paused, cancelled, and gone on with after a crash. */
import { z } from 'zod'
import type { AbsPath, RelPath } from '../../storage/base/index.js'
import {
  defineJob,
  type Going,
  type JobDefinition,
  type Json,
  onePiece,
  type PieceState
} from '../../storage/jobs/index.js'
import { ENDS } from '../reconcile/index.js'
import { historySerial, type Sync, WAITS_FOR_TURN } from '../session/index.js'
import { type Attempt, type Course, HISTORY_PHASES, type HistoryPhase } from './course.js'
import type { Restored } from './go-back.js'
import type { RestoreAsked } from './restore.js'
import type { UndoAttempt, Undone } from './undo.js'

const of = {
  /** Its uuid: the name is for the title. */
  sync: z.uuid(),
  name: z.string()
}

const restoreInput = z.strictObject({
  ...of,
  /** Left out with `from`. */
  sync: of.sync.optional(),
  /** A folder with versions in it, of which nothing is known. */
  from: z.string().startsWith('/').optional(),
  path: z.string(),
  atMs: z.number().optional(),
  to: z.union([z.enum(ENDS), z.strictObject({ folder: z.string().startsWith('/') })]),
  keepNew: z.boolean().optional()
})

const undoInput = z.strictObject({
  ...of,
  /** Chosen before: by now it would be this one itself. */
  runs: z.array(z.string()).min(1),
  /** Only at what lies here. */
  here: z.boolean().optional()
})

export type RestoreInput = z.output<typeof restoreInput>
export type UndoInput = z.output<typeof undoInput>

interface HistoryState<R> extends PieceState<R> {
  course: Course
}

export type RestoreJob = JobDefinition<RestoreInput, HistoryState<Restored>, Json>
export type UndoJob = JobDefinition<UndoInput, HistoryState<Undone>, Json>

export interface HistoryJobsInit {
  course(): Course
  /** By its uuid. @throws {SpacedriveError} SYNC_NOT_FOUND */
  find(uuid: string): Sync
  restore(sync: Sync, asked: RestoreAsked, attempt: Attempt): Promise<Restored>
  restoreFrom(asked: Omit<RestoreAsked, 'to'> & { from: AbsPath; folder: AbsPath }, attempt: Attempt): Promise<Restored>
  undo(sync: Sync, attempt: UndoAttempt): Promise<Undone>
}

export function restoreJob({ course, find, restore, restoreFrom }: HistoryJobsInit): RestoreJob {
  return defineJob<RestoreInput, HistoryState<Restored>, Json>({
    kind: 'sync-restore',
    summary: 'brings back what was, out of the versions of a sync',
    version: 1,
    input: restoreInput,
    title: ({ name, path }) => `restore ${path === '' ? name : `${path} of ${name}`}`,
    serial: ({ sync }) => (sync === undefined ? 'sync-restore' : historySerial(sync)),
    state: () => ({ ended: null, at: 0, course: course() }),
    phases: onePiece<RestoreInput, HistoryState<Restored>, Restored, HistoryPhase>({
      names: HISTORY_PHASES,
      run({ sync, from, path, atMs, to, keepNew }, going) {
        const asked = { path: path as RelPath, atMs, keepNew }
        const attempt = attemptOf(going)
        if (sync === undefined && typeof to === 'object')
          return restoreFrom({ ...asked, from: from as AbsPath, folder: to.folder as AbsPath }, attempt)
        return restore(find(sync!), { ...asked, to: to as RestoreAsked['to'] }, attempt)
      },
      problems: ({ problems }) => problems
    }),
    output: ({ ended }) => ended as unknown as Json
  })
}

export function undoJob({ course, find, undo }: HistoryJobsInit): UndoJob {
  return defineJob<UndoInput, HistoryState<Undone>, Json>({
    kind: 'sync-undo',
    summary: 'takes back what runs of a sync did',
    version: 1,
    input: undoInput,
    title: ({ name, runs }) => `undo ${runs.length === 1 ? 'a run' : `${runs.length} runs`} of ${name}`,
    serial: ({ sync }) => historySerial(sync),
    state: () => ({ ended: null, at: 0, course: course() }),
    phases: onePiece<UndoInput, HistoryState<Undone>, Undone, HistoryPhase>({
      names: HISTORY_PHASES,
      run: ({ sync, runs, here = false }, going) => undo(find(sync), { ...attemptOf(going), runs, here }),
      problems: ({ problems }) => problems
    }),
    output: ({ ended }) => ended as unknown as Json
  })
}

function attemptOf(going: Going<HistoryState<unknown>, HistoryPhase>): Attempt {
  return {
    signal: going.signal,
    // One object for as long as the attempt goes on: it is part of the state.
    course: going.ctx.state.course,
    keep: () => going.ctx.checkpoint(),
    onPhase: going.onPhase,
    onScan: entries => going.ctx.progress({ message: 'looking at what is there', doneFiles: entries }),
    onProgress: ({ operations, of: total, bytes }) =>
      going.ctx.progress({ doneFiles: operations, totalFiles: total, doneBytes: bytes }),
    waiting(turn, why = WAITS_FOR_TURN) {
      going.ctx.progress({ message: why })
      return going.ctx.waitFor(turn)
    }
  }
}
