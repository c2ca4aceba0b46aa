/**
 * Volumes: the file systems mounted here, known by what survives another mount point. The list is asked of the system
 * each time (/proc/self/mountinfo and /sys on Linux, `mount` and `diskutil` on macOS); a monitor compares the mounts every
 * two seconds and emits `volume:added`, `volume:removed` and `volume:changed`, on which locations go offline and online.
 * What a person tracks is remembered in the instance database, also while the disk is away.
 */
import { type VolumeComponents, VolumeService, type Volumes } from './volume-service.js'

export { isNetwork, timeStepMs } from './kinds.js'
export { parseMountList } from './mount-list.js'
export { parseMountinfo } from './mountinfo.js'
export { remembered } from './remembered.js'
export { SPEED_TEST_BYTES } from './speed-test.js'
export type { DiskKind, Mount, Placement, TrackedVolume, Volume, VolumeId, VolumeSpeed } from './volume.js'
export type { VolumeComponents, Volumes } from './volume-service.js'

export function volumes(components: VolumeComponents): Volumes {
  return new VolumeService(components)
}
