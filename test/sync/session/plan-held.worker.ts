import { defineTasks, type TaskContext } from '../../../storage/base/index.js'
import { withPlan } from '../../../sync/session/plan-file.js'

export const planHeld = defineTasks(import.meta.url, {
  /** Reads the file of a plan, says so, and is at it for so long. */
  read({ planFile, ms }: { planFile: string; ms: number }, { emit }: TaskContext): void {
    withPlan(planFile, sql => {
      sql.prepare('SELECT count(*) FROM achieved').get()
      emit('reading')
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
    })
  }
})
