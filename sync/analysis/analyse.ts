import {
  type AbortOptions,
  displayPath,
  hasCode,
  isAbort,
  isWithin,
  parentOf,
  type Random,
  type RelPath,
  ROOT,
  toError,
  type WorkerPool
} from '../../storage/base/index.js'
import type { Endpoint, TreeEntry, TreePage } from '../endpoints/index.js'
import { type Confidence, type ConfidenceReason, confidenceOf, isSameDirectory } from './freshness.js'
import { knownTree } from './known.js'
import { AHEAD_ENTRIES, MAX_PASSED_OVER, MAX_TOLD } from './limits.js'
import type { IndexPlace } from './places.js'
import { readAhead } from './read-ahead.js'
import { ToldTable } from './told-table.js'

/**
 * - `auto`: what the index knows first; then all of the disk is walked, and what is otherwise there follows
 * - `index`: what the index knows first; then only what it does not know is walked (stale and filtered directories)
 * - `scan`: the disk alone
 */
export type Prepare = 'auto' | 'index' | 'scan'

export interface AnalyseInit extends AbortOptions {
  readonly endpoint: Endpoint
  /** Below the endpoint's root. */
  readonly path?: RelPath | undefined
  /** Where an index holds that path. Without it the disk alone is asked, and a note says so. */
  readonly place?: IndexPlace | undefined
  readonly prepare?: Prepare | undefined
  readonly pool: WorkerPool
  readonly random: Random
  readonly ours?: readonly string[] | undefined
  /** For tests: those of limits.ts. */
  readonly limits?: { readonly told?: number; readonly passedOver?: number } | undefined
}

/**
 * Why the disk tells of an entry that the index was asked about as well. `new`: the index does not have it. `filtered`: a rule
 * keeps it out. `changed`: it is otherwise. `stale`: its directory's listing did not hold. `scan`: the index was not asked.
 */
export type FoundWhy = 'new' | 'filtered' | 'changed' | 'stale' | 'scan'

export interface AnalysedPage {
  /** `disk`: takes the place of what the index told of the same paths. */
  readonly from: 'index' | 'disk'
  readonly entries: readonly AnalysedEntry[]
}

export type AnalysedEntry = TreeEntry & { readonly why?: FoundWhy | undefined }

export interface AnalysisNote {
  readonly code: 'NO_INDEX' | 'INDEX_FAILED' | 'LOW_CONFIDENCE' | 'TOO_STALE'
  readonly message: string
}

/** How far it is; final when the pages have ended. */
export interface AnalysisSummary {
  readonly known: Counts
  /** Told by the disk: not or otherwise known to the index. */
  readonly found: Counts
  /** Folders of the index that a look did not find as they were listed, and those that its rules leave out. */
  readonly passedOver: { readonly stale: number; readonly filtered: number }
  /** Entries of the index that the walk did not come by: gone, or replaced by something else. */
  readonly vanished: number
  /** True when nothing more will be found. */
  readonly complete: boolean
  readonly confidence: Confidence
  readonly reasons: readonly ConfidenceReason[]
  readonly notes: readonly AnalysisNote[]
}

export interface Counts {
  readonly files: number
  readonly directories: number
  readonly bytes: number
}

export interface Analysis {
  /** To be read once. Pages of the index come in tree order, and then those of the disk in tree order. */
  pages(): AsyncGenerator<AnalysedPage>
  summary(): AnalysisSummary
}

type Passed = 'names' | 'stale' | 'filtered'
type Mutable = { files: number; directories: number; bytes: number }
const nothing = (): Mutable => ({ files: 0, directories: 0, bytes: 0 })

/**
 * A tree as a stream: from the index, from the disk, or from both joined. With `auto` what was told last of each path is exactly
 * what the disk shows, but that entries of the index which are gone are only counted (`vanished`): whoever takes one finds
 * nothing there. Memory: some 40 bytes an entry of the index, and what is read ahead.
 */
export function analyse(init: AnalyseInit): Analysis {
  return new TreeAnalysis(init)
}

class TreeAnalysis implements Analysis {
  readonly #init: AnalyseInit
  readonly #table: ToldTable
  readonly #limits: { readonly told: number; readonly passedOver: number }
  readonly #known = nothing()
  readonly #found = nothing()
  readonly #notes: AnalysisNote[] = []
  /** Directories that the index passed over: their names alone, or with all below them. */
  readonly #passed = new Map<RelPath, Passed>()
  readonly #passedOverCounts = { stale: 0, filtered: 0 }
  #passedAll = true
  #byWatcher = false
  #complete = false
  #confidence: { confidence: Confidence; reasons: readonly ConfidenceReason[] } = {
    confidence: 'low',
    reasons: ['no-index']
  }

  constructor(init: AnalyseInit) {
    this.#init = init
    this.#table = new ToldTable(init.random.bytes(16))
    this.#limits = { told: MAX_TOLD, passedOver: MAX_PASSED_OVER, ...init.limits }
  }

  pages(): AsyncGenerator<AnalysedPage> {
    return readAhead(this.#all(), AHEAD_ENTRIES, page => page.entries.length)
  }

  summary(): AnalysisSummary {
    const vanished = this.#complete && this.#init.prepare !== 'index' ? this.#table.unmet : 0
    const { confidence, reasons } = this.#confidence
    return {
      known: { ...this.#known },
      ...{ found: { ...this.#found }, passedOver: { ...this.#passedOverCounts } },
      ...{ vanished, complete: this.#complete, confidence, reasons, notes: [...this.#notes] }
    }
  }

  async *#all(): AsyncGenerator<AnalysedPage> {
    const { place, prepare = 'auto', endpoint } = this.#init
    const asked = prepare !== 'scan' && place !== undefined && endpoint.local !== undefined
    if (asked) yield* this.#fromIndex(place)
    else if (prepare !== 'scan') this.#note('NO_INDEX', 'it is in no index that is open here: the disk alone is asked')
    if (asked && prepare === 'index' && this.#mayTrust()) yield* this.#passedOver()
    else yield* this.#fromDisk(this.#init.path ?? ROOT, !asked)
    this.#complete = true
  }

  async *#fromIndex(place: IndexPlace): AsyncGenerator<AnalysedPage> {
    const { pool, endpoint, ours, signal, path = ROOT } = this.#init
    const facts = await endpoint.about({ signal })
    this.#confidence = confidenceOf(facts, false)
    const { timeStepNs } = facts
    try {
      for await (const page of knownTree(pool, place, { ours, timeStepNs, signal, limit: this.#limits.told })) {
        this.#byWatcher ||= page.byWatcher
        for (const { path: dir, why } of page.stale)
          this.#pass(below(path, dir), isSameDirectory(why) ? 'names' : 'stale')
        this.#passedOverCounts.stale += page.stale.length
        this.#passedOverCounts.filtered += page.filtered.length
        for (const dir of page.filtered) this.#pass(below(path, dir), 'filtered')
        if (page.entries.length === 0) continue
        const entries = path === ROOT ? page.entries : page.entries.map(e => ({ ...e, path: below(path, e.path) }))
        for (const entry of entries) {
          this.#table.add(entry)
          count(this.#known, entry)
        }
        yield { from: 'index', entries }
      }
    } catch (err) {
      signal?.throwIfAborted()
      if (isAbort(err)) throw err
      this.#note('INDEX_FAILED', `the index of ${displayPath(place.path)} cannot be read: ${toError(err).message}`)
      this.#passedAll = false
    }
    if (this.#known.files + this.#known.directories >= this.#limits.told) this.#passedAll = false
    this.#confidence = confidenceOf(facts, this.#byWatcher)
    if (this.#confidence.confidence === 'low') {
      this.#note('LOW_CONFIDENCE', `times of directories prove little there (${this.#confidence.reasons.join(', ')})`)
    }
  }

  /** What the index does not know is little enough to be walked by itself. */
  #mayTrust(): boolean {
    if (this.#confidence.confidence === 'low') return false
    if (this.#passedAll) return true
    this.#note('TOO_STALE', 'the index does not know too much of it: all of the disk is walked')
    return false
  }

  async *#passedOver(): AsyncGenerator<AnalysedPage> {
    for (const [path, passed] of this.#passed) {
      if (passed !== 'names') yield* this.#walked(path, passed)
      else {
        for await (const { entries } of this.#below(path, 1)) {
          const others = entries.filter(({ path: p }) => p === path || !this.#passed.has(p))
          const fresh = others.filter(entry => this.#table.meet(entry) === 'new')
          if (fresh.length > 0) yield { from: 'disk', entries: fresh.map(entry => this.#foundAs(entry, 'stale')) }
          for (const { path: p, stat } of fresh) {
            if (p !== path && stat.kind === 'directory') yield* this.#walked(p, 'new', true)
          }
        }
      }
    }
  }

  async *#walked(path: RelPath, why: FoundWhy, told = false): AsyncGenerator<AnalysedPage> {
    for await (const { entries } of this.#below(path)) {
      const rest = told ? entries.filter(entry => entry.path !== path) : entries
      if (rest.length > 0) yield { from: 'disk', entries: rest.map(entry => this.#foundAs(entry, why)) }
    }
  }

  /** What is gone by now has nothing below it; what stands there instead its parent's listing shows. */
  async *#below(path: RelPath, depth?: number): AsyncGenerator<TreePage> {
    const { endpoint, signal } = this.#init
    try {
      yield* endpoint.walk(path, { depth, signal })
    } catch (err) {
      if (!hasCode(err, 'MISSING', 'LINK_IN_PATH')) throw err
    }
  }

  /** @param scan - the index was not asked: there is nothing to compare with */
  async *#fromDisk(path: RelPath, scan: boolean): AsyncGenerator<AnalysedPage> {
    let within: { dir: RelPath; why: 'stale' | 'filtered' } | undefined
    for await (const page of this.#init.endpoint.walk(path, { signal: this.#init.signal })) {
      const entries: AnalysedEntry[] = []
      for (const entry of page.entries) {
        const passed = this.#passed.get(entry.path)
        if (passed === 'stale' || passed === 'filtered') within = { dir: entry.path, why: passed }
        else if (within !== undefined && !isWithin(entry.path, within.dir)) within = undefined
        const told = scan ? 'new' : this.#table.meet(entry)
        if (told === 'same') continue
        if (scan) entries.push(this.#foundAs(entry, 'scan'))
        else if (told === 'changed') entries.push(this.#foundAs(entry, 'changed'))
        else entries.push(this.#foundAs(entry, within?.why ?? this.#whyNew(entry.path)))
      }
      if (entries.length > 0) yield { from: 'disk', entries }
    }
  }

  #whyNew(path: RelPath): FoundWhy {
    return this.#passed.has(path) || this.#passed.has(parentOf(path)) ? 'stale' : 'new'
  }

  #foundAs(entry: TreeEntry, why: FoundWhy): AnalysedEntry {
    count(this.#found, entry)
    return { ...entry, why }
  }

  #pass(dir: RelPath, passed: Passed): void {
    if (this.#passed.size < this.#limits.passedOver) this.#passed.set(dir, passed)
    else this.#passedAll = false
  }

  #note(code: AnalysisNote['code'], message: string): void {
    this.#notes.push({ code, message })
  }
}

const below = (parent: RelPath, path: RelPath): RelPath =>
  (parent === ROOT ? path : path === ROOT ? parent : `${parent}/${path}`) as RelPath

function count(counts: Mutable, { stat }: TreeEntry): void {
  if (stat.kind === 'directory') counts.directories++
  else counts.files++
  if (stat.kind === 'file') counts.bytes += stat.sizeBytes
}
