/** Deadlines for what another device does, which a slow link does not use up. */
import { deadline, type LinkedSignals, linkSignals, patientTimer, SpacedriveError } from '../../storage/base/index.js'
import { MAX_LINK_PATIENCE_MS } from './limits.js'
import type { PeerSession } from './peers.js'

/** Who can tell a slow link from a device that does not answer. */
export type Answering = Pick<PeerSession, 'answers'>

/**
 * As `deadline`, but when the time is up the device is asked for a sign of life, which travels behind all that is on its way in both
 * directions. Only when that has come, and the same time has gone by once more, is it the device that took too long. Where a link is
 * full of content a question alone may take a minute to arrive.
 * @param peer - undefined: nobody can be asked, and it is a plain deadline
 */
export function patientDeadline(
  peer: Answering | undefined,
  timeoutMs: number,
  what: string,
  parent?: AbortSignal
): LinkedSignals {
  if (peer?.answers === undefined) return deadline(timeoutMs, what, parent)
  const controller = new AbortController()
  const expire = (): void =>
    controller.abort(new SpacedriveError('TIMEOUT', `${what} took longer than ${timeoutMs} ms`))
  let cleared = false
  let timer = patientTimer(() => {
    void peer.answers!(MAX_LINK_PATIENCE_MS).then(answered => {
      if (cleared) return
      if (answered) timer = patientTimer(expire, timeoutMs)
      else expire()
    })
  }, timeoutMs)
  const linked = linkSignals(controller.signal, parent)
  return {
    signal: linked.signal,
    clear() {
      cleared = true
      timer.clear()
      linked.clear()
    }
  }
}
