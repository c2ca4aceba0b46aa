import { displayPath, errorCode, nameOf, type RelPath, toError } from '../../../storage/base/index.js'
import { defineJob, type JobDefinition, type Phase, type PhaseContext } from '../../../storage/jobs/index.js'
import { tell } from '../copying.js'
import { type CopyOutput, outputOf } from '../output.js'
import { remoteAsking } from './answered.js'
import { isAway } from './away.js'
import { type RemotePhaseInit, remoteCopying, withDestination } from './copy-phase.js'
import { type RemoteCopyInput, remoteCopyInput } from './input.js'
import { shownPlace } from './layout.js'
import type { RemoteCopyComponents } from './ports.js'
import { newRemoteState, type RemoteCopyState } from './state.js'
import { movedAway } from './tree-run.js'
import type { Waits } from './waits.js'

/** What it did, and the content that went over in all its tries, as far as checkpoints counted it. */
export type RemoteCopyOutput = CopyOutput & { readonly sentBytes: number }

export type RemoteCopyJob = JobDefinition<RemoteCopyInput, RemoteCopyState, RemoteCopyOutput>

/** Copies and moves between devices: docs/copy.md. */
export function remoteCopyJob(components: RemoteCopyComponents, waits: Waits): RemoteCopyJob {
  const undoing = (input: RemoteCopyInput, phase: Phase<RemoteCopyState>): Phase<RemoteCopyState> => ({
    ...phase,
    onFailure: ctx => leaveNothing({ components, input, waits }, ctx)
  })
  return defineJob<RemoteCopyInput, RemoteCopyState, RemoteCopyOutput>({
    kind: 'remote-copy',
    summary: 'copies or moves files and folders from or to another device',
    version: 1,
    input: remoteCopyInput,
    title({ operation, sources, destination }) {
      const [first] = sources
      const from = first!.device === null ? '' : ` from ${components.ends.nameOf(first!.device)}`
      const name = displayPath(nameOf(first!.path as string as RelPath))
      const what = sources.length === 1 ? name : `${sources.length} things`
      return `${operation} ${what}${from} to ${shownPlace(components.ends, destination)}`
    },
    serial: ({ destination }) => `copy:${destination.device ?? ''}${destination.path}`,
    state: newRemoteState,
    phases: input => [
      undoing(input, remoteCopying({ components, input, waits })),
      ...(input.overwrite === 'prompt' ? [undoing(input, remoteAsking({ components, input, waits }))] : [])
    ],
    output: (state, facts) => ({ ...outputOf(state, facts), sentBytes: state.sentBytes })
  })
}

/** After a failure or a cancel: what was copied stays, what was replaced is in the trash, nothing half lies about. */
async function leaveNothing(
  { components, input, waits }: RemotePhaseInit,
  ctx: PhaseContext<RemoteCopyState>
): Promise<void> {
  const { state, signal } = ctx
  await waits.begun(ctx.job)
  if (state.layout === null || state.runs === 0) return
  try {
    await withDestination(components, input, ctx, state.layout, async (_, stage, keep) => {
      if (await keep()) await stage.discard({ signal })
    })
    if (input.operation !== 'move') return
    for (const [index, { folder }] of state.layout.trees.entries()) {
      const source = await components.ends.open(folder, 'write', { signal })
      const moved = movedAway(source, ctx, index)
      try {
        await moved.putBack({ signal })
        await moved.end({ signal })
      } finally {
        await moved.close()
        await source.close()
      }
    }
  } catch (err) {
    if (!isAway(err) && errorCode(err) !== 'NOT_GRANTED') throw err
    const message = `what was staged on the other device stays there, hidden: ${toError(err).message}`
    tell(ctx, { path: '', code: 'STAGING_LEFT', message })
  }
}
