/**
 * Transfer `/spacedrive/transfer/1.0.0`: the only way content moves between devices (PEERS 6, docs/protocols/transfer.md).
 * Spacedrop, remote copy and replica say what moves; this moves it.
 *
 *   const manifest = await transfers.manifests.build([{ path }])           // here: what there is to send
 *   for await (const page of transfers.manifests.pages(manifest)) ...      // the caller's protocol shows it to the peer
 *   const theirs = await transfers.manifests.take(pages, { hash })         // there: checked and kept
 *   const got = transfers.receive({ id, device, manifest: theirs, selection, into, owner })   // there, before saying yes
 *   const sent = await transfers.send({ id, device, manifest, selection, owner })             // here, after the yes
 *
 * Both calls last until the transfer is done, over lost connections and new addresses, and may be made again with the same
 * values after a restart: what arrived is not sent again. The caller keeps the values (in its own table) and calls again.
 */

import { join } from 'node:path'
import type {
  AbortOptions,
  AbsPath,
  DeviceId,
  Problem,
  ProgressFields,
  Startable,
  TransferId
} from '../../storage/base/index.js'
import { UNPACED } from '../pace/index.js'
import type { TransferComponents } from './components.js'
import { manifestStore } from './manifest/store.js'
import type { Manifest, ManifestStore, Selection } from './manifest/types.js'
import { transferRows } from './rows.js'
import { Transfers } from './service.js'
import { Slots } from './slots.js'
import { DEFAULT_TIMINGS } from './timings.js'

export type { TransferComponents } from './components.js'
export * from './limits.js'
export type {
  BuildOptions,
  BuiltManifest,
  EntryKind,
  Manifest,
  ManifestEntry,
  ManifestSource,
  ManifestStore,
  ManifestTotals,
  Selection
} from './manifest/types.js'
export { TRANSFER_PROTOCOL } from './protocol.js'
export { expand } from './receive/expand.js'
export { compressed } from './send/compression.js'
export { FrameBuffers, reusable } from './stream/frame-buffers.js'
export { type FramePipe, framePipe } from './stream/frame-pipe.js'
export type { FramePace } from './stream/frame-queue.js'
export { LinkRate } from './stream/link-rate.js'
export {
  FLAG_BROTLI,
  FRAME_LENGTH_BYTES,
  Opener,
  type OpenRecord,
  RECORD_HEAD_BYTES,
  RECORD_OVERHEAD_BYTES,
  recordType,
  Sealer
} from './stream/records.js'
export { pieceBytes, windowFromWire, windowToWire, windowUnder } from './stream/window.js'
export type { TransferTimings } from './timings.js'

export interface TransferInit {
  /** Both ends use the same; single use, bound to the device. */
  readonly id: TransferId
  readonly device: DeviceId
  readonly manifest: Manifest
  readonly selection: Selection
  /** Which part of the program started it (`spacedrop`): kept in the row, for `list`. */
  readonly owner: string
}

export interface ReceiveInit extends TransferInit {
  /** The folder that gets the top-level entries; it must exist. */
  readonly into: AbsPath
  /** Keep executable bits of files. Default false: a drop brings no program that starts by a click. */
  readonly keepExecutable?: boolean
}

export interface TransferOptions extends AbortOptions {
  /** At most ten a second. Phases: `waiting` (for the device, or a turn), `verifying` (what is there already), `transferring`, `placing`. */
  readonly onProgress?: (progress: ProgressFields) => void
  /**
   * For `receive`: called when every file is staged whole and verified, before anything gets its name, with the folder that
   * holds them under their paths. It may take its time (the sender is told that we are still there) as long as it ends with
   * the signal. When it rejects so does the transfer, with the same error, and what is staged stays: the same `receive`
   * later goes on from there. (Spacedrop checks there what kinds of files came.)
   */
  readonly beforePlacing?: (staged: AbsPath, options: { signal: AbortSignal }) => Promise<void>
}

export interface TransferResult {
  /** Files and content bytes that are at the receiver now, whole and verified; what had arrived before counts too. */
  readonly files: number
  readonly bytes: number
  /** Bytes of our frames on the wire, both ways, in this run of the program. */
  readonly bytesOnWire: number
  /** Paths that were not transferred: CHANGED, UNREADABLE, NAME_TOO_LONG, ... The rest arrived. */
  readonly problems: readonly Problem[]
  readonly problemCount: number
}

export interface ReceiveResult extends TransferResult {
  /** Where the top-level entries lie now: a name that was taken became `name (1)`. */
  readonly placed: readonly { readonly name: string; readonly path: AbsPath }[]
}

/** `active`: wanted; whether it runs now is the caller's to know. */
export type TransferState = 'active' | 'completed' | 'failed' | 'cancelled'

/** A transfer as it is remembered. */
export interface TransferRecord {
  readonly id: TransferId
  readonly device: DeviceId
  readonly direction: 'send' | 'receive'
  readonly owner: string
  readonly state: TransferState
  /** Known after `failed`: why. */
  readonly code?: string
  readonly doneFiles: number
  readonly doneBytes: number
  readonly createdMs: number
  readonly updatedMs: number
}

export interface TransferService extends Startable {
  readonly manifests: ManifestStore
  /**
   * Sends the selected entries; resolves when the receiver said that all is placed and durable. While the device is away it
   * waits. Aborting the signal pauses: it rejects with `signal.reason`, and the same call later goes on.
   * @throws {SpacedriveError} CANCELLED (by either side), GONE (the receiver does not know it, or no longer), NO_SPACE (at the
   *   receiver; can be tried again), BAD_PEER, MANIFEST_MISMATCH
   */
  send(init: TransferInit, options?: TransferOptions): Promise<TransferResult>
  /**
   * Accepts this transfer from this device and nothing else, and resolves when everything is placed: all of it at once or, as
   * long as anything is missing, nothing. Streams are taken from the moment of the call (it registers before it first
   * waits). Content is staged in `.spacedrive` of `into`. Aborting the signal pauses.
   * @throws {SpacedriveError} CANCELLED, NO_SPACE, ROOT_MOVED (the folder was replaced meanwhile), BAD_PEER, MANIFEST_MISMATCH
   */
  receive(init: ReceiveInit, options?: TransferOptions): Promise<ReceiveResult>
  /** Ends it for good: a running call rejects with CANCELLED, staging goes, the other side is told (when it is next connected). */
  cancel(id: TransferId): Promise<void>
  /** Ends whatever is with this device, without telling it: it was revoked. */
  forget(device: DeviceId): Promise<void>
  find(id: TransferId): TransferRecord | undefined
  list(owner?: string): readonly TransferRecord[]
}

/** The service. `start` may be called before the network is up. */
export function transferService({ timings, pacing = UNPACED, ...components }: TransferComponents): TransferService {
  const { pool, clock, random, dataDir, database } = components
  return new Transfers({
    ...components,
    pacing,
    timings: { ...DEFAULT_TIMINGS, ...timings },
    manifests: manifestStore({ pool, clock, random, dir: join(dataDir, 'transfers') as AbsPath }),
    rows: transferRows(database),
    sendSlots: new Slots(),
    receiveSlots: new Slots()
  })
}
