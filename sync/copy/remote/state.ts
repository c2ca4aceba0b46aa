import { type CopyState, newState } from '../state.js'
import type { RemoteLayout } from './layout.js'
import type { Taking } from './moved.js'
import type { Replacing } from './replaced.js'

/** What a copy between devices keeps over a pause, a restart, a crash. What was copied is seen at the destination itself. */
export interface RemoteCopyState
  extends Pick<CopyState, 'beganNs' | 'estimate' | 'runs' | 'counts' | 'seen' | 'copiedBefore' | 'notes' | 'told'> {
  layout: RemoteLayout | null
  /** What is being replaced right now, by tree. */
  replacing: readonly Replacing[]
  /** Sources of a move of which it is not known what went aside, by tree; a try of an earlier release wrote none down. */
  taking?: readonly (Taking & { readonly tree: number })[]
  /** Tries that ended in a lost connection before anything came over. */
  fruitless: number
  /** Content that went over, in all tries. */
  sentBytes: number
}

export function newRemoteState(): RemoteCopyState {
  const { beganNs, estimate, runs, counts, seen, copiedBefore, notes, told } = newState()
  return {
    ...{ beganNs, estimate, runs, counts, seen, copiedBefore, notes, told },
    ...{ layout: null, replacing: [], fruitless: 0, sentBytes: 0 }
  }
}
