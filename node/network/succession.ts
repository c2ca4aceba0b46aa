import { wireError } from '../../protocols/wire/index.js'
import { type DeviceId, SpacedriveError } from '../../storage/base/index.js'
import { PROBE_TIMEOUT_MS } from './limits.js'
import { outlives } from './precedence.js'
import type { Session } from './session.js'

export interface Succession {
  readonly local: DeviceId
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
  { local, prefer }: Succession
): Promise<void> {
  await Promise.all(
    others.map(async other => {
      if (!(await other.probe(PROBE_TIMEOUT_MS, true))) {
        other.end(wireError('TIMEOUT', 'a newer connection took over'))
        return
      }
      if (newest.signal.aborted || other.signal.aborted) return
      const stays = outlives(newest, other, local)
      if (stays === undefined) return
      const [winner, loser] = stays ? [newest, other] : [other, newest]
      // One that came while this one was asked may have taken over from both.
      if (!winner.retired.here) prefer(winner)
      loser.retire()
      void closeRetired(loser)
    })
  )
}

/**
 * The other side gives a session up. One that it dialled we give up too, for another that neither has given up; of those we
 * dialled we decide ourselves. Without another one nothing is given up, so that never are all of them.
 * @param all - the sessions of its device
 */
export function followRetirement(session: Session, all: readonly Session[], { prefer }: Succession): void {
  const heir = all.find(s => s !== session && !s.retired.here && !s.retired.there && !s.signal.aborted)
  if (session.retired.there && !session.dialled && heir !== undefined) {
    prefer(heir)
    session.retire()
  }
  void closeRetired(session)
}

/** The side that dialled closes what both gave up, when its streams are done: from then on neither opens another there. */
async function closeRetired(session: Session): Promise<void> {
  const { here, there } = session.retired
  if (!here || !there || !session.dialled) return
  await session.quiet()
  // The last bytes of a stream that ended here may be on their way: whatever was sent before a pong has arrived.
  await session.probe(PROBE_TIMEOUT_MS, true)
  session.end(new SpacedriveError('RETIRED', 'another connection of the device took over'))
}
