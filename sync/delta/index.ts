/**
 * Content from one end to another over a link, however slow or far: nothing travels that is there already, and nothing waits
 * for an answer that it could go ahead of. Both take any two ends; what they bring lies in a staging place, whole and checked, and
 * the caller gives it its name (`Endpoint.place`).
 *
 *   await transferLarge({ from, path, sizeBytes, to: stage, stagedAs: path, basis: { at: destination, path }, signal })
 *   for await (const files of transferSmall({ from, to: stage, files, signal })) ...
 *
 * `delta-plan.ts` is the pure part: what of a file is in another one. docs/delta.md says how and why.
 */
export { type BlockList, blockKey } from './block-list.js'
export { type DeltaPart, partsFrom, planDelta } from './delta-plan.js'
export type { Basis } from './in-step.js'
export { bringLarge } from './large-lanes.js'
export {
  type BytesFrom,
  type FileAttributes,
  MIN_COMPARED_BYTES,
  type TransferLargeInit,
  type TransferredLarge,
  transferLarge
} from './transfer-large.js'
export { type SmallFile, type TransferredSmall, type TransferSmallInit, transferSmall } from './transfer-small.js'
