import { displayPath, nameOf, type RelPath } from '../../storage/base/index.js'
import { defineJob, type JobDefinition, type Phase, type PhaseContext } from '../../storage/jobs/index.js'
import { asking } from './conflicts.js'
import { copying } from './copying.js'
import { finishPhase } from './finishing.js'
import { type CopyInput, copyInput } from './input.js'
import { type CopyOutput, outputOf } from './output.js'
import { openPlaces } from './places.js'
import type { CopyComponents } from './ports.js'
import { quickAssessment } from './quick-assessment.js'
import { type CopyState, newState } from './state.js'
import { Touched } from './touched.js'

export type CopyJob = JobDefinition<CopyInput, CopyState, CopyOutput>

/** Copies and moves: see docs/copy.md. The disk decides at each step; what was done is seen at the destination. */
export function copyJob(components: CopyComponents): CopyJob {
  const undoing = (input: CopyInput, phase: Omit<Phase<CopyState>, 'onFailure'>): Phase<CopyState> => ({
    ...phase,
    onFailure: ctx => leaveNothing(components, input, ctx)
  })
  return defineJob<CopyInput, CopyState, CopyOutput>({
    kind: 'copy',
    summary: 'copies or moves files and folders',
    version: 1,
    input: copyInput,
    title: ({ operation, sources, destination }) => {
      const what =
        sources.length === 1 ? displayPath(nameOf(sources[0] as string as RelPath)) : `${sources.length} things`
      return `${operation} ${what} to ${displayPath(destination)}`
    },
    serial: ({ destination }) => `copy:${destination}`,
    state: newState,
    phases(input) {
      const touched = new Touched()
      return [
        undoing(input, quickAssessment(components, input)),
        undoing(input, copying(components, input, touched)),
        ...(input.overwrite === 'prompt' ? [undoing(input, asking(components, input, touched))] : []),
        undoing(input, finishPhase(components, input, touched))
      ]
    },
    output: outputOf
  })
}

/** After a failure or a cancel: what was copied stays, what was replaced is in the trash, nothing half lies about. */
async function leaveNothing(components: CopyComponents, input: CopyInput, ctx: PhaseContext<CopyState>): Promise<void> {
  const { layout } = ctx.state
  if (layout === null) return
  const places = await openPlaces({
    ...{ components, job: ctx.job, input, layout, state: ctx.state, signal: ctx.signal },
    problem: p => ctx.problem(p)
  })
  try {
    await places.discard()
  } finally {
    await places.close()
  }
}
