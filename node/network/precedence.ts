import type { DeviceId } from '../../storage/base/index.js'

export interface Dialled {
  readonly device: DeviceId
  /** We dialled it. */
  readonly dialled: boolean
}

/**
 * Of two live connections between the same two devices: whether the newer one stays. Both ends come to the same answer: the
 * one that the device with the smaller id dialled. Of two that one device dialled the newer, and which that is only the
 * dialler says, since hellos that overlap may end in another order at the other end.
 * @returns undefined when the other device dialled both: it decides, and its `retire` tells (succession.ts)
 */
export function outlives(newer: Dialled, older: Dialled, local: DeviceId): boolean | undefined {
  if (newer.dialled === older.dialled) return newer.dialled ? true : undefined
  const smaller = local < newer.device ? local : newer.device
  return (newer.dialled ? local : newer.device) === smaller
}
