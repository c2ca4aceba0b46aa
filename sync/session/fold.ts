/** What a run achieved, on its way into the archive: page by page, in the order of the plan. */
import type { AbortOptions, RelPath } from '../../storage/base/index.js'
import type { Database } from '../../storage/sql/index.js'
import { archiving } from './archive.worker.js'
import { FOLD_BEGIN, type FoldedPage, type FoldPosition, folding } from './fold.worker.js'

export interface FoldInit extends AbortOptions {
  /** The instance database. */
  readonly db: Database
  readonly sync: number
  readonly planFile: string
  /**
   * It goes on while the run does. Only where no archive counts: then nobody reads what it writes before the run ends, and what is
   * left of a run that does not is cleared away before the next plan (`clearUncounted`).
   */
  readonly behind: boolean
}

export interface Folded {
  readonly changes: number
  /** Something was agreed on. */
  readonly agreed: boolean
  /** Of what is said twice of a path, the last counts. */
  readonly unsettled: readonly { readonly path: RelPath; readonly why: string }[]
}

/**
 * A page tells what came of operations that are decided, which does not change any more: so it says the same whenever it is written,
 * and pages are written in one order.
 */
export class Fold {
  readonly #init: FoldInit
  readonly #missed: RelPath[] = []
  #next: FoldPosition | undefined = FOLD_BEGIN
  #left: FoldedPage['left'] = []
  #changes = 0
  #agreed = false
  #decided = -1
  #folding: Promise<void> = Promise.resolve()

  constructor(init: FoldInit) {
    this.#init = init
  }

  /** What came of all operations up to a number stands in the file of the plan. */
  noteDecided(upTo: number): void {
    this.#decided = upTo
    if (!this.#init.behind) return
    this.#folding = this.#folding.then(() => this.#pages())
    this.#folding.catch(() => {}) // awaited by `end`
  }

  /** Resolves when nothing of it is at work any more, whatever came of it. */
  async stop(): Promise<void> {
    await Promise.allSettled([this.#folding])
  }

  /** All that is left, when every operation is decided. @throws `signal.reason`; what a write may throw */
  async end(): Promise<Folded> {
    await this.#folding
    this.#decided = Number.MAX_SAFE_INTEGER
    await this.#pages()
    this.#init.signal?.throwIfAborted()
    const missed = this.#missed.map(path => ({ path, why: 'problem' }))
    return { changes: this.#changes, agreed: this.#agreed, unsettled: [...missed, ...this.#left] }
  }

  /** Stops where it waits for operations, and where it is cancelled. */
  async #pages(): Promise<void> {
    const { db, sync, planFile, signal } = this.#init
    for (let waits = false; this.#next !== undefined && !waits && signal?.aborted !== true; ) {
      const input = { planFile, sync, from: this.#next, decided: this.#decided }
      const page: FoldedPage = await db.maintain(folding.page, input)
      this.#changes += page.changes
      this.#agreed ||= page.agreed
      this.#missed.push(...page.missed)
      ;({ next: this.#next, left: this.#left, waits } = page)
    }
  }
}

/**
 * The archive was lost, or is not to be trusted: the run goes on as a first one. At once for whoever reads it; its rows, a million perhaps, go some at a
 * time, so that nobody waits long who writes. Cut off in between, the next plan clears the rest.
 * @param options.batch - where counting goes on
 */
export async function dropArchive(
  db: Database,
  sync: number,
  { batch, signal }: { readonly batch?: number | undefined } & AbortOptions = {}
): Promise<void> {
  await db.write(archiving.discount, { sync, batch })
  await clearUncounted(db, sync, { signal })
}

/**
 * Rows of an archive that does not count, left by a first run that did not come to its end. To a plan they would say of what was
 * removed since that both ends had agreed on it.
 */
export async function clearUncounted(db: Database, sync: number, { signal }: AbortOptions = {}): Promise<void> {
  const any = () => db.get('SELECT 1 AS n FROM sync_archive WHERE sync = ? LIMIT 1', [sync]) !== undefined
  while (any()) {
    signal?.throwIfAborted()
    await db.write(archiving.clear, { sync })
  }
}
