import { displayPath, errorCode, joinRel, parentOf, pathBytes, type RelPath } from '../../storage/base/index.js'
import { hashBytes } from '../../storage/content/index.js'
import { type Copier, type EntryStat, isFatal } from '../../storage/files/index.js'
import { type DecideRules, type Decision, decide, type Seen } from './decide.js'
import { Folders } from './folders.js'
import { type FoundGroup, KINDS } from './pages.js'
import { renamed } from './renamed.js'
import { Room } from './room.js'
import { type RouteFacts, route } from './router.js'
import { kindDiffers, problem, special } from './take-problems.js'
import type { StagedCopy, TakeInput, TakeOutput } from './taking.js'

type Named = Pick<StagedCopy, 'source' | 'path' | 'staged' | 'replaces'>
type Mutable<T> = { -readonly [K in keyof T]: T[K] extends readonly (infer E)[] ? E[] : T[K] }

/** One thing that is taken: as it is at both ends. */
interface Taken {
  readonly source: Seen
  readonly target: EntryStat | undefined
  readonly path: RelPath
  readonly to: RelPath
  /** Another name of it that is copied already. */
  readonly first: RelPath | undefined
  /** Of a move, where something stands there: what it was before it was compared with that. */
  readonly before: EntryStat | undefined
}

/** Between two looks at the signal; also how often the thread's event loop turns. */
const NAMES_PER_TURN = 64

/** Takes one page: what is at the destination, what to do, staged. One that fails is a problem; what concerns all is thrown. */
export class Taker {
  readonly #copier: Copier
  readonly #input: TakeInput
  readonly #watch: { readonly signal: AbortSignal; bytes(n: number): void }
  readonly #out: Mutable<TakeOutput>
  readonly #folders: Folders
  readonly #rules: DecideRules
  #reflinks: RouteFacts['reflinks']
  #n = 0
  readonly #room: Room

  constructor(copier: Copier, input: TakeInput, watch: { readonly signal: AbortSignal; bytes(n: number): void }) {
    this.#copier = copier
    this.#input = input
    this.#watch = watch
    this.#room = new Room(copier)
    this.#rules = { ...input.rules, overwrite: input.overwrite }
    this.#folders = new Folders(copier, input, this.#rules)
    this.#reflinks = input.route.reflinks
    this.#out = {
      ...{ staged: [], made: [], attributes: [], skipped: [], conflicts: [], problems: [], sameSources: [], later: [] },
      touched: [],
      ...{ same: 0, sameBytes: 0, resumedBytes: 0, reflinks: this.#reflinks }
    }
  }

  async run(): Promise<TakeOutput> {
    let taken = 0
    for (const group of this.#input.groups) {
      if (!this.#try(group.dir, () => this.#isThere(group.dir) && this.#folders.ensure(group.dir))) continue
      for (const [i, name] of group.names.split('/').entries()) {
        if (++taken % NAMES_PER_TURN === 0) await this.#giveWay()
        const path = joinRel(group.dir, name)
        try {
          const rest = this.#take(group, i, path)
          if (rest !== undefined) await rest
        } catch (err) {
          this.#failed(path, err)
        }
      }
    }
    const { made, touched } = this.#folders
    return { ...this.#out, made, touched: [...touched], reflinks: this.#reflinks }
  }

  /** @returns what is not done with at once: most of what is there already is */
  #take(group: FoundGroup, i: number, path: RelPath): Promise<void> | undefined {
    const found = this.#found(group, i, path)
    if (found === undefined) return
    const { kind } = found
    if (kind === 'directory') {
      this.#folders.ensure(path, found)
      return
    }
    if (kind === 'other') throw special(path)
    const to = renamed(this.#input.renames, path)
    const target = this.#folders.isNew(group.dir) ? undefined : this.#copier.lookTarget(to)
    const before = this.#input.route.move && target !== undefined ? this.#copier.lookSource(path) : undefined
    const source: Seen = kind === 'symlink' ? { ...found, link: this.#copier.sourceLink(path) } : found
    const seen: Seen | undefined =
      target?.kind === 'symlink' ? { ...target, link: this.#copier.targetLink(to) } : target
    const decision = decide(source, seen, this.#rules)
    const first = group.firsts?.[i]
    const taken = { source, target, path, to, first, before }
    if (decision.do !== 'compare') return this.#act(decision, taken)
    return this.#compared(path, to).then(sameContent =>
      this.#act(decide(source, seen, { ...this.#rules, sameContent }), taken)
    )
  }

  #act(decision: Decision, taken: Taken): Promise<void> | undefined {
    const { source, target, path, to, first } = taken
    switch (decision.do) {
      case 'copy':
        return this.#stage(source, path, to, undefined, first)
      case 'replace':
        return this.#stage(source, path, to, target, first)
      case 'same':
        this.#same(taken, decision.attributes)
        return
      case 'skip':
        this.#out.skipped.push({ path: to, reason: decision.reason })
        return
      case 'ask':
        this.#out.conflicts.push({
          ...{ source: path, path: to, sourceBytes: source.sizeBytes, sourceMtimeNs: source.mtimeNs },
          ...{ targetBytes: target!.sizeBytes, targetMtimeNs: target!.mtimeNs }
        })
        return
      default:
        throw kindDiffers(to)
    }
  }

  async #compared(path: RelPath, to: RelPath): Promise<boolean> {
    const { signal } = this.#watch
    return (await this.#copier.hash('source', path, signal)) === (await this.#copier.hash('target', to, signal))
  }

  /** As a look just told; what the index told is looked at now. undefined: gone, or taken later. */
  #found(group: FoundGroup, i: number, path: RelPath): Seen | undefined {
    if (this.#input.known !== true) {
      const kind = KINDS[group.kinds[i]!]!
      return { kind, sizeBytes: group.sizes[i]!, mtimeNs: group.mtimesNs[i]!, mode: group.modes[i]! }
    }
    const now = this.#copier.lookSource(path)
    if (now?.kind !== 'file' || now.links < 2) return now
    this.#out.later.push(path)
    return undefined
  }

  async #stage(
    source: Seen,
    path: RelPath,
    to: RelPath,
    replaces: EntryStat | undefined,
    first?: RelPath
  ): Promise<void> {
    const { route: facts, dryRun, stageIn, rules, large } = this.#input
    const { strategy, reason } = route({ ...facts, reflinks: this.#reflinks, sizeBytes: source.sizeBytes })
    const isLarge = source.sizeBytes > large.everyBytes
    const staged = (isLarge ? `${large.in}/${keyOf(path)}` : `${stageIn}/${this.#n++}`) as RelPath
    const common = { source: path, path: to, staged, replaces }
    this.#folders.touched.add(parentOf(path))
    if (dryRun) {
      const told = first === undefined ? { strategy, reason } : { strategy: 'link' as const, reason: ALSO_NAMED }
      this.#out.staged.push({
        ...common,
        ...told,
        bytes: first === undefined && strategy !== 'rename' ? source.sizeBytes : 0
      })
      return
    }
    if (first !== undefined && (await this.#linkToFirst(common, source, first))) return
    if (strategy === 'rename' && source.kind === 'file' && this.#stageItself(common)) return
    if (source.kind === 'file') this.#room.take(source.sizeBytes - (isLarge ? this.#copier.stagedBytes(staged) : 0))
    const kept = {
      owner: this.#input.owner,
      xattrs: this.#input.xattrs,
      mtimeNs: rules.keepTimes ? undefined : rules.beganNs
    }
    if (source.kind === 'symlink') {
      const stat = this.#copier.stageLink(path, staged, kept)
      this.#staged(common, 'stream', 0, stat)
      return
    }
    const copied = await this.#copier.stageFile(path, staged, {
      ...kept,
      // Where the file itself could not be staged it is copied like to another volume.
      strategy: strategy === 'rename' || strategy === 'remote' ? 'stream' : strategy,
      checkpoints: { everyBytes: large.everyBytes, found: n => this.#resumed(n) },
      between: n => this.#between(n)
    })
    if (strategy === 'reflink') this.#reflinks = copied.strategy === 'reflink' ? 'yes' : 'no'
    if (copied.lostXattrs.length > 0) this.#lost(path, copied.lostXattrs)
    this.#staged(common, copied.strategy, copied.stat.sizeBytes, copied.stat, copied.hash)
  }

  /** Told as briefly as can be: there are as many as files. */
  #staged(common: Named, strategy: StagedCopy['strategy'], bytes: number, from: EntryStat, hash?: string): void {
    const { move, verify } = this.#input.route
    const checked = hash !== undefined && (verify || move) ? { hash } : {}
    this.#out.staged.push({ ...common, strategy, bytes, ...checked, ...(move && { from }) })
  }

  #stageItself(common: Named): boolean {
    try {
      const stat = this.#copier.stageItself(common.source, common.staged)
      this.#staged(common, 'rename', 0, stat)
      return true
    } catch (err) {
      // Something is mounted within the source, or files have one name only there.
      if (NO_SECOND_NAME.has(errorCode(err))) return false
      throw err
    }
  }

  #resumed(bytes: number): void {
    this.#out.resumedBytes += bytes
    this.#watch.bytes(bytes)
  }

  /** Another name of a file that was copied already becomes another name of the copy. */
  async #linkToFirst(common: Named, source: Seen, first: RelPath): Promise<boolean> {
    const copy = this.#copier.lookTarget(renamed(this.#input.renames, first))
    if (copy?.kind !== 'file' || copy.sizeBytes !== source.sizeBytes) return false
    const now = this.#copier.lookSource(common.source)
    // With its mode and time as well: names of one file share them.
    const rules = { ...this.#input.rules, overwrite: 'replace', strict: false } as const
    const decision = decide(source, copy, rules)
    if (decision.do !== 'same' || decision.attributes || now === undefined) return false
    // Where size and time are no proof the contents are: what stands there may be what the first name was not copied over.
    if (this.#input.rules.strict && !(await this.#compared(common.source, renamed(this.#input.renames, first))))
      return false
    try {
      this.#copier.stageHardLink(renamed(this.#input.renames, first), common.staged)
    } catch (err) {
      if (NO_SECOND_NAME.has(errorCode(err))) return false
      throw err
    }
    this.#staged(common, 'link', 0, now)
    return true
  }

  #same({ source, target, path, to, before }: Taken, attributes: boolean): void {
    this.#out.same++
    this.#out.sameBytes += source.kind === 'file' ? source.sizeBytes : 0
    const { rules, route: facts } = this.#input
    if (attributes) {
      const mtimeNs = rules.keepTimes ? { mtimeNs: source.mtimeNs } : {}
      this.#out.attributes.push({ path: to, expected: target!, mode: source.mode & 0o777, ...mtimeNs })
    }
    if (!facts.move) return
    // What was written to it since it was compared is not there.
    if (before !== undefined) this.#out.sameSources.push({ source: path, path: to, from: before })
  }

  async #between(bytes: number): Promise<void> {
    if (bytes > 0) this.#watch.bytes(bytes)
    await this.#giveWay()
  }

  async #giveWay(): Promise<void> {
    await new Promise(resolve => setImmediate(resolve))
    this.#watch.signal.throwIfAborted()
  }

  /** What the index told may be gone by now, with all that was in it. */
  #isThere(dir: RelPath): boolean {
    return this.#input.known !== true || dir === '' || this.#copier.lookSource(dir)?.kind === 'directory'
  }

  #try(path: RelPath, fn: () => boolean): boolean {
    try {
      return fn()
    } catch (err) {
      this.#failed(path, err)
      return false
    }
  }

  #failed(path: RelPath, err: unknown): void {
    if (isFatal(err) || this.#watch.signal.aborted) throw err
    this.#out.problems.push(problem(path, err))
  }

  #lost(path: RelPath, names: readonly string[]): void {
    const message = `was copied without ${names.length === 1 ? 'the attribute' : 'the attributes'} ${displayPath(names.join(', '))}: the destination does not take them`
    this.#out.problems.push({
      path: displayPath(path),
      code: 'XATTRS_LOST',
      message: `${displayPath(path)} ${message}`
    })
  }
}

/** The same in each try. */
const keyOf = (path: RelPath): string => hashBytes(pathBytes(path)).slice(0, 32)

const NO_SECOND_NAME = new Set(['EMLINK', 'NO_PERMISSION', 'EOPNOTSUPP', 'ENOTSUP', 'OTHER_FILE_SYSTEM'])
const ALSO_NAMED = 'another name of a file that is copied already'
