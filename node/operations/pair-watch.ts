import type { PairingResult, PairingState, PairingStatus } from '../../protocols/pairing/index.js'
import { raceSignal } from '../../storage/base/index.js'
import type { OperationContext } from './operation.js'

/** A code that was made. The words are nowhere else: not in a status, an event or a log. */
export interface ShownCode {
  readonly words: string
  readonly expiresAt: number
  readonly session: string
  /** The text of the QR code. */
  readonly link: string
}

/** What happens on the way; `state` as in `network pair status`. */
export interface PairProgress extends Pick<PairingStatus, 'session' | 'role' | 'peer' | 'warnings'> {
  readonly state: PairingState
  /** Of a code that takes whoever types it: no answer is waited for. */
  readonly unasked?: true
}

export interface PairedOutput extends PairingResult {
  readonly state: 'paired'
}

export type PairEmit = ShownCode | PairProgress

/** Emits each step of one pairing and waits for its end; a caller who goes away gives it up. */
export async function watchPairing(
  { peer, signal, emit }: OperationContext,
  session: string,
  outcome: Promise<PairingResult>,
  { unasked = false } = {}
): Promise<PairedOutput> {
  const tell = (e: { session: string }): void => {
    const now = e.session === session ? peer.pairing.find(session) : undefined
    if (now === undefined) return
    const { role, state, warnings } = now
    emit({
      session,
      role,
      state,
      warnings,
      ...(now.peer === undefined ? {} : { peer: now.peer }),
      ...(unasked && { unasked })
    } satisfies PairProgress)
  }
  const off = [peer.events.on('pairing:progressed', tell), peer.events.on('pairing:warned', tell)]
  try {
    return { state: 'paired', ...(await raceSignal(outcome, signal)) }
  } catch (err) {
    const state = peer.pairing.find(session)?.state
    if (signal.aborted && state !== undefined && !ENDED.has(state)) peer.pairing.cancel(session)
    throw err
  } finally {
    for (const stop of off) stop()
  }
}

const ENDED: ReadonlySet<PairingState> = new Set<PairingState>(['paired', 'failed', 'expired', 'cancelled'])
