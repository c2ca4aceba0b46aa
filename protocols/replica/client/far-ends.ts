import { type AbortOptions, type AbsPath, type DeviceId, SpacedriveError } from '../../../storage/base/index.js'
import type { Ends } from '../../../sync/copy/index.js'
import type { Endpoint } from '../../../sync/endpoints/index.js'
import type { PeerNetwork } from '../../wire/index.js'
import type { Replicas } from '../index.js'

interface FarEndsInit {
  readonly network: Pick<PeerNetwork, 'session' | 'whenConnected'>
  readonly replicas: Pick<Replicas, 'connect' | 'find'>
  nameOf(device: DeviceId): string
  isPaired(device: DeviceId): boolean
  /** A folder of this device. */
  open(path: AbsPath, options?: AbortOptions): Promise<Endpoint>
}

/** Folders here and on paired devices, for whoever asks only which device and which path (`Ends`). */
export function farEnds({ network, replicas, nameOf, isPaired, open }: FarEndsInit): Ends {
  const ensurePaired = (device: DeviceId): void => {
    if (!isPaired(device))
      throw new SpacedriveError('REVOKED', `${nameOf(device)} is not paired with this device any more`)
  }
  return {
    nameOf,
    async open({ device, path }, access, options) {
      if (device === null) return open(path, options)
      ensurePaired(device)
      return replicas.connect(device, path, access, options)
    },
    find: (device, hash, options) => replicas.find(device, hash, options),
    isConnected: device => network.session(device) !== undefined,
    whenConnected: (device, options) => network.whenConnected(device, options)
  }
}
