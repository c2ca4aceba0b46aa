import { displayPath, type RelPath } from '../../storage/base/index.js'
import type { PhaseContext } from '../../storage/jobs/index.js'
import {
  type CopyProgress,
  CopyProgressSum,
  type Preparation,
  preparationText,
  type SkipReason
} from '../analysis/index.js'
import type { CopyState } from './state.js'
import type { Conflict, StagedCopy, TakeOutput } from './taking.js'

/** The part of a copy's state that is counted here. */
export type CountedState = Pick<CopyState, 'estimate' | 'copiedBefore' | 'seen' | 'counts'>

/** What is told of things that were found together. */
export interface FoundFigures {
  readonly files: number
  readonly bytes: number
}

/** What is told of how they were taken. */
export interface TakenFigures
  extends Pick<TakeOutput, 'same' | 'sameBytes' | 'skipped' | 'conflicts' | 'made' | 'resumedBytes' | 'later'> {
  readonly staged: readonly Pick<StagedCopy, 'bytes'>[]
}

/** Conflicts that one piece of progress names; the rest is in `job info`. */
const NAMED_CONFLICTS = 10

/** Counts what is found and what is done, for the progress and the result. Done never runs ahead of what was done. */
export class Tally {
  readonly #ctx: PhaseContext<CountedState>
  readonly #sum = new CopyProgressSum()
  readonly #found = { files: 0, bytes: 0 }
  #conflicts = 0

  constructor(ctx: PhaseContext<CountedState>) {
    this.#ctx = ctx
    const { estimate, copiedBefore } = ctx.state
    if (estimate !== null) this.#tell({ kind: 'initial-estimate', ...estimate, discovering: true })
    if (copiedBefore > 0) this.#tell({ kind: 'resume-detected', completedFiles: copiedBefore, remainingFiles: null })
  }

  found({ files, bytes, groups }: FoundFigures & { readonly groups: readonly { readonly dir: string }[] }): void {
    this.#found.files += files
    this.#found.bytes += bytes
    this.#ctx.state.seen.files += files
    this.#ctx.state.seen.bytes += bytes
    this.#tell({ kind: 'files-discovered', files, bytes, path: displayPath(groups.at(-1)?.dir ?? '') })
  }

  preparing(told: Preparation): void {
    this.#tell({ kind: 'preparation', ...told })
    if (told.done) this.#ctx.log(preparationText(told))
  }

  /** Nothing more will be found. */
  foundAll(): void {
    this.preparing({ phase: 'ready', done: true, ...this.#found })
    this.#tell({ kind: 'discovery-complete', ...this.#found })
  }

  bytes(bytes: number): void {
    this.#tell({ kind: 'bytes-copied', bytes })
  }

  /** What is being found out about the destination. */
  destination(path: RelPath, { files, bytes }: { readonly files: number; readonly bytes: number }): void {
    this.#tell({ kind: 'destination-analysis', path: displayPath(path), files, bytes })
  }

  /** Known to be there already. */
  same(files: number, bytes: number): void {
    const { seen } = this.#ctx.state
    seen.same += files
    seen.sameBytes += bytes
    this.#tell({ kind: 'files-skipped', files, bytes, reason: 'already-exists' })
  }

  /** Everything of a page that is not staged is done with. */
  taken(page: FoundFigures, out: TakenFigures): void {
    const { seen, counts } = this.#ctx.state
    seen.same += out.same
    seen.sameBytes += out.sameBytes
    for (const { reason } of out.skipped) seen.skipped[reason]++
    seen.conflicts += out.conflicts.length
    counts.directories += out.made.length
    counts.resumedBytes += out.resumedBytes
    // They are found once more when they are taken.
    this.#found.files -= out.later.length
    seen.files -= out.later.length
    const bytes = Math.max(0, page.bytes - out.staged.reduce((n, c) => n + c.bytes, 0))
    const rest = page.files - out.staged.length - out.later.length
    if (rest > 0 || bytes > 0) {
      const reason = reasonOf(out)
      this.#tell({ kind: 'files-skipped', files: Math.max(0, rest), bytes, reason })
    }
    if (out.conflicts.length > 0) this.#asked(out.conflicts)
  }

  placed(copies: readonly StagedCopy[], { attributes, removed }: { attributes: number; removed: number }): void {
    const { counts } = this.#ctx.state
    let sum = 0
    for (const { bytes, strategy, replaces } of copies) {
      counts.copied++
      counts.copiedBytes += bytes
      if (replaces !== undefined) counts.replaced++
      counts.strategies[strategy] = (counts.strategies[strategy] ?? 0) + 1
      sum += bytes
    }
    // One of thousands is told of by its name: nobody sees the others, which come in the same moment.
    const last = copies.at(-1)
    if (last !== undefined) {
      this.#sum.copied({ files: copies.length - 1, bytes: sum - last.bytes })
      this.#tell({ kind: 'file-copied', path: displayPath(last.path), bytes: last.bytes, discovered: false })
    }
    counts.attributes += attributes
    counts.removed += removed
    this.#ctx.progress({ detail: this.#sum.overall() })
  }

  #asked(list: readonly Conflict[]): void {
    this.#conflicts += list.length
    const conflicts = list.slice(0, NAMED_CONFLICTS).map(c => ({
      path: displayPath(c.path),
      ...{ sourceBytes: c.sourceBytes, destinationBytes: c.targetBytes },
      sourceModifiedMs: Number(c.sourceMtimeNs / 1_000_000n),
      destinationModifiedMs: Number(c.targetMtimeNs / 1_000_000n)
    }))
    this.#tell({ kind: 'conflicts-detected', conflicts, pending: this.#conflicts })
  }

  #tell(told: CopyProgress): void {
    this.#ctx.progress(this.#sum.tell(told))
  }
}

function reasonOf({ skipped }: Pick<TakeOutput, 'skipped'>): SkipReason {
  if (skipped.length === 0) return 'already-exists'
  return skipped.some(s => s.reason === 'exists') ? 'user-choice' : 'destination-newer'
}
