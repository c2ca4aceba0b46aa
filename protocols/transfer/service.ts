import { type DeviceId, hasCode, linkSignals, SpacedriveError, type TransferId } from '../../storage/base/index.js'
import type { PeerHandler } from '../wire/index.js'
import { Cleaner, journalFile } from './cleaner.js'
import type { TransferParts } from './components.js'
import type {
  ReceiveInit,
  ReceiveResult,
  TransferInit,
  TransferOptions,
  TransferRecord,
  TransferResult,
  TransferService
} from './index.js'
import { MAX_TRANSFERS_PER_DEVICE } from './limits.js'
import { readSources } from './manifest/store.js'
import { brokeRules, cancelled } from './outcome.js'
import { TRANSFER_PROTOCOL } from './protocol.js'
import type { Placed } from './receive/incoming.js'
import { ReceiveRun } from './receive/receive-run.js'
import { type StreamTarget, serveStream } from './receive/receive-stream.js'
import type { TransferRow } from './rows.js'
import { transferWrites } from './rows.worker.js'
import { type Done, endTransfer, markArrived, type RunContext, runTransfer } from './run.js'
import { sendAll } from './send/send-run.js'

/** A call of `send` or `receive` that has not returned. */
interface Running {
  readonly device: DeviceId
  readonly over: AbortController
  readonly receive: ReceiveRun | undefined
  settled: Promise<unknown>
}

/** Streams beyond those that may run: a sender that comes back before its old stream is seen dead, and cancellations. */
const SPARE_STREAMS = 4

export class Transfers implements TransferService {
  readonly manifests: TransferService['manifests']
  readonly #parts: TransferParts
  readonly #running = new Map<TransferId, Running>()
  #stopping = new AbortController()
  #cleaner: Cleaner
  #off = (): void => {}
  #sweeping: Promise<void> = Promise.resolve()

  constructor(parts: TransferParts) {
    this.#parts = parts
    this.manifests = parts.manifests
    this.#cleaner = new Cleaner(parts, this.#stopping.signal)
  }

  async start(): Promise<void> {
    const { network } = this.#parts
    this.#stopping = new AbortController()
    this.#cleaner = new Cleaner(this.#parts, this.#stopping.signal)
    // In the background: the folders may lie on slow disks.
    this.#sweeping = this.#cleaner.sweep().catch(err => {
      if (!this.#stopping.signal.aborted) this.#parts.log.warn('could not clean up after earlier transfers', { err })
    })
    await network.handle(TRANSFER_PROTOCOL, this.#onStream, {
      maxInboundStreams: MAX_TRANSFERS_PER_DEVICE + SPARE_STREAMS
    })
    this.#off = network.onConnected(peer => void this.#cleaner.tell(peer))
  }

  /** What runs is paused: its calls reject with STOPPED and may be made again by the next run of the program. */
  async stop(): Promise<void> {
    this.#off()
    await this.#parts.network.unhandle(TRANSFER_PROTOCOL)
    this.#stopping.abort(new SpacedriveError('STOPPED', 'the transfers were stopped'))
    await this.#sweeping
    await Promise.allSettled([...this.#running.values()].map(r => r.settled))
  }

  send(transfer: TransferInit, options: TransferOptions = {}): Promise<TransferResult> {
    return this.#run(transfer, 'send', undefined, options, async ({ signal, meter, countBytes }) => {
      const sources = await readSources(transfer.manifest)
      return sendAll(this.#parts, { transfer, sources, meter, signal, onBytes: countBytes })
    })
  }

  async receive(transfer: ReceiveInit, options: TransferOptions = {}): Promise<ReceiveResult> {
    const { files, dataDir, rows } = this.#parts
    const { id } = transfer
    const run = new ReceiveRun(this.#parts, transfer)
    let placed: readonly Placed[] | undefined
    try {
      const result = await this.#run(transfer, 'receive', run, options, async context => {
        const { meter } = context
        const done = await run.whole({
          ...{ transfer, files, journalFile: journalFile(dataDir, id), context },
          onPhase: phase => meter.phase(phase),
          onProgress: (doneFiles, doneBytes) => meter.done(doneFiles, doneBytes),
          onProblems: count => meter.problems(count),
          ...(options.beforePlacing && { beforePlacing: options.beforePlacing }),
          arrived: all => markArrived(this.#parts, id, all),
          commit: whole => endTransfer(this.#parts, id, whole)
        })
        placed = done.placed
        await this.#cleaner.finished(id)
        return done
      })
      return { ...result, placed: placed ?? rows.find(id)?.placed ?? [] }
    } catch (err) {
      const row = rows.find(id)
      if (row?.staged && row.state !== 'active') await this.#cleaner.clean(row)
      throw err
    }
  }

  async cancel(id: TransferId): Promise<void> {
    const { rows, network } = this.#parts
    const row = rows.find(id)
    if (row === undefined) throw new SpacedriveError('NOT_FOUND', `there is no transfer ${id}`)
    await this.#giveUp(row, row.direction === 'send')
    const peer = network.session(row.device)
    if (row.direction === 'send' && peer !== undefined) await this.#cleaner.tell(peer)
  }

  async forget(device: DeviceId): Promise<void> {
    for (const row of this.#parts.rows.ofDevice(device)) await this.#giveUp(row, false)
  }

  find(id: TransferId): TransferRecord | undefined {
    return this.#parts.rows.find(id)
  }

  list(owner?: string): readonly TransferRecord[] {
    return this.#parts.rows.list(owner)
  }

  /** One call an id; ends with the caller's signal, a cancellation, or the service. */
  #run(
    transfer: TransferInit,
    direction: 'send' | 'receive',
    receive: ReceiveRun | undefined,
    options: TransferOptions,
    body: (context: RunContext) => Promise<Done>
  ): Promise<TransferResult> {
    const { id, device } = transfer
    if (this.#running.has(id)) {
      return Promise.reject(new SpacedriveError('ALREADY_RUNNING', `transfer ${id} runs already`))
    }
    const over = new AbortController()
    const { signal, clear } = linkSignals(options.signal, over.signal, this.#stopping.signal)
    const running: Running = { device, over, receive, settled: Promise.resolve() }
    this.#running.set(id, running)
    const whole = runTransfer(this.#parts, { transfer, direction, options, signal }, body).finally(() => {
      clear()
      this.#running.delete(id)
    })
    running.settled = whole
    return whole
  }

  /** Ends a transfer that is wanted no more, whether it runs or not. */
  async #giveUp(row: TransferRow, untold: boolean): Promise<void> {
    const { database, clock, rows } = this.#parts
    if (row.state === 'completed') return
    await database.write(transferWrites.end, { id: row.id, state: 'cancelled', untold, nowMs: clock.nowMs() })
    const running = this.#running.get(row.id)
    running?.over.abort(cancelled(row.id))
    await running?.settled.catch(() => {})
    const now = rows.find(row.id)
    if (now?.staged && now.state !== 'active') await this.#cleaner.clean(now)
  }

  readonly #onStream: PeerHandler = async (stream, peer) => {
    const { pool, clock, timings, pacing, log } = this.#parts
    try {
      await serveStream({
        ...{ stream, peer, pool, clock, timings, pacing, signal: this.#stopping.signal },
        find: id => this.#target(id, peer.device),
        cancelled: id => {
          const row = this.#parts.rows.find(id)
          if (row?.device !== peer.device || row.direction !== 'receive') return
          this.#giveUp(row, false).catch(err => {
            if (!this.#stopping.signal.aborted) log.error('a transfer could not be cancelled', { transfer: id, err })
          })
        }
      })
    } catch (err) {
      // What the other side has caused by breaking the rules is logged by who called us; the rest is ordinary.
      if (brokeRules(err)) throw err
      if (!hasCode(err, 'NOT_READY')) log.info('a transfer stream ended', { device: peer.device, err })
    }
  }

  /** What a stream may be about: a transfer that was accepted from this device, and no other. */
  #target(id: TransferId, device: DeviceId): StreamTarget {
    const running = this.#running.get(id)
    if (running?.receive !== undefined && running.device === device) return running.receive
    const row = this.#parts.rows.find(id)
    if (row === undefined || row.device !== device || row.direction !== 'receive' || row.state === 'failed')
      throw new SpacedriveError('GONE', 'no such transfer')
    if (row.state === 'cancelled') throw cancelled(id)
    if (row.state === 'active') throw new SpacedriveError('NOT_READY', 'the transfer is paused here')
    const { doneFiles: files, doneBytes: bytes, problemCount, problems } = row
    return {
      accept: async () => ({ files, bytes, problemCount, problems: [...problems] }),
      onBytes() {}
    }
  }
}
