import { displayPath, errorCode, joinRel, parentOf, pathBytes, type RelPath } from '../../storage/base/index.js'
import { hashBytes } from '../../storage/content/index.js'
import { type Copier, type EntryStat, isFatal } from '../../storage/files/index.js'
import { type Decision, decide, type Seen } from './decide.js'
import { type FoundGroup, KINDS } from './pages.js'
import { Room } from './room.js'
import { type RouteFacts, route } from './router.js'
import { kindDiffers, problem, special } from './take-problems.js'
import type { StagedCopy, TakeInput, TakeOutput } from './taking.js'

type Named = Pick<StagedCopy, 'source' | 'path' | 'staged' | 'replaces'>
type Mutable<T> = { -readonly [K in keyof T]: T[K] extends readonly (infer E)[] ? E[] : T[K] }

/** Between two looks at the signal; also how often the thread's event loop turns. */
const NAMES_PER_TURN = 64

/** Takes one page: what is at the destination, what to do, staged. One that fails is a problem; what concerns all is thrown. */
export class Taker {
  readonly #copier: Copier
  readonly #input: TakeInput
  readonly #watch: { readonly signal: AbortSignal; bytes(n: number): void }
  readonly #out: Mutable<TakeOutput>
  readonly #ready = new Set<RelPath>()
  /** Directories that were made here: nothing can stand in them. RACE: what comes since is seen when names are given. */
  readonly #new = new Set<RelPath>()
  #reflinks: RouteFacts['reflinks']
  #n = 0
  readonly #room: Room

  constructor(copier: Copier, input: TakeInput, watch: { readonly signal: AbortSignal; bytes(n: number): void }) {
    this.#copier = copier
    this.#input = input
    this.#watch = watch
    this.#room = new Room(copier)
    this.#reflinks = input.route.reflinks
    this.#out = {
      ...{ staged: [], made: [], attributes: [], skipped: [], conflicts: [], problems: [], sameSources: [], later: [] },
      ...{ same: 0, sameBytes: 0, resumedBytes: 0, reflinks: this.#reflinks }
    }
  }

  async run(): Promise<TakeOutput> {
    let taken = 0
    for (const group of this.#input.groups) {
      if (!this.#try(group.dir, () => this.#isThere(group.dir) && this.#makeWay(group.dir))) continue
      for (let i = 0; i < group.names.length; i++) {
        if (++taken % NAMES_PER_TURN === 0) await this.#giveWay()
        const path = joinRel(group.dir, group.names[i]!)
        try {
          await this.#take(group, i, path)
        } catch (err) {
          this.#failed(path, err)
        }
      }
    }
    return { ...this.#out, reflinks: this.#reflinks }
  }

  async #take(group: FoundGroup, i: number, path: RelPath): Promise<void> {
    const found = this.#found(group, i, path)
    if (found === undefined) return
    const { kind } = found
    if (kind === 'directory') {
      this.#makeWay(path, found.mode)
      return
    }
    if (kind === 'other') throw special(path)
    const to = this.#renamed(path)
    const target = this.#new.has(group.dir) ? undefined : this.#copier.lookTarget(to)
    const source: Seen = kind === 'symlink' ? { ...found, link: this.#copier.sourceLink(path) } : found
    const decision = await this.#decide(source, target, path, to)
    switch (decision.do) {
      case 'copy':
        return this.#stage(source, path, to, undefined, group.firsts?.[i])
      case 'replace':
        return this.#stage(source, path, to, target, group.firsts?.[i])
      case 'same':
        return this.#same(source, path, to, target!, decision.attributes)
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

  async #decide(source: Seen, target: EntryStat | undefined, path: RelPath, to: RelPath): Promise<Decision> {
    const { rules, overwrite } = this.#input
    const link = target?.kind === 'symlink' ? this.#copier.targetLink(to) : undefined
    const seen = target === undefined ? undefined : { ...target, link }
    const first = decide(source, seen, { ...rules, overwrite })
    if (first.do !== 'compare') return first
    const { signal } = this.#watch
    const sameContent =
      (await this.#copier.hash('source', path, signal)) === (await this.#copier.hash('target', to, signal))
    return decide(source, seen, { ...rules, overwrite, sameContent })
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
    if (dryRun) {
      const told = first === undefined ? { strategy, reason } : { strategy: 'link' as const, reason: ALSO_NAMED }
      this.#out.staged.push({
        ...common,
        ...told,
        bytes: first === undefined && strategy !== 'rename' ? source.sizeBytes : 0
      })
      return
    }
    if (first !== undefined && this.#linkToFirst(common, source, first)) return
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
  #linkToFirst(common: Named, source: Seen, first: RelPath): boolean {
    const copy = this.#copier.lookTarget(this.#renamed(first))
    if (copy?.kind !== 'file' || copy.sizeBytes !== source.sizeBytes) return false
    const now = this.#copier.lookSource(common.source)
    if (decide(source, copy, { ...this.#input.rules, overwrite: 'skip' }).do !== 'same' || now === undefined)
      return false
    try {
      this.#copier.stageHardLink(this.#renamed(first), common.staged)
    } catch (err) {
      if (NO_SECOND_NAME.has(errorCode(err))) return false
      throw err
    }
    this.#staged(common, 'link', 0, now)
    return true
  }

  #same(source: Seen, path: RelPath, to: RelPath, target: EntryStat, attributes: boolean): void {
    this.#out.same++
    this.#out.sameBytes += source.kind === 'file' ? source.sizeBytes : 0
    const { rules, route: facts } = this.#input
    if (attributes) {
      const mtimeNs = rules.keepTimes ? { mtimeNs: source.mtimeNs } : {}
      this.#out.attributes.push({ path: to, expected: target, mode: source.mode & 0o777, ...mtimeNs })
    }
    if (!facts.move) return
    const from = this.#copier.lookSource(path)
    if (from !== undefined) this.#out.sameSources.push({ source: path, from })
  }

  /** The directory at the destination and those around it. */
  #makeWay(dir: RelPath, mode?: number): true {
    if (dir === '' || this.#ready.has(dir)) return true
    this.#makeWay(parentOf(dir))
    const to = this.#renamed(dir)
    if (this.#input.dryRun) {
      const there = this.#copier.lookTarget(to)
      if (there !== undefined && there.kind !== 'directory') throw kindDiffers(to)
      if (there === undefined) this.#out.made.push(to)
    } else {
      const source = mode === undefined ? this.#copier.lookSource(dir) : { mode }
      if (this.#copier.makeTarget(to, source?.mode ?? 0o700) === 'made') {
        this.#out.made.push(to)
        this.#new.add(dir)
      }
    }
    this.#ready.add(dir)
    return true
  }

  #renamed(path: RelPath): RelPath {
    const at = path.indexOf('/')
    const top = at < 0 ? path : path.slice(0, at)
    const other = this.#input.renames[top]
    return other === undefined ? path : ((other + path.slice(top.length)) as RelPath)
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
