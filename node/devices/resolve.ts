import { SpacedriveError } from '../../storage/base/index.js'
import type { Device } from './device.js'

/** Device ids begin alike (`12D3KooW`): a prefix of fewer letters would name them all. */
export const MIN_ID_PREFIX = 8

/**
 * DEVICE of the command line: an id, a prefix of one of 8 letters or more, or a name. A name or prefix that fits two is
 * refused with the ids; an exact id always wins, an exact name wins over a prefix.
 * @throws {SpacedriveError} UNKNOWN_DEVICE, AMBIGUOUS_DEVICE
 */
export function resolveDevice(text: string, devices: readonly Device[]): Device {
  const wanted = text.normalize('NFC').trim()
  const shown = devices.filter(d => d.state !== 'forgotten')
  const exact = devices.find(d => d.id === wanted)
  if (exact !== undefined) return exact
  const live = (list: Device[]): Device[] => {
    // A tombstone of the same name does not stand in the way of the living.
    const alive = list.filter(d => d.state !== 'revoked')
    return alive.length > 0 ? alive : list
  }
  const byName = live(shown.filter(d => d.name === wanted))
  const found = byName.length > 0 ? byName : live(shown.filter(d => fitsPrefix(d.id, wanted)))
  if (found.length === 1) return found[0]!
  if (found.length > 1) {
    const ids = found.map(d => d.id)
    throw new SpacedriveError('AMBIGUOUS_DEVICE', `${text} could be ${found.length} devices: ${ids.join(', ')}`, {
      hint: 'Use the id, or rename one of them with `spacedrive network rename`.',
      details: { devices: ids }
    })
  }
  throw new SpacedriveError('UNKNOWN_DEVICE', `no device is known as ${text}`, {
    hint: 'See `spacedrive network devices`; new devices are added with `spacedrive network pair`.'
  })
}

function fitsPrefix(id: string, prefix: string): boolean {
  return prefix.length >= MIN_ID_PREFIX && id.startsWith(prefix)
}
