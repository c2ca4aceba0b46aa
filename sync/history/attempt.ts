import type { End } from '../reconcile/index.js'
import type { PlanSummary, Sync, Transitioned } from '../session/index.js'
import { type BringInit, bring } from './bring.js'
import type { Attempt, Course } from './course.js'
import type { HistoryInit } from './history.js'
import type { HistoryRun } from './run.js'

/**
 * Lets a sync rest whose next run would take away again what is about to be done: before anything is changed, or a run in between
 * (while the job is paused, say, or right after a crash) would begin to.
 */
export async function letRest({ syncs }: HistoryInit, sync: Sync, course: Course, because: string): Promise<void> {
  const rested = syncs.list().find(one => one.uuid === sync.uuid)?.paused === true
  if (course.rests === 'no') course.rests = rested ? 'already' : 'yes'
  await syncs.pause(sync, because)
}

/** One attempt at what was planned. What it did when it is cut short is in the table of runs as well, and can be taken back. */
export async function bringWithin(
  done: HistoryRun,
  {
    end,
    bringing,
    attempt,
    summary
  }: { end: End | undefined; bringing: BringInit; attempt: Attempt; summary: PlanSummary }
): Promise<Transitioned> {
  const { course } = attempt
  const before = course.bytes
  try {
    const result = await done.during(end, changes =>
      bring(bringing, {
        ...{
          run: done.id,
          summary,
          ...(changes && { beforeBatch: s => changes.begin(s), afterBatch: d => changes.add(d) })
        },
        onProgress({ operations, bytes }) {
          course.bytes = before + bytes
          attempt.onProgress({ operations, of: summary.operations, bytes })
        }
      })
    )
    course.bytes = before + result.bytes
    return result
  } catch (err) {
    await done.cutShort(attempt.signal.aborted ? 'cancelled' : 'failed')
    throw err
  }
}
