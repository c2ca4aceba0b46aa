import { join } from 'node:path'
import {
  type AbsPath,
  errorCode,
  hasCode,
  type Logger,
  type MessageId,
  SpacedriveError,
  type TransferId,
  toError,
  type WorkerPool
} from '../../storage/base/index.js'
import type { ContentKind } from '../../storage/entries/index.js'
import { readFileBounded, removeEmptyDir, removeFile } from '../../storage/files/index.js'
import type { Messaging } from '../messaging/index.js'
import type { TransferInit, TransferResult, TransferService } from '../transfer/index.js'
import { keyOf, type OfferBook } from './book.js'
import { kindChecks } from './kinds.worker.js'
import { MAX_TEXT_BYTES } from './limits.js'
import type { OfferKey } from './offers.worker.js'
import type { Offer, OfferResult } from './store.js'

export interface MoverInit {
  book: OfferBook
  transfers: TransferService
  messages: Pick<Messaging, 'recordText'>
  pool: WorkerPool
  log: Logger
}

export const OWNER = 'spacedrop'
/** The name of the one file of a text drop. */
export const TEXT_NAME = 'text'

/** Runs the transfers of accepted offers, to their end, over restarts. */
export class Mover {
  readonly #init: MoverInit
  readonly #runs = new Map<string, { controller: AbortController; done: Promise<void> }>()
  /** The transfers of these runs alone, without what follows on their end. */
  readonly #moving = new Map<string, Promise<unknown>>()
  #stopped = false

  constructor(init: MoverInit) {
    this.#init = init
  }

  /** For an accepted offer; once more for the same one does nothing. The transfer is registered when this returns. */
  run(offer: Offer): void {
    const key = keyOf(offer)
    if (this.#stopped || this.#runs.has(key)) return
    const controller = new AbortController()
    const done = this.#move(offer, controller.signal)
      .catch((err: unknown) => this.#init.log.error('a drop could not be finished', { offer: offer.id, err }))
      .finally(() => this.#runs.delete(key))
    this.#runs.set(key, { controller, done })
  }

  /** Ends a transfer for good; the other side is told. */
  async cancel(key: OfferKey): Promise<void> {
    await this.#cancelTransfer(key)
    await this.#runs.get(keyOf(key))?.done
  }

  /** Resolves when no transfer of this offer runs. */
  async idle(key: OfferKey): Promise<void> {
    await this.#moving.get(keyOf(key))
  }

  /** Stops at once, without a word to the other side. */
  abort(key: OfferKey, reason: Error): void {
    this.#runs.get(keyOf(key))?.controller.abort(reason)
  }

  /** What runs goes on at the next start. */
  async stop(): Promise<void> {
    this.#stopped = true
    const reason = new SpacedriveError('STOPPED', 'the program is stopping')
    for (const { controller } of this.#runs.values()) controller.abort(reason)
    await Promise.all([...this.#runs.values()].map(r => r.done))
  }

  async #move(offer: Offer, signal: AbortSignal): Promise<void> {
    const { book } = this.#init
    try {
      const result = await this.#moved(offer, signal)
      await book.step(offer, 'completed', { result: JSON.stringify(result) })
    } catch (err) {
      if (signal.aborted) return
      // Ended by a person at either side: who did it has said so in the row, else it was the other one.
      const event = hasCode(err, 'CANCELLED', 'GONE') ? 'cancelled' : 'failed'
      if (event === 'failed') this.#init.log.warn('a drop failed', { offer: offer.id, device: offer.device, err })
      await book.step(offer, event, { code: errorCode(err), message: toError(err).message })
      await this.#cancelTransfer(offer)
    }
  }

  async #cancelTransfer({ id }: OfferKey): Promise<void> {
    try {
      await this.#init.transfers.cancel(id as string as TransferId)
    } catch (err) {
      if (!hasCode(err, 'NOT_FOUND')) throw err // it had not begun
    }
  }

  async #moved(offer: Offer, signal: AbortSignal): Promise<OfferResult> {
    const key = keyOf(offer)
    const moving = offer.direction === 'out' ? this.#send(offer, signal) : this.#receive(offer, signal)
    this.#moving.set(
      key,
      moving.catch(() => {})
    )
    try {
      return await moving
    } finally {
      this.#moving.delete(key)
    }
  }

  async #send(offer: Offer, signal: AbortSignal): Promise<OfferResult> {
    const { book, transfers } = this.#init
    const onProgress = book.progressed.bind(book, offer)
    const sent = await transfers.send(transferOf(offer), { signal, onProgress })
    if (offer.kind === 'text' && offer.spool !== undefined) await this.#recordText(offer, offer.spool)
    return resultOf(sent, [])
  }

  async #receive(offer: Offer, signal: AbortSignal): Promise<OfferResult> {
    const { book, transfers } = this.#init
    const { types } = offer
    const into = offer.into!
    const received = await transfers.receive(
      { ...transferOf(offer), into, keepExecutable: offer.keepExecutable },
      {
        signal,
        onProgress: book.progressed.bind(book, offer),
        ...(types !== undefined && {
          beforePlacing: (staged, options) => this.#release(offer, types, staged, options.signal)
        })
      }
    )
    if (offer.kind === 'text') await this.#takeText(offer, into)
    return resultOf(received, offer.kind === 'text' ? [] : received.placed.map(p => p.path))
  }

  /** Lets what is staged get its names: at once when the rule allows its kinds, else when a person has said so. */
  async #release(offer: Offer, types: readonly ContentKind[], staged: AbsPath, signal: AbortSignal): Promise<void> {
    const { book } = this.#init
    const now = book.find(offer)
    if (now?.types === undefined) return // a person has said yes to it as it is
    // One that is held was checked before a restart; a second look could cross the person's answer.
    if (now.state !== 'held') {
      try {
        return await this.#ensureKinds(offer, types, staged, signal)
      } catch (err) {
        if (!hasCode(err, 'KIND_REFUSED')) throw err
        await book.step(offer, 'held', { code: 'KIND_REFUSED', message: toError(err).message })
      }
    }
    const { state } = await book.until(offer, o => o.state !== 'held', signal)
    if (state !== 'accepted') throw new SpacedriveError('CANCELLED', 'the offer was declined after all')
  }

  async #ensureKinds(offer: Offer, types: readonly ContentKind[], staged: AbsPath, signal: AbortSignal): Promise<void> {
    const { transfers, pool } = this.#init
    const { selection } = offer
    const wanted = (index: number): boolean =>
      selection === 'all' || ((selection[index >> 3] ?? 0) & (1 << (index & 7))) !== 0
    for await (const page of transfers.manifests.entries(offer.manifest!)) {
      const files = page
        .filter(e => e.kind === 'file' && wanted(e.index))
        .map(({ path, sizeBytes }) => ({ path, sizeBytes }))
      if (files.length > 0) await pool.run(kindChecks.ensureKinds, { staged, files, types }, { signal })
    }
  }

  /** The text joins the messages; a second time (the daemon died in between) it is there already. */
  async #takeText(offer: Offer, dir: AbsPath): Promise<void> {
    const file = join(dir, TEXT_NAME) as AbsPath
    await this.#recordText(offer, file)
    await removeFile(file)
    await removeEmptyDir(dir)
  }

  async #recordText(offer: Offer, file: AbsPath): Promise<void> {
    const bytes = await readFileBounded(file, MAX_TEXT_BYTES)
    if (bytes === undefined) return
    const { device, direction, createdMs } = offer
    const text = new TextDecoder().decode(bytes)
    await this.#init.messages.recordText({
      id: offer.id as string as MessageId,
      device,
      direction,
      text,
      sentAtMs: createdMs
    })
  }
}

function transferOf(offer: Offer): TransferInit {
  const { device, selection } = offer
  return { id: offer.id as string as TransferId, device, manifest: offer.manifest!, selection, owner: OWNER }
}

function resultOf({ files, bytes, problems, problemCount }: TransferResult, placed: AbsPath[]): OfferResult {
  return { files, bytes, problems, problemCount, placed }
}
