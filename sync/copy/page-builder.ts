import { displayPath, errorCode, type Problem, parentOf, type RelPath, toError } from '../../storage/base/index.js'
import type { EntryStat } from '../../storage/files/index.js'
import { type FoundGroup, type FoundPage, KINDS, PAGE_BYTES, PAGE_NAMES } from './pages.js'

interface Row {
  readonly name: string
  readonly stat: EntryStat
  readonly first?: RelPath | undefined
}

/** Gathers what is found into pages: one of them for entries, one for further names of files. */
export class PageBuilder {
  readonly #kind: Pick<FoundPage, 'links' | 'known'>
  readonly #emit: (page: FoundPage) => void
  #groups: { dir: RelPath; rows: Row[] }[] = []
  #names = 0
  #counts = { files: 0, directories: 0, bytes: 0 }
  #problems: Problem[] = []

  constructor(kind: Pick<FoundPage, 'links' | 'known'>, emit: (page: FoundPage) => void) {
    this.#kind = kind
    this.#emit = emit
  }

  add(path: RelPath, name: string, stat: EntryStat, first?: RelPath): void {
    const bytes =
      stat.kind === 'file' && first === undefined ? Math.min(stat.sizeBytes, stat.allocatedBytes ?? stat.sizeBytes) : 0
    if (this.#names > 0 && this.#counts.bytes + bytes > PAGE_BYTES) this.flush()
    const dir = parentOf(path)
    let group = this.#groups.at(-1)
    if (group?.dir !== dir) {
      group = { dir, rows: [] }
      this.#groups.push(group)
    }
    group.rows.push({ name, stat, first })
    this.#names++
    this.#counts.bytes += bytes
    if (stat.kind === 'directory') this.#counts.directories++
    else this.#counts.files++
    if (this.#names >= PAGE_NAMES) this.flush()
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
    this.#names = 0
    this.#counts = { files: 0, directories: 0, bytes: 0 }
    this.#problems = []
  }
}

function pack({ dir, rows }: { dir: RelPath; rows: Row[] }): FoundGroup {
  return {
    dir,
    names: rows.map(r => r.name),
    kinds: Uint8Array.from(rows, r => KINDS.indexOf(r.stat.kind)),
    sizes: Float64Array.from(rows, r => r.stat.sizeBytes),
    mtimesNs: BigInt64Array.from(rows, r => r.stat.mtimeNs),
    modes: Uint16Array.from(rows, r => r.stat.mode),
    ...(rows[0]?.first !== undefined && { firsts: rows.map(r => r.first!) })
  }
}
