import { displayPath, hasCode, nameOf, type Problem, type RelPath, SpacedriveError } from '../../storage/base/index.js'
import type { CopierInit } from '../../storage/files/index.js'
import { type AnalysedEntry, type Analysis, analyse, type IndexPlace, type Preparation } from '../analysis/index.js'
import { type Endpoint, isNobodys, openLocalEndpoint } from '../endpoints/index.js'
import { type Filter, filter } from './filter.js'
import type { CopyInput } from './input.js'
import type { Tree } from './layout.js'
import { PageBuilder } from './page-builder.js'
import { FIRST_NAMES, type FoundPage, MAX_LINKED, PAGE_NAMES } from './pages.js'
import type { CopyComponents } from './ports.js'
import { filterOf } from './rules.js'
import { lookAgain, scanPages } from './scan-pages.js'

export interface FindInit {
  readonly components: CopyComponents
  readonly input: CopyInput
  readonly tree: Tree
  readonly copier: CopierInit
  readonly signal: AbortSignal
  /** Told of each page as it is found. */
  found(page: FoundPage): void
  /** Nothing more will be found; copying may go on for long. */
  foundAll(): void
  note(message: string): void
  preparing(told: Preparation): void
  problem(problem: Problem): void
}

/** What a copy finds of a tree: what the index knows first, then what the disk shows otherwise. */
export interface Finding {
  pages(): AsyncGenerator<FoundPage>
  /** Told by the index, and found to have several names when they were taken. */
  later(paths: readonly RelPath[]): void
}

export function finding(init: FindInit): Finding {
  return new TreeFinding(init)
}

class TreeFinding implements Finding {
  readonly #init: FindInit
  readonly #filter: Filter
  readonly #later: RelPath[] = []
  /** Other file systems within the sources: an analysis ends at them. */
  readonly #mounted: RelPath[] = []

  constructor(init: FindInit) {
    this.#init = init
    this.#filter = filter(filterOf(init.input))
  }

  later(paths: readonly RelPath[]): void {
    this.#later.push(...paths)
  }

  async *pages(): AsyncGenerator<FoundPage> {
    const { components, copier, signal, tree, found } = this.#init
    const indexed = await this.#indexed()
    for (const [top, place] of indexed) yield* this.#analysed(top, place)
    const rest = tree.names.filter(name => !indexed.has(name))
    const why = this.#init.input.prepare === 'scan' ? 'not-asked' : 'no-index'
    yield* this.#scan([...rest, ...this.#mounted], why, indexed.size === 0)
    if (indexed.size === 0) return
    // Behind it everything was taken, and is known to have several names or not.
    yield { links: true, groups: [], files: 0, directories: 0, bytes: 0, problems: [] }
    for await (const page of lookAgain(components.pool, copier, this.#later, signal)) {
      found(page)
      yield page
    }
    this.#init.foundAll()
  }

  async *#scan(tops: readonly string[], why: ScanWhy, last = false): AsyncGenerator<FoundPage> {
    if (tops.length === 0) return
    const { components, copier, input, signal, preparing } = this.#init
    const expected = input.operation === 'copy' // what is moved may have gone already
    const scan = { source: copier.source, tops, expected, filter: filterOf(input), ours: components.ours() }
    const told = { phase: 'progressive-scanning', path: displayPath(tops[0]!), why } as const
    const sum = { files: 0, bytes: 0 }
    preparing({ ...told, ...sum, done: false })
    const heard = {
      signal,
      found: (page: FoundPage): void => {
        sum.files += page.files
        sum.bytes += page.bytes
        this.#init.found(page)
      },
      foundAll: (): void => {
        preparing({ ...told, ...sum, done: true })
        if (last) this.#init.foundAll()
      }
    }
    yield* scanPages(components.pool, scan, heard)
  }

  /** The sources that an index holds. */
  async #indexed(): Promise<Map<string, IndexPlace>> {
    const { components, input, tree, signal, note } = this.#init
    const indexed = new Map<string, IndexPlace>()
    if (input.prepare === 'scan') return indexed
    for (const name of tree.names) {
      const path = `${tree.folder === '/' ? '' : tree.folder}/${name}` as Tree['folder']
      try {
        const [place] = await components.index.placesOf(path, { signal })
        if (place !== undefined && place.kind === 'directory') indexed.set(name, place)
        else if (input.prepare === 'index') note(`The index does not hold ${displayPath(path)}: it was looked through.`)
      } catch (err) {
        signal.throwIfAborted()
        note(
          `The index could not be asked about ${displayPath(path)} (${(err as Error).message}): it was looked through.`
        )
      }
    }
    return indexed
  }

  async *#analysed(top: string, place: IndexPlace): AsyncGenerator<FoundPage> {
    const { components, input, tree, signal, note } = this.#init
    const { pool, random } = components
    let endpoint: Endpoint
    try {
      endpoint = await openLocalEndpoint({ ...components, path: tree.folder }, { signal })
    } catch (err) {
      signal.throwIfAborted()
      note(`The index of ${displayPath(top)} was left aside (${(err as Error).message}): it was looked through.`)
      yield* this.#scan([top], 'index-failed')
      return
    }
    try {
      const { prepare } = input
      const ours = components.ours()
      const analysis = analyse({ endpoint, path: top as RelPath, place, prepare, pool, random, ours, signal })
      try {
        yield* this.#converted(analysis, told => this.#analysing(top, analysis, told))
        this.#analysing(top, analysis, 'ended')
      } catch (err) {
        // A damaged place ends an analysis; looked through, it is a problem of what lies there.
        if (!hasCode(err, 'DISK_ERROR')) throw err
        note(`The index of ${displayPath(top)} was left aside (${(err as Error).message}): it was looked through.`)
        yield* this.#scan([top], 'index-failed')
      }
      for (const { message } of analysis.summary().notes) note(`${displayPath(top)}: ${message}.`)
    } finally {
      await endpoint.close()
    }
  }

  /** @param told - from where it is told now; the index has ended when the disk begins */
  #analysing(top: string, analysis: Analysis, told: 'index' | 'disk' | 'ended'): void {
    const { known, found, passedOver, confidence } = analysis.summary()
    const path = displayPath(top)
    const folders = { fresh: known.directories, ...passedOver, confidence }
    const { preparing } = this.#init
    if (told !== 'disk') preparing({ phase: 'staleness-validation', path, done: told === 'ended', ...folders })
    if (told === 'index') return
    const { files, bytes } = found
    preparing({ phase: 'progressive-scanning', path, done: told === 'ended', why: 'beside-the-index', files, bytes })
  }

  async *#converted(analysis: Analysis, tell: (told: 'index' | 'disk') => void): AsyncGenerator<FoundPage> {
    let told: 'index' | 'disk' | undefined
    let limit = FIRST_NAMES
    for await (const { from, entries } of analysis.pages()) {
      if (told !== from) tell(from)
      told = from
      const pages: FoundPage[] = []
      const known = from === 'index'
      const builder = new PageBuilder(
        { links: false, ...(known && { known }) },
        page => {
          this.#init.found(page)
          pages.push(page)
        },
        limit
      )
      limit = PAGE_NAMES
      for (const entry of entries) this.#add(builder, entry, known)
      builder.flush()
      yield* pages
    }
  }

  #add(builder: PageBuilder, { path, stat, unknown, problem }: AnalysedEntry, known: boolean): void {
    const directory = stat.kind === 'directory'
    const at = path.indexOf('/')
    if (isNobodys(unknown) || (at >= 0 && !this.#filter.lets(path.slice(at + 1) as RelPath, directory))) return
    if (unknown === 'unreadable') this.#init.problem(problem ?? unreadable(path))
    else if (unknown === 'other-file-system') this.#mounted.push(path)
    else if (!known && stat.kind === 'file' && stat.links > 1 && this.#later.length < MAX_LINKED) this.#later.push(path)
    else if (!directory || !this.#filter.onlyNeeded) builder.add(path, nameOf(path), stat)
  }
}

type ScanWhy = Extract<Preparation, { phase: 'progressive-scanning' }>['why']

function unreadable(path: RelPath): Problem {
  const { code, message } = new SpacedriveError(
    'NO_PERMISSION',
    `could not read ${displayPath(path)}: permission denied`
  )
  return { path: displayPath(path), code, message }
}
