import {
  type AbortOptions,
  displayPath,
  isWithin,
  type Problem,
  type RelPath,
  SpacedriveError
} from '../../../storage/base/index.js'
import type { EntryStat } from '../../../storage/files/index.js'
import { type Endpoint, type Looked, MAX_LOOKS, type TreeEntry } from '../../endpoints/index.js'
import { type DecideRules, type Decision, decide, folderDiffers, type Seen } from '../decide.js'
import { PAGE_BYTES } from '../pages.js'
import { kindDiffers, problem } from '../take-problems.js'
import type { Conflict } from '../taking.js'
import { same } from './walking.js'
import { bytesOf, type FolderItem, type Item, type Work } from './work.js'

export interface DecidingInit {
  readonly source: Endpoint
  readonly destination: Endpoint
  readonly rules: DecideRules
  /** Folders are made for what is in them alone. */
  readonly onlyNeeded: boolean
  /** Both ends lie on one device: a file may be its own goal. */
  readonly oneDevice: boolean
  nameThere(path: RelPath): RelPath
  problem(problem: Problem): void
}

/** A thing that was found, and what stands where it goes. */
interface Met {
  readonly entry: TreeEntry
  readonly to: RelPath
  readonly standing: TreeEntry | undefined
}

/** What becomes of each thing that was found: looks at the destination, a page at a time, and decides as between folders here. */
export class Deciding {
  readonly #init: DecidingInit
  /** Nothing can stand below it: it is made now. RACE: what comes since is seen when names are given. */
  #fresh: RelPath | undefined
  /** Below it nothing can be copied: something of another kind stands there. */
  #blocked: RelPath | undefined
  /** Folders around what comes now that nothing was copied into yet. */
  #waiting: FolderItem[] = []

  constructor(init: DecidingInit) {
    this.#init = init
  }

  /** @param entries - the next ones, in tree order. @returns them as portions, in their order */
  async page(entries: readonly TreeEntry[], options: AbortOptions): Promise<Work[]> {
    const met = await this.#look(entries, options)
    const decisions = await this.#decisions(met, options)
    const works: Portion[] = [new Portion()]
    for (const [i, m] of met.entries()) {
      try {
        this.#add(works, m, decisions[i])
      } catch (err) {
        this.#init.problem(problem(m.to, err))
      }
    }
    return works
  }

  /** Things below a folder that is not there yet are not looked for. */
  async #look(entries: readonly TreeEntry[], options: AbortOptions): Promise<Met[]> {
    const { destination, nameThere } = this.#init
    const met: { entry: TreeEntry; to: RelPath; standing: TreeEntry | undefined }[] = []
    const asked: number[] = []
    for (const entry of entries) {
      const to = nameThere(entry.path)
      if (this.#fresh === undefined || !isWithin(to, this.#fresh)) asked.push(met.length)
      met.push({ entry, to, standing: undefined })
    }
    const failed = new Set<number>()
    for (let at = 0; at < asked.length; at += MAX_LOOKS) {
      const some = asked.slice(at, at + MAX_LOOKS)
      const looked = await destination.look(
        some.map(i => met[i]!.to),
        options
      )
      for (const [n, i] of some.entries()) {
        const { entry, problem: hindered } = looked[n] as Looked
        met[i]!.standing = entry
        if (hindered === undefined) continue
        failed.add(i)
        // A link or a file where a folder is to be: told once, for the folder.
        if (hindered.code !== 'LINK_IN_PATH') this.#init.problem(hindered)
      }
    }
    return failed.size === 0 ? met : met.filter((_, i) => !failed.has(i))
  }

  async #decisions(met: readonly Met[], options: AbortOptions): Promise<(Decision | undefined)[]> {
    const { rules } = this.#init
    const decisions = met.map(m => (m.entry.stat.kind === 'directory' ? undefined : this.#decide(m, rules)))
    const open = met.flatMap((m, i) => (decisions[i]?.do === 'compare' ? [{ m, i }] : []))
    if (open.length === 0) return decisions
    const { source, destination } = this.#init
    const [here, there] = await Promise.all([
      hashes(
        source,
        open.map(o => o.m.entry.path),
        options
      ),
      hashes(
        destination,
        open.map(o => o.m.to),
        options
      )
    ])
    for (const [n, { m, i }] of open.entries()) {
      const sameContent = here[n] !== undefined && here[n] === there[n]
      decisions[i] = this.#decide(m, { ...rules, sameContent })
    }
    return decisions
  }

  #decide({ entry, standing, to }: Met, rules: DecideRules): Decision {
    if (standing !== undefined && this.#init.oneDevice && same(entry.stat, standing.stat)) {
      const why = new SpacedriveError('SAME_FILE', `could not copy ${displayPath(to)}: it is the very same file there`)
      this.#init.problem(problem(to, why))
      return { do: 'skip', reason: 'exists' }
    }
    // What cannot be looked into there is nothing that a copy may replace.
    if (standing?.unknown !== undefined) return { do: 'refuse', code: 'KIND_DIFFERS' }
    return decide(seenOf(entry), standing === undefined ? undefined : seenOf(standing), rules)
  }

  #add(works: Portion[], met: Met, decision: Decision | undefined): void {
    const { entry, to, standing } = met
    if (this.#blocked !== undefined && isWithin(to, this.#blocked)) return
    const { path: source, stat } = entry
    if (decision === undefined) {
      this.#addFolder(works.at(-1)!, met)
      return
    }
    const bytes = bytesOf(stat)
    let work = works.at(-1)!
    if (work.bytes > 0 && work.bytes + bytes > PAGE_BYTES) {
      work = new Portion()
      works.push(work)
    }
    work.files++
    work.bytes += bytes
    switch (decision.do) {
      case 'copy':
      case 'replace':
        this.#addWaiting(work, source)
        work.items.push({ do: 'copy', source, to, stat, link: entry.target, replaces: standing?.stat })
        return
      case 'same':
        work.items.push({ do: 'same', source, to, stat, standing: standing!.stat, attributes: decision.attributes })
        return
      case 'skip':
        work.skipped.push({ path: to, reason: decision.reason })
        return
      case 'ask':
        work.conflicts.push({
          ...{ source, path: to, sourceBytes: stat.sizeBytes, sourceMtimeNs: stat.mtimeNs },
          ...{ targetBytes: standing!.stat.sizeBytes, targetMtimeNs: standing!.stat.mtimeNs }
        })
        return
      default:
        throw kindDiffers(to)
    }
  }

  #addFolder(work: Portion, { entry, to, standing }: Met): void {
    const { path: source, stat } = entry
    if (standing !== undefined && (standing.stat.kind !== 'directory' || standing.unknown !== undefined)) {
      this.#blocked = to
      throw kindDiffers(to)
    }
    const make = standing === undefined
    if (make && (this.#fresh === undefined || !isWithin(to, this.#fresh))) this.#fresh = to
    const differs = !make && folderDiffers(seenOf(entry), seenOf(standing), this.#init.rules)
    const item: FolderItem = { do: 'folder', source, to, stat, make, differs }
    if (!this.#init.onlyNeeded) {
      work.items.push(item)
      return
    }
    this.#waiting = this.#waiting.filter(f => isWithin(source, f.source))
    this.#waiting.push(item)
  }

  /** The folders around something that is copied now. */
  #addWaiting(work: Portion, source: RelPath): void {
    if (this.#waiting.length === 0) return
    work.items.push(...this.#waiting.filter(f => isWithin(source, f.source)))
    this.#waiting = []
  }
}

class Portion implements Work {
  readonly items: Item[] = []
  readonly skipped: { path: RelPath; reason: 'exists' | 'newer' }[] = []
  readonly conflicts: Conflict[] = []
  files = 0
  bytes = 0
}

const seenOf = ({ stat, target }: TreeEntry): Seen => {
  const { kind, sizeBytes, mtimeNs, ctimeNs, mode }: EntryStat = stat
  return { kind, sizeBytes, mtimeNs, mode, ctimeNs, ...(target !== undefined && { link: target }) }
}

/** Undefined where it cannot be read. */
async function hashes(
  end: Endpoint,
  paths: readonly RelPath[],
  options: AbortOptions
): Promise<(string | undefined)[]> {
  const found: (string | undefined)[] = []
  for await (const file of end.hash(paths, options)) found.push(file.problem === undefined ? file.hash : undefined)
  return found
}
