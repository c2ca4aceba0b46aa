/** What sending and receiving have in common: the row, progress, events, and how it ends. */
import { errorCode, hasCode, type ProgressFields, type TransferId, toError } from '../../storage/base/index.js'
import { hashToBytes } from '../../storage/content/index.js'
import type { TransferParts } from './components.js'
import type { ReceiveInit, TransferInit, TransferOptions, TransferResult } from './index.js'
import { selectionHash } from './manifest/selection.js'
import type { ManifestTotals } from './manifest/types.js'
import { cancelled } from './outcome.js'
import { ProblemList } from './problem-list.js'
import { type ProgressMeter, progressMeter } from './progress.js'
import type { Placed } from './receive/incoming.js'
import { intoBytes, type TransferRow } from './rows.js'
import { transferWrites } from './rows.worker.js'

export interface RunContext {
  /** Aborted by the caller, by a cancellation, when the service stops. */
  readonly signal: AbortSignal
  readonly totals: ManifestTotals
  readonly meter: ProgressMeter
  /** What earlier runs of the program had done: about, and exactly once `markArrived` was called. */
  readonly before: Done
  countBytes(bytes: number): void
}

export interface Done {
  readonly files: number
  readonly bytes: number
  readonly problems: ProblemList
  readonly problemCount?: number
  readonly placed?: readonly Placed[]
}

export interface RunInit {
  readonly transfer: TransferInit | ReceiveInit
  readonly direction: 'send' | 'receive'
  readonly options: TransferOptions
  readonly signal: AbortSignal
}

/** Between two writes of the progress into the row: it is for people, what counts lies in staging. */
const PROGRESS_WRITE_MS = 10_000
/** Ends that no later call changes. */
const FINAL = ['GONE', 'BAD_PEER', 'MANIFEST_MISMATCH', 'NOT_OURS']

/** @throws {SpacedriveError} ID_TAKEN, CANCELLED, and what `body` throws */
export async function runTransfer(
  parts: TransferParts,
  { transfer, direction, options, signal }: RunInit,
  body: (context: RunContext) => Promise<Done>
): Promise<TransferResult> {
  const { database, rows, clock, events, manifests } = parts
  const { id, device, manifest, selection, owner } = transfer
  await database.write(transferWrites.begin, {
    ...{ id, device, direction, owner },
    manifestHash: hashToBytes(manifest.hash),
    selectionHash: selectionHash(selection, manifest.totals.entries),
    intoPath: intoBytes('into' in transfer ? transfer.into : undefined),
    nowMs: clock.nowMs()
  })
  const row = rows.find(id)!
  if (row.state === 'cancelled') throw cancelled(id)
  if (row.state === 'completed') {
    // Told once more: the program may have died after it was written down and before anybody heard.
    return tellCompleted(parts, { transfer, direction }, doneBefore(row), 0)
  }
  const totals = await manifests.totals(manifest, selection)
  let bytesOnWire = 0
  let writtenMs = clock.monotonicMs()
  const meter = progressMeter(clock, totals, progress => {
    options.onProgress?.(progress)
    events.emit('transfer:progress', { transfer: id, device, direction, ...progress })
    if (clock.monotonicMs() - writtenMs < PROGRESS_WRITE_MS) return
    writtenMs = clock.monotonicMs()
    void remember(parts, id, progress)
  })
  events.emit('transfer:started', { transfer: id, device, direction, files: totals.files, bytes: totals.bytes })
  try {
    const done = await body({
      ...{ signal, totals, meter },
      before: doneBefore(row),
      countBytes: bytes => {
        bytesOnWire += bytes
      }
    })
    await endTransfer(parts, id, done)
    return await tellCompleted(parts, { transfer, direction }, done, bytesOnWire)
  } catch (err) {
    await remember(parts, id, { doneFiles: meter.files, doneBytes: meter.bytes })
    const over = hasCode(err, 'CANCELLED') ? 'cancelled' : FINAL.includes(errorCode(err)) ? 'failed' : undefined
    if (over !== undefined)
      await database.write(transferWrites.end, { id, state: over, code: errorCode(err), nowMs: clock.nowMs() })
    const paused = over === undefined && signal.aborted
    if (!paused) {
      const { message } = toError(err)
      const code = errorCode(err)
      const resumable = over === undefined
      events.emit('transfer:failed', { transfer: id, device, direction, code, message, resumable })
    }
    throw err
  } finally {
    meter.stop()
  }
}

/** Remembers that all has arrived and is about to get its names: what the end is to say, should that come after a restart. */
export async function markArrived({ database, clock }: TransferParts, id: TransferId, done: Done): Promise<void> {
  await database.write(transferWrites.arrived, {
    ...{ id, doneFiles: done.files, doneBytes: done.bytes, problemCount: done.problems.count },
    problems: JSON.stringify(done.problems.list()),
    nowMs: clock.nowMs()
  })
}

/** Remembers that everything is there; calling it again changes nothing. */
export async function endTransfer({ database, clock }: TransferParts, id: TransferId, done: Done): Promise<void> {
  await database.write(transferWrites.end, {
    ...{ id, state: 'completed', doneFiles: done.files, doneBytes: done.bytes },
    problemCount: done.problemCount ?? done.problems.count,
    problems: JSON.stringify(done.problems.list()),
    ...(done.placed && { placed: JSON.stringify(done.placed) }),
    nowMs: clock.nowMs()
  })
}

async function remember(
  { database, clock, log }: TransferParts,
  id: TransferId,
  { doneFiles, doneBytes }: Pick<ProgressFields, 'doneFiles' | 'doneBytes'>
): Promise<void> {
  try {
    await database.write(transferWrites.progress, { id, doneFiles, doneBytes, nowMs: clock.nowMs() })
  } catch (err) {
    log.warn('could not remember how far a transfer is', { transfer: id, err })
  }
}

function doneBefore({ doneFiles: files, doneBytes: bytes, problemCount, problems, placed }: TransferRow): Done {
  return { files, bytes, problemCount, problems: ProblemList.of(problems), placed }
}

async function tellCompleted(
  parts: TransferParts,
  { transfer, direction }: Pick<RunInit, 'transfer' | 'direction'>,
  done: Done,
  bytesOnWire: number
): Promise<TransferResult> {
  const result = await describe(parts, transfer, done, bytesOnWire)
  const { files, bytes, problemCount: problems } = result
  const path = done.placed?.[0]?.path
  parts.events.emit('transfer:completed', {
    ...{ transfer: transfer.id, device: transfer.device, direction, files, bytes, problems },
    ...(path !== undefined && { path })
  })
  return result
}

async function describe(
  { manifests }: TransferParts,
  { manifest }: TransferInit,
  { files, bytes, problems, problemCount = problems.count }: Done,
  bytesOnWire: number
): Promise<TransferResult> {
  const listed = await problems.describe(manifest, m => manifests.entries(m))
  return { files, bytes, bytesOnWire, problems: listed, problemCount }
}
