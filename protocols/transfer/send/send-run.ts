/** A transfer being sent: stream after stream until the receiver has everything. */
import { toError } from '../../../storage/base/index.js'
import type { TransferParts } from '../components.js'
import type { TransferInit } from '../index.js'
import { MAX_STRIKES } from '../limits.js'
import type { NamedSource } from '../manifest/sources.js'
import { badPeer, brokeRules, isFinalRefusal, refusal } from '../outcome.js'
import { ProblemList } from '../problem-list.js'
import type { ProgressMeter } from '../progress.js'
import { TRANSFER_PROTOCOL } from '../protocol.js'
import type { Complete } from '../stream/messages.js'
import { sendOverStream } from './send-stream.js'

export interface SendOutcome {
  readonly files: number
  readonly bytes: number
  readonly problemCount: number
  readonly problems: ProblemList
}

export interface SendRunInit {
  readonly transfer: TransferInit
  readonly sources: readonly NamedSource[]
  readonly meter: ProgressMeter
  readonly signal: AbortSignal
  onBytes(bytes: number): void
}

/** @throws {SpacedriveError} what ends it for good; `signal.reason` */
export async function sendAll(parts: TransferParts, init: SendRunInit): Promise<SendOutcome> {
  const { network, sendSlots, clock, log, timings, nameOf } = parts
  const { transfer, meter, signal } = init
  const { id, device } = transfer
  let strikes = 0
  let waitMs = timings.minRetryMs
  for (;;) {
    meter.phase('waiting')
    await network.whenConnected(device, { signal })
    const giveBack = await sendSlots.acquire(device, { signal })
    const startedMs = clock.monotonicMs()
    try {
      return await sendOnce(parts, init)
    } catch (err) {
      signal.throwIfAborted()
      if (isFinalRefusal(err)) throw refusal(err, nameOf(device))
      if (brokeRules(err) && ++strikes >= MAX_STRIKES) throw badPeer(nameOf(device), err)
      log.info('a transfer stream ended', { transfer: id, device, err: toError(err) })
    } finally {
      giveBack()
    }
    // A stream that lasted is no refusal: the next one may come at once.
    if (clock.monotonicMs() - startedMs > timings.maxRetryMs) waitMs = timings.minRetryMs
    await clock.sleep(waitMs, { signal })
    waitMs = Math.min(timings.maxRetryMs, waitMs * 2)
  }
}

async function sendOnce(parts: TransferParts, init: SendRunInit): Promise<SendOutcome> {
  const { network, pool, clock, random, timings, pacing } = parts
  const { transfer, sources, meter, signal } = init
  const { id, device, manifest, selection } = transfer
  const { stream, peer } = await network.open(device, TRANSFER_PROTOCOL, { signal })
  const problems = new ProblemList()
  const complete: Complete = await sendOverStream({
    ...{ stream, peer, id, manifest, selection, sources, pool, clock, random, timings, pacing, signal },
    onProgress(files, bytes) {
      meter.phase('transferring')
      meter.done(files, bytes)
    },
    onProblem(file, code, by) {
      problems.add(file, code, by)
      meter.problems(problems.count)
    },
    onBytes: init.onBytes
  })
  for (const { file, code, by } of complete.problems) problems.add(file, code, by)
  return { ...complete, problems }
}
