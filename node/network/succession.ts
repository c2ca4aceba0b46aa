import { wireError } from '../../protocols/wire/index.js'
import { type Clock, type DeviceId, SpacedriveError } from '../../storage/base/index.js'
import { PROBE_TIMEOUT_MS } from './limits.js'
import { outlives } from './precedence.js'
import type { Session } from './session.js'

/** How long a connection on its way out waits between looks at its streams. */
const RETIRE_POLL_MS = 100

export interface Succession {
  readonly local: DeviceId
  readonly clock: Clock
  /** This session is the one to use from now on. */
  prefer(session: Session): void
}

/**
 * Two connections of one device, both after their hello: mostly both sides dialled at once. The newest is in use until an
 * older one shows that it lives too; then both sides keep the same one by a rule (precedence.ts), and the other closes when
 * its streams are done.
 */
export async function settleSuccession(
  newest: Session,
  others: readonly Session[],
  { local, clock, prefer }: Succession
): Promise<void> {
  await Promise.all(
    others.map(async other => {
      if (!(await other.probe(PROBE_TIMEOUT_MS, true))) {
        other.end(wireError('TIMEOUT', 'a newer connection took over'))
        return
      }
      if (newest.signal.aborted || other.signal.aborted) return
      const [winner, loser] = outlives(newest, other, local) ? [newest, other] : [other, newest]
      prefer(winner)
      loser.retire()
      closeRetired(loser, clock)
    })
  )
}

function closeRetired(session: Session, clock: Clock): void {
  if (session.signal.aborted) return
  const { here, there } = session.retired
  // One side closes it: the one that dialled. Nothing is in flight: whoever sent `retire` opens no more streams.
  if (here && there && session.dialled && session.streams === 0) {
    session.end(new SpacedriveError('RETIRED', 'another connection of the device took over'))
    return
  }
  clock.timer(() => closeRetired(session, clock), RETIRE_POLL_MS)
}
