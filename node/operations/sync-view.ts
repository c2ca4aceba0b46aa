import type { Sync, SyncState, SyncStatus } from '../../sync/session/index.js'
import type { Peer } from '../compose.js'
import { formatBytes } from './format.js'
import { shownEnd } from './sync-named.js'

/** A sync as lists and `status` show it. */
export interface SyncView extends Omit<SyncStatus, 'reason' | 'advice'> {
  readonly name: string
  readonly mode: string
  readonly conflict: string
  readonly source: string
  readonly destination: string
  readonly ignore: readonly string[]
  readonly manual: boolean
  readonly paused: boolean
  readonly reason: string | null
  readonly advice: string | null
  readonly lastRunAt: number | null
  /** It sees changes by itself. */
  readonly watching: boolean
}

export function syncView(peer: Peer, sync: Sync): SyncView {
  const { state, reason, text, advice, notes } = peer.syncs.status(sync)
  return {
    ...{ name: sync.name, mode: sync.mode, conflict: sync.policy, ignore: sync.ignore },
    ...{ source: shownEnd(peer, sync.source), destination: shownEnd(peer, sync.destination) },
    ...{ manual: sync.manual, paused: sync.paused, watching: peer.syncs.standing(sync).state === 'watching' },
    ...{ state, text, notes: [...notes, ...largeNotes(peer, sync)], reason: reason ?? null, advice: advice ?? null },
    lastRunAt: peer.syncs.lastRun(sync)?.endedAtMs ?? null
  }
}

/** Versions that take much of their disk are said, never thinned for that. */
const largeNotes = (peer: Peer, sync: Sync): string[] =>
  peer.history
    .large(sync)
    .map(
      ({ end, bytes, share }) =>
        `versions take ${formatBytes(bytes)} at the ${end}, ${Math.round(share * 100)} % of its disk`
    )

export function colorOf(state: SyncState): 'green' | 'yellow' | 'red' | 'cyan' {
  if (state === 'converged') return 'green'
  if (state === 'halted' || state === 'failed') return 'red'
  return state === 'running' || state === 'new' ? 'cyan' : 'yellow'
}
