import { type DeviceId, type JobId, SpacedriveError } from '../../storage/base/index.js'
import type { DeletePlan, FarDeletePlan, PlanDeleteOptions } from '../../sync/operations/index.js'
import type { Peer } from '../compose.js'
import { type NamedPlace, placesOf } from './device-path.js'

/** Deleting here or on another device: looked at before, and begun, alike. */
export interface DeleteWay {
  /** Where it is; null: here. */
  readonly device: DeviceId | null
  plan(options: PlanDeleteOptions): Promise<FarDeletePlan>
  /** Forgets a plan that will not be carried out. */
  drop(plan: FarDeletePlan): Promise<void>
  begin(plan: FarDeletePlan): Promise<JobId>
}

/** @throws {SpacedriveError} UNKNOWN_DEVICE; USAGE where the paths are of several devices */
export function deleteWay(peer: Peer, texts: readonly string[], permanent: boolean): DeleteWay {
  const { device, paths } = onOneDevice(placesOf(peer, texts))
  if (device !== null) {
    return {
      device,
      plan: ({ signal, onProgress }) =>
        peer.far.planDelete(device, paths, { ...(signal && { signal }), ...(onProgress && { onProgress }) }),
      drop: async () => {},
      begin: () => peer.far.beginDelete(device, paths, { permanent })
    }
  }
  return {
    device,
    plan: options => peer.operations.planDelete(paths, options),
    drop: plan => peer.operations.dropPlan(plan as DeletePlan),
    begin: plan => peer.operations.beginDelete(plan as DeletePlan, { permanent, paths })
  }
}

/** @throws {SpacedriveError} USAGE */
export function onOneDevice(places: readonly NamedPlace[]): { device: DeviceId | null; paths: string[] } {
  const devices = new Set(places.map(p => p.device))
  if (devices.size > 1)
    throw new SpacedriveError('USAGE', 'the paths are of several devices', {
      hint: 'Name those of one device at a time.'
    })
  return { device: places[0]?.device ?? null, paths: places.map(p => p.path) }
}
