/** Content of the next batch, brought into the staging place of its end while another one is placed. */
import type { ContentHash, Problem } from '../../storage/base/index.js'
import { ENDS, type Operation, otherEnd } from '../reconcile/index.js'
import { sizeOf } from './batch.js'
import { type StagedContent, stageContent } from './stage-content.js'
import { StagedNames } from './staged-names.js'
import type { TransitionInit } from './transition.js'
import { noteLearnt } from './unread-content.js'
import { wantedOf } from './wanted.js'

/** What came of bringing the content of a batch, by operation. */
export interface Brought {
  readonly failed: ReadonlyMap<number, Problem>
  /** Of what nobody had read before. */
  readonly hashes: ReadonlyMap<number, ContentHash>
  /** All of it outlives a power loss: `Staging.makeDurable`. */
  readonly durable: boolean
}

/** What goes on. */
export interface Bring {
  /** All of it lies staged: the next batch may be. */
  readonly staged: Promise<unknown>
  readonly brought: Promise<Brought>
}

interface Staged extends StagedContent {
  /** Files and links. */
  readonly count: number
}

const NOTHING_BROUGHT: Brought = { failed: new Map(), hashes: new Map(), durable: false }

/** Batches whose content may lie staged when a session ends: one being placed, one being brought. Groups come between. */
const BATCHES_LEFT = 4

/** The content of one plan. */
export class Bringing {
  /** Where it lies staged. */
  readonly names: StagedNames
  readonly #init: TransitionInit
  #brought = 0

  constructor(init: TransitionInit) {
    this.#init = init
    this.names = new StagedNames(init.resumes === true)
  }

  /** Stages what a batch needs, checked, and durable where many files are made so at once. */
  bring(batch: readonly Operation[], onBytes: (written: number) => void): Bring {
    const staged = this.#stage(batch, onBytes)
    const brought = staged.then(content => (content === undefined ? NOTHING_BROUGHT : this.#settle(batch, content)))
    return { staged, brought }
  }

  /** @returns undefined: it needs nothing */
  async #stage(batch: readonly Operation[], onBytes: (written: number) => void): Promise<Staged | undefined> {
    const { pool, ends, signal } = this.#init
    const wanted = batch.flatMap(op => wantedOf(op, this.names.of(op)))
    if (wanted.length === 0) return undefined
    const { end } = batch[0]!
    const { endpoint, stage, here, stageOwn } = ends[end]
    const bytes = batch.reduce((sum, op) => sum + sizeOf(op), 0)
    await endpoint.ensureSpace(bytes, { signal })
    // A session that was cut off leaves what two batches staged, and a plan begins with what was not placed.
    const isLeft = this.#init.resumes === true && stage?.fresh !== true && this.#brought++ < BATCHES_LEFT
    const from = ends[otherEnd(end)].endpoint
    const init = { from, at: endpoint, stage: stage!, here, pool, resumes: isLeft }
    // Both ends hear of it: one that only waits would take its folder back.
    const onRead = (): void => {
      for (const each of ENDS) ends[each].gotOn?.()
    }
    const onWritten = (written: number): void => {
      onRead()
      onBytes(written)
    }
    const options = { ...(signal && { signal }), onBytes: onWritten, onRead }
    const rest = stageOwn === undefined ? wanted : await stageOwn(wanted, options)
    const content = await stageContent(init, rest, options)
    return { ...content, count: wanted.length }
  }

  /** While the content of the next batch is staged already. */
  async #settle(batch: readonly Operation[], { failed, learnt, count }: Staged): Promise<Brought> {
    const { ends, snapshot, signal } = this.#init
    const { end } = batch[0]!
    const [hashes, durable] = await bothDone(
      noteLearnt(snapshot, otherEnd(end), learnt),
      ends[end].here?.staging.makeDurable(count, { signal }) ?? Promise.resolve(false)
    )
    return { failed, hashes, durable }
  }
}

/** The same as `Promise.all`, but both have ended when it throws: nothing is left at work. */
export async function bothDone<A, B>(a: Promise<A>, b: Promise<B>): Promise<[A, B]> {
  await Promise.allSettled([a, b])
  return Promise.all([a, b])
}
