import {
  defineTasks,
  displayPath,
  errorCode,
  type FileName,
  joinRel,
  type Problem,
  type RelPath,
  ROOT,
  SpacedriveError,
  type TaskContext,
  toError
} from '../../storage/base/index.js'
import {
  AREA_NAME,
  awayName,
  type Copier,
  type CopierInit,
  copierHere,
  type EntryStat,
  isFatal,
  isTempName,
  MARKER_NAME,
  type SourceHandle
} from '../../storage/files/index.js'
import { type FilterInit, filter } from './filter.js'
import { renamed } from './renamed.js'
import type { SourceGone } from './taking.js'

export interface FinishInput extends CopierInit {
  readonly tops: readonly string[]
  /** The only folders that are not as they are to be; undefined: it may be any of them. */
  readonly touched?: readonly RelPath[] | undefined
  readonly renames: Readonly<Record<string, string>>
  readonly filter: FilterInit
  readonly keepTimes: boolean
  readonly owner: boolean
  /** Source directories that are empty by now go. */
  readonly remove: boolean
}

export interface FinishOutput {
  readonly directories: number
  readonly problems: readonly Problem[]
}

/** Directories between two looks at the signal. */
const DIRECTORIES_PER_TURN = 64

export const finishing = defineTasks(import.meta.url, {
  /**
   * When nothing is put into directories any more: mode and time of each from its source, and for a move the sources that
   * are empty go; what they hold comes before them.
   */
  async finish(input: FinishInput, ctx: TaskContext): Promise<FinishOutput> {
    const copier = copierHere(input)
    try {
      return await new Finish(copier, input, ctx.signal).run()
    } finally {
      copier.close()
    }
  },

  /** What lies in a staging place below `top` (of a run that was cut short), at most so many. */
  left(input: CopierInit & { top: RelPath; limit: number }): { path: RelPath; stat: EntryStat }[] {
    const copier = copierHere(input)
    try {
      const found: { path: RelPath; stat: EntryStat }[] = []
      const stack = [input.top]
      for (let dir = stack.pop(); dir !== undefined && found.length < input.limit; dir = stack.pop()) {
        if (copier.lookSource(dir)?.kind !== 'directory') continue
        for (const name of copier.source.list(dir)) {
          const path = joinRel(dir, name)
          const stat = copier.lookSource(path)
          if (stat?.kind === 'directory') stack.push(path)
          else if (stat !== undefined && found.length < input.limit) found.push({ path, stat })
        }
      }
      return found
    } finally {
      copier.close()
    }
  },

  /**
   * Of things that are staged, those that are not what their source is.
   * @param input.place - the content of the staging place
   */
  async doubtful(
    input: { source: SourceHandle; place: SourceHandle; list: readonly { source: RelPath; staged: RelPath }[] },
    ctx: TaskContext
  ): Promise<{ i: number; stat: EntryStat }[]> {
    const [sources, place] = [copierHere(input), copierHere({ source: input.place })]
    const found: { i: number; stat: EntryStat }[] = []
    try {
      for (const [i, { source, staged }] of input.list.entries()) {
        const stat = place.lookSource(staged)
        if (stat === undefined || stat.kind === 'directory') continue
        if (!(await isSame([sources, source], [place, staged], ctx.signal))) found.push({ i, stat })
      }
      return found
    } finally {
      sources.close()
      place.close()
    }
  },

  /** Takes away the sources of what was moved. */
  async remove(input: CopierInit & { list: readonly SourceGone[] }, ctx: TaskContext): Promise<readonly Problem[]> {
    const copier = copierHere(input)
    const problems: Problem[] = []
    try {
      for (const { source, path, from } of input.list) {
        ctx.signal.throwIfAborted()
        try {
          copier.removeSource(source, await stillThat(copier, { source, path, from }, ctx.signal))
        } catch (err) {
          if (errorCode(err) !== 'MISSING') problems.push(problem(source, err))
        }
      }
      return problems
    } finally {
      copier.close()
    }
  }
})

class Finish {
  readonly #copier: Copier
  readonly #input: FinishInput
  readonly #signal: AbortSignal
  readonly #out = { directories: 0, problems: [] as Problem[] }
  #turns = 0

  constructor(copier: Copier, input: FinishInput, signal: AbortSignal) {
    this.#copier = copier
    this.#input = input
    this.#signal = signal
  }

  async run(): Promise<FinishOutput> {
    const { touched } = this.#input
    if (touched === undefined) return this.#all()
    // Bottom-up: the mode of a folder may forbid to go into it.
    const deepest = touched.map(dir => ({ dir, depth: dir.split('/').length })).sort((a, b) => b.depth - a.depth)
    for (const { dir } of deepest) if (dir !== '') await this.#leave(dir)
    return this.#out
  }

  async #all(): Promise<FinishOutput> {
    const { lets } = filter(this.#input.filter)
    const stack: { dir: RelPath; below: string[] }[] = []
    const enter = (dir: RelPath): void => {
      try {
        stack.push({ dir, below: this.#copier.source.listDirectories(dir) })
      } catch {
        // Told when it was found unreadable; and it may be gone by now.
      }
    }
    for (const top of this.#input.tops) {
      if (this.#copier.lookSource(top as RelPath)?.kind === 'directory') enter(top as RelPath)
      else if (this.#input.remove && this.#copier.lookSource(joinRel(ROOT, awayName(top))) !== undefined)
        await this.#settle({ away: awayName(top), name: top as FileName }, ROOT, this.#input.renames[top] ?? top)
      while (stack.length > 0) {
        const { dir, below } = stack.at(-1)!
        const name = below.pop()
        if (name === undefined) {
          stack.pop()
          await this.#leave(dir)
          continue
        }
        const path = joinRel(dir, name)
        const within = path.slice(path.indexOf('/') + 1) as RelPath
        if (!isTempName(name) && !this.#isArea(name, path) && lets(within, true)) enter(path)
      }
    }
    return this.#out
  }

  /** A source that was being taken away when the program ended: what is at the destination goes, anything else is put back. */
  async #settle({ away, name }: { away: FileName; name: FileName }, dir: RelPath, to: string): Promise<void> {
    const path = joinRel(dir, away)
    try {
      if (await this.#isThere(path, to as RelPath)) {
        this.#copier.dropAway(path)
        return
      }
      const back = displayPath(joinRel(dir, this.#copier.putAwayBack(path, name)))
      const message = `could not take ${back} away: it is not what was moved`
      this.#out.problems.push({ path: back, code: 'CHANGED', message })
    } catch (err) {
      if (isFatal(err) || this.#signal.aborted) throw err
      this.#out.problems.push(problem(path, err))
    }
  }

  async #isThere(path: RelPath, to: RelPath): Promise<boolean> {
    const [source, target] = [this.#copier.lookSource(path), this.#copier.lookTarget(to)]
    if (source === undefined || source.kind !== target?.kind) return false
    if (source.kind === 'symlink') return this.#copier.sourceLink(path) === this.#copier.targetLink(to)
    if (source.kind !== 'file' || source.sizeBytes !== target.sizeBytes) return false
    if (source.inode === target.inode && source.device === target.device) return true
    const signal = this.#signal
    return (await this.#copier.hash('source', path, signal)) === (await this.#copier.hash('target', to, signal))
  }

  #isArea(name: string, path: RelPath): boolean {
    return name === AREA_NAME && this.#copier.lookSource(joinRel(path, MARKER_NAME)) !== undefined
  }

  async #leave(dir: RelPath): Promise<void> {
    if (++this.#turns % DIRECTORIES_PER_TURN === 0) {
      await new Promise(resolve => setImmediate(resolve))
      this.#signal.throwIfAborted()
    }
    const { renames, keepTimes, owner, remove } = this.#input
    const to = renamed(renames, dir)
    try {
      if (this.#copier.lookTarget(to)?.kind !== 'directory') return
      if (remove) for (const left of this.#copier.leftAway(dir)) await this.#settle(left, dir, `${to}/${left.name}`)
      const mtimeNs = keepTimes ? this.#copier.lookSource(dir)?.mtimeNs : undefined
      if (this.#copier.finishDirectory(dir, to, { mtimeNs, owner, xattrs: false })) this.#out.directories++
      if (remove) this.#copier.removeSourceDirectory(dir)
    } catch (err) {
      if (isFatal(err)) throw err
      this.#out.problems.push(problem(dir, err))
    }
  }
}

/**
 * Size and time may have been put back over an edit (`cp -p`, `touch -r`): where the change time is another one the contents are
 * compared. Of a file with several names it changes with each of them.
 * @returns what the source has to be when it goes @throws CHANGED
 */
async function stillThat(copier: Copier, { source, path, from }: SourceGone, signal: AbortSignal): Promise<EntryStat> {
  const now = copier.lookSource(source)
  if (now?.kind !== 'file' || from.links !== 1 || now.links !== 1 || now.ctimeNs === from.ctimeNs) return from
  const hashes = [await copier.hash('source', source, signal), await copier.hash('target', path, signal)]
  if (hashes[0] === hashes[1]) return from
  throw new SpacedriveError('CHANGED', `could not take ${displayPath(source)} away: it is not what was moved`)
}

/** The same file or link at two places; what cannot be read is not taken for the same. */
async function isSame(a: [Copier, RelPath], b: [Copier, RelPath], signal: AbortSignal): Promise<boolean> {
  try {
    const [one, other] = [a, b].map(([copier, path]) => copier.lookSource(path))
    if (one === undefined || one.kind !== other?.kind) return false
    if (one.kind === 'symlink') return a[0].sourceLink(a[1]) === b[0].sourceLink(b[1])
    if (one.kind !== 'file' || one.sizeBytes !== other.sizeBytes) return false
    const hashes = [await a[0].hash('source', a[1], signal), await b[0].hash('source', b[1], signal)]
    return hashes[0] === hashes[1]
  } catch {
    signal.throwIfAborted()
    return false
  }
}

function problem(path: string, err: unknown): Problem {
  return { path: displayPath(path), code: errorCode(err), message: toError(err).message }
}
