import { HELLO_PROTOCOL } from '../../protocols/hello/index.js'
import { PAIRING_PROTOCOL } from '../../protocols/pairing/index.js'
import type { Device } from '../devices/index.js'

/** How a peer stands with this device (PEERS 4). */
export type Standing =
  /** Not known, forgotten or lapsed; no code is open. Refused before Yamux. */
  | 'stranger'
  /** Likewise, while a pairing code is open. */
  | 'guest'
  /** Saved by a pairing; no hello has proven it yet. */
  | 'unconfirmed'
  | 'paired'
  | 'revoked'

export function standingOf(device: Device | undefined, doorOpen: boolean): Standing {
  switch (device?.state) {
    case 'paired':
    case 'unconfirmed':
      return device.state
    case 'revoked':
      // It may pair again like anybody, with a code that is open, confirmed here; without one it is refused.
      return doorOpen ? 'guest' : 'revoked'
    default:
      return doorOpen ? 'guest' : 'stranger'
  }
}

const SERVED: ReadonlyMap<string, ReadonlySet<Standing>> = new Map([
  [PAIRING_PROTOCOL, new Set<Standing>(['guest', 'unconfirmed', 'paired'])],
  [HELLO_PROTOCOL, new Set<Standing>(['unconfirmed', 'paired'])]
])
const PAIRED_ALONE: ReadonlySet<Standing> = new Set<Standing>(['paired'])

/** The table protocol x trust of docs/limits.md: what is not named there is for paired devices alone. */
export function maySpeak(protocol: string, standing: Standing): boolean {
  return (SERVED.get(protocol) ?? PAIRED_ALONE).has(standing)
}
