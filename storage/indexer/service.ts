import {
  type AbortOptions,
  displayPath,
  linkSignals,
  type Problem,
  type RelPath,
  SpacedriveError
} from '../base/index.js'
import type { Library } from '../libraries/index.js'
import type { Written } from './apply.worker.js'
import { Background } from './background.js'
import type { Browsed } from './browse.worker.js'
import { type BrowseRequest, EphemeralIndexes } from './ephemeral.js'
import { forgetting } from './forget.worker.js'
import { Gate } from './gate.js'
import { Identifier } from './identifier.js'
import type {
  AppliedChanges,
  Indexer,
  IndexLocation,
  IndexOptions,
  IndexPhaseName,
  IndexReport,
  IndexRequest,
  IndexRun,
  IndexRunState
} from './indexer.js'
import type { IndexerInit, IndexerParts } from './parts.js'
import { Tally } from './report.js'
import { TreeRun } from './run.js'
import { Scan } from './scan.js'
import { isIgnoreFile, ruleScopes } from './scopes.js'

/** Rows taken out by one write when a location is forgotten. */
const FORGET_ROWS = 5_000

export class IndexerService implements Indexer {
  readonly #parts: IndexerParts
  readonly #background: Background
  readonly #identifier: Identifier
  readonly #ephemeral: EphemeralIndexes
  readonly #gates = new WeakMap<Library, Gate>()
  readonly #busy = new Set<string>()
  #runs = 0

  constructor(init: IndexerInit) {
    this.#parts = { ...init, nextRun: () => ++this.#runs }
    this.#background = new Background(this.#parts)
    this.#ephemeral = new EphemeralIndexes(init)
    this.#identifier = new Identifier(this.#parts, (library, written) => this.#told(library, undefined, written))
  }

  indexTree(request: IndexRequest, resume?: IndexRunState): IndexRun {
    const { library, location } = request
    const key = `${library.id} ${location.id}`
    if (this.#busy.has(key)) {
      throw new SpacedriveError('LOCATION_BUSY', `${displayPath(location.path)} is being indexed already`, {
        hint: 'Wait for that job to end (spacedrive job list), or cancel it.'
      })
    }
    this.#busy.add(key)
    const walked = this.#background.walk(library)
    return new TreeRun({
      request,
      resume,
      parts: this.#parts,
      gate: this.#gate(library),
      scopes: ruleScopes(library, location, request.bypassFilters ?? false),
      identifier: this.#identifier,
      indexNames: signal => this.#background.names(library, signal),
      onWritten: written => this.#told(library, location, written),
      onClosed: () => {
        this.#busy.delete(key)
        walked()
      }
    })
  }

  async index(request: IndexRequest, options: IndexOptions = {}): Promise<IndexReport> {
    const run = this.indexTree(request)
    const { signal, clear } = linkSignals(options.signal)
    try {
      for (const phase of run.phases) {
        await phase.execute({
          signal,
          progress: progress => options.onProgress?.({ ...progress, phase: progress.phase as IndexPhaseName }),
          problem: problem => options.onProblem?.(problem)
        })
      }
      return run.report()
    } finally {
      clear()
      await run.close()
    }
  }

  async applyChanges(
    library: Library,
    location: IndexLocation,
    changes: readonly { path: RelPath; subtree?: boolean }[],
    { signal }: AbortOptions = {}
  ): Promise<AppliedChanges> {
    const tally = new Tally()
    const stale: number[] = []
    const problems: Problem[] = []
    let seq = 0
    let root = 0
    const linked = linkSignals(signal)
    const gate = this.#gate(library)
    await gate.enter()
    try {
      const scan = new Scan({
        ...{ library, location, gate, parts: this.#parts, signal: linked.signal },
        scopes: ruleScopes(library, location, false),
        recurse: 'new',
        force: false,
        maxDepth: Number.POSITIVE_INFINITY,
        onWritten: written => {
          tally.wrote(written.counts)
          seq = Math.max(seq, written.seq)
          stale.push(...written.stale)
          this.#told(library, location, written)
        },
        onSeen: seen => tally.seen(seen),
        onProblem: problem => problems.push(problem)
      })
      try {
        root = await scan.begin()
        await scan.walk(withIgnoreFiles(changes, location))
        await scan.settle()
      } finally {
        await scan.end()
      }
    } finally {
      gate.leave()
      linked.clear()
    }
    if (location.mode !== 'shallow') this.#hash(library, location, root, stale)
    const { created, modified, moved, deleted } = tally.counts
    return { created, modified, moved, deleted, seq, problems }
  }

  async forget(library: Library, { path }: IndexLocation, { signal }: AbortOptions = {}): Promise<void> {
    const gate = this.#gate(library)
    await gate.enter()
    try {
      for (;;) {
        signal?.throwIfAborted()
        const base = { run: 0, host: library.host, nowMs: this.#parts.clock.nowMs() }
        const seqLimit = await library.reserveSeq()
        const input = { ...base, seqLimit, path, limit: FORGET_ROWS }
        if (!(await library.database.write(forgetting.forget, input))) return
        await gate.letPass()
      }
    } finally {
      gate.leave()
    }
  }

  browse(request: BrowseRequest, options: AbortOptions = {}): Promise<Browsed> {
    return this.#ephemeral.browse(request, options)
  }

  settled(library: Library): Promise<void> {
    return this.#background.settled(library)
  }

  async closing(library: Library): Promise<void> {
    await this.#background.stop(library)
  }

  #hash(library: Library, location: IndexLocation, root: number, ids: readonly number[]): void {
    const prefix = location.path === '/' ? '/' : `${location.path}/`
    const lookAgain = async (outdated: readonly string[]): Promise<void> => {
      const paths = outdated.filter(p => p.startsWith(prefix)).map(p => ({ path: p.slice(prefix.length) as RelPath }))
      if (paths.length > 0) await this.applyChanges(library, location, paths)
    }
    this.#background.hash(this.#identifier, { library, root, ids, lookAgain })
  }

  #told(library: Library, location: IndexLocation | undefined, written: Written): void {
    const { counts, changes, seq } = written
    this.#background.wrote(library, written)
    const total = counts.created + counts.modified + counts.moved + counts.deleted
    if (total === 0) return
    const at = { library: library.id as string, location: (location?.id ?? '') as string }
    for (const { type, path, from } of changes) {
      const shown = displayPath(path)
      if (type === 'moved')
        this.#parts.events.emit('entry:moved', { ...at, path: shown, from: displayPath(from ?? '') })
      else this.#parts.events.emit(`entry:${type}`, { ...at, path: shown })
    }
    this.#parts.events.emit('index:changed', { ...at, seq, changes: total })
  }

  #gate(library: Library): Gate {
    const known = this.#gates.get(library)
    if (known !== undefined) return known
    const gate = new Gate()
    this.#gates.set(library, gate)
    return gate
  }
}

/** A change of an ignore file is a change of what it governs. */
function withIgnoreFiles(
  changes: readonly { path: RelPath; subtree?: boolean }[],
  { rules }: IndexLocation
): readonly { path: RelPath; subtree?: boolean }[] {
  const governed = changes.filter(c => isIgnoreFile(c.path, rules))
  if (governed.length === 0) return changes
  const parent = (path: RelPath): RelPath => path.slice(0, Math.max(0, path.lastIndexOf('/'))) as RelPath
  return [...changes, ...governed.map(c => ({ path: parent(c.path), subtree: true }))]
}
