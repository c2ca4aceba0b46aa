import { displayPath, errorCode, type Problem, parentOf, type RelPath, toError } from '../../storage/base/index.js'
import type { EntryStat } from '../../storage/files/index.js'
import { type FoundGroup, type FoundPage, KINDS, PAGE_BYTES, PAGE_NAMES } from './pages.js'

interface Group {
  readonly dir: RelPath
  readonly names: string[]
  readonly kinds: number[]
  readonly sizes: number[]
  readonly mtimesNs: bigint[]
  readonly modes: number[]
  readonly firsts: RelPath[]
}

/** Gathers what is found into pages: one of them for entries, one for further names of files. */
export class PageBuilder {
  readonly #kind: Pick<FoundPage, 'links' | 'known'>
  readonly #emit: (page: FoundPage) => void
  #groups: Group[] = []
  #limit: number
  #names = 0
  #counts = { files: 0, directories: 0, bytes: 0 }
  #problems: Problem[] = []

  /** @param limit - names of the first page */
  constructor(kind: Pick<FoundPage, 'links' | 'known'>, emit: (page: FoundPage) => void, limit: number = PAGE_NAMES) {
    this.#kind = kind
    this.#emit = emit
    this.#limit = limit
  }

  add(path: RelPath, name: string, stat: EntryStat, first?: RelPath): void {
    const { kind, sizeBytes, allocatedBytes = sizeBytes } = stat
    const bytes = kind === 'file' && first === undefined ? Math.min(sizeBytes, allocatedBytes) : 0
    if (this.#names > 0 && this.#counts.bytes + bytes > PAGE_BYTES) this.flush()
    const group = this.#groupOf(parentOf(path))
    group.names.push(name)
    group.kinds.push(KINDS.indexOf(kind))
    group.sizes.push(sizeBytes)
    group.mtimesNs.push(stat.mtimeNs)
    group.modes.push(stat.mode)
    if (first !== undefined) group.firsts.push(first)
    this.#names++
    this.#counts.bytes += bytes
    if (kind === 'directory') this.#counts.directories++
    else this.#counts.files++
    if (this.#names >= this.#limit) this.flush()
  }

  problem(path: string, err: unknown): void {
    this.#problems.push({ path: displayPath(path), code: errorCode(err), message: toError(err).message })
    if (this.#problems.length >= PAGE_NAMES) this.flush()
  }

  flush(): void {
    if (this.#names === 0 && this.#problems.length === 0) return
    const groups = this.#groups.map(pack)
    this.#emit({ ...this.#kind, groups, ...this.#counts, problems: this.#problems })
    this.#groups = []
    this.#limit = PAGE_NAMES
    this.#names = 0
    this.#counts = { files: 0, directories: 0, bytes: 0 }
    this.#problems = []
  }

  #groupOf(dir: RelPath): Group {
    const last = this.#groups.at(-1)
    if (last?.dir === dir) return last
    const group = { dir, names: [], kinds: [], sizes: [], mtimesNs: [], modes: [], firsts: [] }
    this.#groups.push(group)
    return group
  }
}

function pack({ dir, names, kinds, sizes, mtimesNs, modes, firsts }: Group): FoundGroup {
  return {
    dir,
    names: names.join('/'),
    kinds: Uint8Array.from(kinds),
    sizes: Float64Array.from(sizes),
    mtimesNs: BigInt64Array.from(mtimesNs),
    modes: Uint16Array.from(modes),
    ...(firsts.length > 0 && { firsts })
  }
}
