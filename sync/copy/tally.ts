import type { PhaseContext } from '../../storage/jobs/index.js'
import type { FoundPage } from './pages.js'
import type { CopyState } from './state.js'
import type { StagedCopy, TakeOutput } from './taking.js'

/** Counts what is found and what is done, for the progress and the result. Done never runs ahead of what was done. */
export class Tally {
  readonly #ctx: PhaseContext<CopyState>
  readonly #found = { files: 0, bytes: 0 }
  readonly #done = { files: 0, bytes: 0 }
  /** Of large files that are on their way; counted again when they are placed. */
  #onTheWay = 0
  #discovering = true

  constructor(ctx: PhaseContext<CopyState>) {
    this.#ctx = ctx
  }

  found({ files, bytes }: FoundPage): void {
    this.#found.files += files
    this.#found.bytes += bytes
    this.#ctx.state.seen.files += files
    this.#ctx.state.seen.bytes += bytes
    this.#tell()
  }

  bytes(n: number): void {
    this.#onTheWay += n
    this.#tell()
  }

  /** Everything of a page that is not staged is done with. */
  taken(page: FoundPage, out: TakeOutput): void {
    const { seen, counts } = this.#ctx.state
    seen.same += out.same
    seen.sameBytes += out.sameBytes
    for (const { reason } of out.skipped) seen.skipped[reason]++
    seen.conflicts += out.conflicts.length
    counts.directories += out.made.length
    const staged = out.staged.reduce((n, c) => n + c.bytes, 0)
    this.#done.files += page.files - out.staged.length
    this.#done.bytes += Math.max(0, page.bytes - staged)
    this.#tell()
  }

  placed(copies: readonly StagedCopy[], { attributes, removed }: { attributes: number; removed: number }): void {
    const { counts } = this.#ctx.state
    for (const { bytes, strategy, replaces } of copies) {
      counts.copied++
      counts.copiedBytes += bytes
      if (replaces !== undefined) counts.replaced++
      counts.strategies[strategy] = (counts.strategies[strategy] ?? 0) + 1
      this.#done.files++
      this.#done.bytes += bytes
      this.#onTheWay = Math.max(0, this.#onTheWay - bytes)
    }
    counts.attributes += attributes
    counts.removed += removed
    this.#tell()
  }

  /** Everything was found and handled. */
  end(): void {
    this.#discovering = false
    this.#onTheWay = 0
    this.#done.files = this.#found.files
    this.#done.bytes = this.#found.bytes
    this.#tell()
  }

  #tell(): void {
    const { files, bytes } = this.#found
    this.#ctx.progress({
      doneFiles: this.#done.files,
      doneBytes: Math.min(bytes, this.#done.bytes + this.#onTheWay),
      totalFiles: this.#discovering ? null : files,
      totalBytes: this.#discovering ? null : bytes,
      message: this.#discovering ? `found ${files.toLocaleString('en-US')} files so far` : ''
    })
  }
}
