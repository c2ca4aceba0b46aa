import type { DeviceId } from '../../storage/base/index.js'

export interface Dialled {
  readonly device: DeviceId
  /** We dialled it. */
  readonly dialled: boolean
}

/**
 * Of two live connections between the same two devices: whether the newer one stays. Both ends come to the same answer:
 * the one that the device with the smaller id dialled; of two that the same device dialled, the newer.
 * RACE: which of those two is newer each end judges by when its hello ended. Where the ends differ each gives up another one, and
 * both stay: a connection closes only when both ends gave it up (succession.ts), so never are both ended.
 */
export function outlives(newer: Dialled, older: Dialled, local: DeviceId): boolean {
  if (newer.dialled === older.dialled) return true
  const smaller = local < newer.device ? local : newer.device
  return (newer.dialled ? local : newer.device) === smaller
}
