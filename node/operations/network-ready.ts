import { raceSignal } from '../../storage/base/index.js'
import type { OperationContext } from './operation.js'

/**
 * The daemon answers before its network is up: whoever asks something of the network right after `start` waits for it.
 * Does nothing where it is switched off, locked or failed; that is said by what is asked.
 * @throws what kept it from starting
 */
export async function networkReady({ peer, signal }: OperationContext): Promise<void> {
  const coming = peer.network.state === 'starting' || peer.network.state === 'off'
  if (peer.config.network.enabled && coming) await raceSignal(peer.network.start(), signal)
}
