import { linkSignals, type Problem } from '../../storage/base/index.js'
import type { CopierInit } from '../../storage/files/index.js'
import type { FoundPage } from './pages.js'
import type { Placer } from './placer.js'
import type { CopyComponents } from './ports.js'
import { taking } from './take.worker.js'
import type { Conflict, StagedCopy, TakeInput, TakeOutput } from './taking.js'

export interface CopyRunInit {
  readonly components: CopyComponents
  readonly copier: CopierInit
  readonly take: Omit<TakeInput, 'groups' | 'stageIn'>
  /** undefined in a dry run: nothing is staged, nothing placed. */
  readonly placer: Placer | undefined
  /** Top of what is staged, unique to this run. */
  readonly stageIn: string
  readonly signal: AbortSignal
  readonly heard: CopyHeard
}

/** What a run tells, in the order in which it happens. */
export interface CopyHeard {
  taken(page: FoundPage, out: TakeOutput): void
  /** Bytes of a large file on its way. */
  bytes(n: number): void
  placed(copies: readonly StagedCopy[], more: { attributes: number; removed: number }): void
  conflicts(list: readonly Conflict[]): Promise<void>
  problem(problem: Problem): void
  /** A moment at which the state is whole. */
  rest(): Promise<void>
}

/** Staged pages that may wait for their names: with what is being staged the 256 MiB that one error makes us do again. */
const PAGES_WAITING = 4

/** Takes pages, as many at once as bulk work may have threads, and gives what they staged its names, all that waits in one go. */
export class CopyRun {
  readonly #init: CopyRunInit
  readonly #waiting: { page: FoundPage; out: TakeOutput }[] = []
  readonly #stop = new AbortController()
  #taking = 0
  #placing = false
  #error: { readonly cause: unknown } | undefined
  #page = 0
  #reflinks: TakeInput['route']['reflinks']
  #wake: () => void = () => {}

  constructor(init: CopyRunInit) {
    this.#init = init
    this.#reflinks = init.take.route.reflinks
  }

  /** @throws what concerns all of it; `signal.reason` */
  async copy(pages: AsyncIterable<FoundPage>): Promise<void> {
    const { signal, clear } = linkSignals(this.#init.signal, this.#stop.signal)
    const onAbort = (): void => this.#wake()
    this.#init.signal.addEventListener('abort', onAbort, { once: true })
    try {
      for await (const page of pages) {
        // Further names of a file are made when the first is there.
        await this.#until(() =>
          page.links
            ? this.#idle
            : this.#taking < this.#init.components.pool.bulkWidth && this.#waiting.length < PAGES_WAITING
        )
        void this.#take(page, signal)
      }
      await this.#until(() => this.#idle)
    } catch (err) {
      this.#fail(err)
    } finally {
      while (!this.#idle) await this.#change()
      this.#init.signal.removeEventListener('abort', onAbort)
      clear()
    }
    this.#init.signal.throwIfAborted()
    if (this.#error !== undefined) throw this.#error.cause
  }

  get #idle(): boolean {
    return this.#taking === 0 && !this.#placing && this.#waiting.length === 0
  }

  async #take(page: FoundPage, signal: AbortSignal): Promise<void> {
    const { components, take, copier, stageIn, heard } = this.#init
    this.#taking++
    try {
      for (const p of page.problems) heard.problem(p)
      const input: TakeInput = {
        ...{ ...take, groups: page.groups, known: page.known, stageIn: `${stageIn}/${this.#page++}` },
        route: { ...take.route, reflinks: this.#reflinks }
      }
      const out = await components.pool.run(taking.take, { ...copier, ...input }, { signal, onEmit: heard.bytes })
      if (out.reflinks !== 'untried') this.#reflinks = out.reflinks
      this.#waiting.push({ page, out })
    } catch (err) {
      this.#fail(err)
    } finally {
      this.#taking--
      this.#wake()
    }
    if (!this.#placing) void this.#place()
  }

  async #place(): Promise<void> {
    this.#placing = true
    try {
      while (this.#waiting.length > 0) {
        const list = this.#waiting.splice(0)
        this.#wake()
        if (this.#error !== undefined || this.#init.signal.aborted) continue
        await this.#placeList(list)
      }
    } catch (err) {
      this.#fail(err)
    } finally {
      this.#placing = false
      this.#wake()
    }
  }

  async #placeList(list: readonly { page: FoundPage; out: TakeOutput }[]): Promise<void> {
    const { heard, placer } = this.#init
    for (const { page, out } of list) {
      heard.taken(page, out)
      for (const p of out.problems) heard.problem(p)
      if (out.conflicts.length > 0) await heard.conflicts(out.conflicts)
    }
    if (placer === undefined) return
    const { copies, ...more } = await placer.place(list.map(l => l.out))
    heard.placed(copies, more)
    await heard.rest()
  }

  /** The first error ends everything that is under way. */
  #fail(cause: unknown): void {
    this.#error ??= { cause }
    this.#stop.abort(cause)
    this.#wake()
  }

  async #until(holds: () => boolean): Promise<void> {
    for (;;) {
      if (this.#error !== undefined) throw this.#error.cause
      this.#init.signal.throwIfAborted()
      if (holds()) return
      await this.#change()
    }
  }

  #change(): Promise<void> {
    return new Promise(resolve => {
      this.#wake = resolve
    })
  }
}
