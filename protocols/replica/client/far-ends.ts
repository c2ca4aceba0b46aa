import type { AbortOptions, AbsPath, DeviceId } from '../../../storage/base/index.js'
import type { Ends } from '../../../sync/copy/index.js'
import type { Endpoint } from '../../../sync/endpoints/index.js'
import type { PeerNetwork } from '../../wire/index.js'
import type { Replicas } from '../index.js'

interface FarEndsInit {
  readonly network: Pick<PeerNetwork, 'session' | 'whenConnected'>
  readonly replicas: Pick<Replicas, 'connect' | 'find'>
  nameOf(device: DeviceId): string
  /** A folder of this device. */
  open(path: AbsPath, options?: AbortOptions): Promise<Endpoint>
}

/** Folders here and on paired devices, for whoever asks only which device and which path (`Ends`). */
export function farEnds({ network, replicas, nameOf, open }: FarEndsInit): Ends {
  return {
    nameOf,
    open: ({ device, path }, access, options) =>
      device === null ? open(path, options) : replicas.connect(device, path, access, options),
    find: (device, hash, options) => replicas.find(device, hash, options),
    isConnected: device => network.session(device) !== undefined,
    whenConnected: (device, options) => network.whenConnected(device, options)
  }
}
