import { type Problem, type ProgressFields, ROOT, SpacedriveError } from '../base/index.js'
import type { Written } from './apply.worker.js'
import type { Gate } from './gate.js'
import type { Identifier } from './identifier.js'
import type {
  IndexPhase,
  IndexPhaseContext,
  IndexPhaseName,
  IndexReport,
  IndexRequest,
  IndexRun,
  IndexRunState
} from './indexer.js'
import type { IndexerParts } from './parts.js'
import { Tally } from './report.js'
import type { RuleScope } from './rules.js'
import { Scan } from './scan.js'
import { summing } from './sums.worker.js'

export interface TreeRunInit {
  request: IndexRequest
  resume: IndexRunState | undefined
  parts: IndexerParts
  gate: Gate
  scopes: readonly RuleScope[]
  identifier: Identifier
  /** Names of new entries become searchable. */
  indexNames(signal: AbortSignal): Promise<void>
  onWritten(written: Written): void
  onClosed(): void
}

/** One run over a location: the phases a job executes one after another, each of which may be executed again. */
export class TreeRun implements IndexRun {
  readonly phases: readonly IndexPhase[]
  readonly #init: TreeRunInit
  readonly #tally: Tally
  readonly #startedAt: number
  readonly #done: Set<IndexPhaseName>
  #scan: Scan | undefined
  #root = 0
  #closed = false

  constructor(init: TreeRunInit) {
    this.#init = init
    this.#tally = new Tally(init.resume?.report)
    this.#startedAt = init.resume?.startedAt ?? init.parts.clock.nowMs()
    this.#done = new Set(init.resume?.done)
    const mode = init.request.mode ?? init.request.location.mode
    const phase = (name: IndexPhaseName, work: (context: IndexPhaseContext) => Promise<void>): IndexPhase => ({
      name,
      execute: context => this.#execute(name, work, context)
    })
    this.phases = [
      phase('Discovery', context => this.#discover(context)),
      phase('Processing', context => this.#settle(context)),
      phase('Aggregation', context => this.#aggregate(context)),
      ...(mode === 'shallow' ? [] : [phase('Content', context => this.#content(context))]),
      ...(mode === 'deep' ? [phase('Deep', context => this.#deep(context))] : []),
      phase('Complete', context => this.#complete(context))
    ]
  }

  state(): IndexRunState {
    return { startedAt: this.#startedAt, done: [...this.#done], report: this.report() }
  }

  report(): IndexReport {
    return this.#tally.report()
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    try {
      await this.#scan?.end()
    } finally {
      this.#init.onClosed()
    }
  }

  async #execute(
    name: IndexPhaseName,
    work: (context: IndexPhaseContext) => Promise<void>,
    context: IndexPhaseContext
  ): Promise<void> {
    if (this.#closed) throw new SpacedriveError('STOPPED', 'this run of the indexer was closed')
    context.signal.throwIfAborted()
    const { clock } = this.#init.parts
    const from = clock.monotonicMs()
    try {
      await work(context)
      this.#done.add(name)
    } finally {
      this.#tally.took(name, clock.monotonicMs() - from)
    }
  }

  async #discover(context: IndexPhaseContext): Promise<void> {
    await this.#scan?.end()
    this.#scan = undefined
    this.#tally.beginWalk()
    const { request, gate } = this.#init
    await gate.enter()
    try {
      const scan = await this.#openScan(context)
      await scan.walk([{ path: request.from ?? ROOT, subtree: (request.scope ?? 'recursive') === 'recursive' }])
    } finally {
      gate.leave()
    }
  }

  async #settle(context: IndexPhaseContext): Promise<void> {
    const { gate } = this.#init
    await gate.enter()
    try {
      const scan = await this.#openScan(context)
      await scan.settle()
      await scan.end()
      this.#scan = undefined
    } finally {
      gate.leave()
    }
  }

  /** The scan of this run; made anew when the process is another one than that of the phase before. */
  async #openScan(context: IndexPhaseContext): Promise<Scan> {
    if (this.#scan !== undefined) return this.#scan
    const { request, gate, parts, scopes, onWritten } = this.#init
    const counts = this.#tally.counts
    const scan = new Scan({
      library: request.library,
      location: request.location,
      ...{ scopes, gate, parts },
      recurse: (request.scope ?? 'recursive') === 'recursive' ? 'all' : 'none',
      force: request.force ?? false,
      maxDepth: request.maxDepth ?? Number.POSITIVE_INFINITY,
      signal: context.signal,
      onWritten: written => {
        this.#tally.wrote(written.counts)
        onWritten(written)
      },
      onSeen: seen => {
        this.#tally.seen(seen)
        // Nothing is read yet: bytes would make a rate that means nothing.
        context.progress({ ...progressOf('Discovery', counts.files, null, 0), problems: counts.problems })
      },
      onProblem: problem => this.#problem(context, problem)
    })
    this.#root = await scan.begin()
    this.#scan = scan
    return scan
  }

  /** Sums are kept with every change; a forced run adds them up anew and says what was wrong. */
  async #aggregate(context: IndexPhaseContext): Promise<void> {
    const { request, parts } = this.#init
    const { library } = request
    if (!request.force) return
    const { wrong } = await parts.pool.run(
      summing.findWrong,
      { databaseFile: library.database.file, root: await this.#rootId(context) },
      { signal: context.signal }
    )
    if (wrong.length === 0) return
    await library.database.write(summing.correct, { wrong })
    parts.log.warn('sums of directories were wrong and were corrected', { directories: wrong.length })
  }

  async #content(context: IndexPhaseContext): Promise<void> {
    const { request, identifier } = this.#init
    const counts = this.#tally.counts
    const before = { files: counts.hashedFiles, bytes: counts.hashedBytes }
    await identifier.identifyTree({
      library: request.library,
      root: await this.#rootId(context),
      force: request.force ?? false,
      bypassFilters: request.bypassFilters ?? false,
      signal: context.signal,
      onProgress: done => {
        counts.hashedFiles = before.files + done.files
        counts.hashedBytes = before.bytes + done.bytes
        context.progress({
          ...progressOf('Content', done.files, done.totalFiles, done.bytes, done.totalBytes),
          problems: counts.problems
        })
      },
      onProblem: problem => this.#problem(context, problem)
    })
  }

  async #deep(context: IndexPhaseContext): Promise<void> {
    const counts = this.#tally.counts
    const before = counts.mediaFiles
    await this.#init.identifier.readMedia({
      library: this.#init.request.library,
      root: await this.#rootId(context),
      signal: context.signal,
      onProgress: done => {
        counts.mediaFiles = before + done.files
        context.progress({ ...progressOf('Deep', done.files, done.totalFiles, done.bytes), problems: counts.problems })
      },
      onProblem: problem => this.#problem(context, problem)
    })
  }

  async #complete(context: IndexPhaseContext): Promise<void> {
    await this.#init.indexNames(context.signal)
    const { files, bytes, problems } = this.#tally.counts
    context.progress({ ...progressOf('Complete', files, files, bytes, bytes), problems })
  }

  async #rootId(context: IndexPhaseContext): Promise<number> {
    if (this.#root === 0) {
      await this.#openScan(context)
      await this.#scan?.end()
      this.#scan = undefined
    }
    return this.#root
  }

  #problem(context: IndexPhaseContext, problem: Problem): void {
    this.#tally.counts.problems++
    context.problem(problem)
  }
}

const progressOf = (
  phase: IndexPhaseName,
  doneFiles: number,
  totalFiles: number | null,
  doneBytes: number,
  totalBytes: number | null = null
): ProgressFields & { phase: IndexPhaseName } => ({ phase, doneFiles, totalFiles, doneBytes, totalBytes })
