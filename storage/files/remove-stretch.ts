import { errorCode, joinRel, nameOf, type Problem, parentOf, type RelPath, ROOT } from '../base/index.js'
import { type DirHandle, type Disk, findStat } from './disk.js'
import type { EntryStat } from './fingerprint.js'
import { diskError, isFatal, problemOf } from './problems.js'

/**
 * A call ends after so long, so that a worker is free again and a pause is heard; listing a huge directory is worth at least
 * as long a time of removing from it, and each call gets on by one name.
 */
export const STRETCH_MS = 200
/** More are counted by their number alone. */
const MAX_PROBLEMS = 200

export interface StretchOptions {
  /** Where the call before stopped: everything up to there was handled. */
  readonly after?: RelPath | undefined
  /** Opens directories whose mode forbids it: for what is ours. */
  readonly force?: boolean
  /** Names after which the call ends, if it takes no longer than STRETCH_MS. */
  readonly maxNames?: number
  /** The calls before met problems: a directory that is not empty is no news then. */
  readonly blamed?: boolean
}

export interface Stretch {
  readonly done: boolean
  /** For `after`. */
  readonly at: RelPath
  readonly files: number
  readonly bytes: number
  readonly problems: readonly Problem[]
}

interface Frame {
  readonly rel: RelPath
  readonly names: readonly string[]
  next: number
  blamed: boolean
}

/**
 * Removes a tree for good, bottom-up and in the order of names, a stretch a call. Links are removed, never followed; what is
 * mounted in it stays and is a problem, as is whatever the system refuses; the rest goes.
 * @throws {SpacedriveError} what concerns the disk as a whole
 */
export function removeStretch(disk: Disk, parent: DirHandle, name: string, options: StretchOptions = {}): Stretch {
  const top = findStat(disk, parent, name)
  if (top === undefined) return { done: true, at: ROOT, files: 0, bytes: 0, problems: [] }
  return new Removal(disk, parent, name, top, options).run()
}

class Removal {
  readonly #disk: Disk
  readonly #parent: DirHandle
  readonly #name: string
  readonly #top: EntryStat
  readonly #options: StretchOptions
  readonly #problems: Problem[] = []
  #until = performance.now() + STRETCH_MS
  readonly #frames: Frame[] = []
  #base: DirHandle | undefined
  #names = 0
  #files = 0
  #bytes = 0
  #at: RelPath
  readonly #began: RelPath
  readonly #maxNames: number

  constructor(disk: Disk, parent: DirHandle, name: string, top: EntryStat, options: StretchOptions) {
    this.#disk = disk
    this.#parent = parent
    this.#name = name
    this.#top = top
    this.#options = options
    this.#at = this.#began = options.after ?? ROOT
    this.#maxNames = options.maxNames ?? Number.POSITIVE_INFINITY
  }

  run(): Stretch {
    try {
      const done = this.#top.kind === 'directory' ? this.#tree() : this.#single()
      const { length: n } = this.#problems
      return {
        done,
        at: this.#at,
        files: this.#files,
        bytes: this.#bytes,
        problems: n > MAX_PROBLEMS ? this.#problems.slice(0, MAX_PROBLEMS) : this.#problems
      }
    } finally {
      if (this.#base !== undefined) this.#disk.close(this.#base)
    }
  }

  #single(): boolean {
    this.#try(ROOT, () => {
      this.#disk.unlink(this.#parent, this.#name)
      this.#count(this.#top)
    })
    return true
  }

  #tree(): boolean {
    const opened = this.#try(ROOT, () => {
      this.#openUp(this.#parent, this.#name, this.#top)
      this.#base = this.#disk.openDir(this.#parent, this.#name)
      return this.#enter(ROOT)
    })
    if (opened !== true) return true
    for (let frame = this.#frames.at(-1); frame !== undefined; frame = this.#frames.at(-1)) {
      if (!this.#within(frame)) return false
      if (this.#frames.at(-1) !== frame) continue // a directory below it comes first
      this.#frames.pop()
      this.#leave(frame)
    }
    return true
  }

  /** Lists a directory; where an earlier call stopped in it, from there on. */
  #enter(rel: RelPath): boolean {
    const before = performance.now()
    const names = this.#in(rel, dir => this.#disk.list(dir)).sort(byText)
    const now = performance.now()
    this.#until = Math.max(this.#until, now + (now - before))
    const { after = ROOT, blamed = false } = this.#options
    const resumed = after !== ROOT && (rel === ROOT || after.startsWith(`${rel}/`))
    const [first] = resumed ? after.slice(rel === ROOT ? 0 : rel.length + 1).split('/') : []
    const whole = first !== undefined && joinRel(rel, first) === after
    const next = first === undefined ? 0 : names.filter(n => (whole ? n <= first : n < first)).length
    this.#frames.push({ rel, names, next, blamed: resumed && blamed })
    return true
  }

  /** @returns false when the time is up */
  #within(frame: Frame): boolean {
    while (frame.next < frame.names.length) {
      if (this.#at !== this.#began && (this.#names >= this.#maxNames || performance.now() > this.#until)) return false
      this.#names++
      const rel = joinRel(frame.rel, frame.names[frame.next++]!)
      const entered = this.#try(rel, () => this.#one(rel))
      if (entered === undefined) frame.blamed = true
      if (entered === true) return true
      this.#at = rel
    }
    return true
  }

  /** @returns true when it is a directory that has to be emptied first */
  #one(rel: RelPath): boolean {
    return this.#in(parentOf(rel), dir => {
      const stat = findStat(this.#disk, dir, nameOf(rel))
      if (stat === undefined) return false
      if (stat.device !== this.#top.device || stat.mount !== this.#top.mount) {
        throw Object.assign(new Error(), { code: 'EXDEV' })
      }
      if (stat.kind === 'directory') {
        this.#openUp(dir, nameOf(rel), stat)
        return this.#enter(rel)
      }
      this.#disk.unlink(dir, nameOf(rel))
      this.#count(stat)
      return false
    })
  }

  #leave({ rel, blamed }: Frame): void {
    const above = this.#frames.at(-1)
    try {
      if (rel === ROOT) this.#disk.removeDir(this.#parent, this.#name)
      else this.#in(parentOf(rel), dir => this.#disk.removeDir(dir, nameOf(rel)))
    } catch (err) {
      if (above !== undefined) above.blamed = true
      if (!(blamed && errorCode(err) === 'ENOTEMPTY') && errorCode(err) !== 'ENOENT') this.#problem(rel, err)
    }
    this.#at = rel
  }

  #openUp(dir: DirHandle, name: string, { mode }: EntryStat): void {
    if (this.#options.force && (mode & 0o700) !== 0o700) this.#disk.setDirMode(dir, name, 0o700)
  }

  #in<T>(rel: RelPath, fn: (dir: DirHandle) => T): T {
    if (rel === ROOT) return fn(this.#base!)
    const dir = this.#disk.openDir(this.#base!, rel)
    try {
      return fn(dir)
    } finally {
      this.#disk.close(dir)
    }
  }

  #count({ sizeBytes }: EntryStat): void {
    this.#files++
    this.#bytes += sizeBytes
  }

  /** @returns undefined when it failed: the problem is noted */
  #try<T>(rel: RelPath, fn: () => T): T | undefined {
    try {
      return fn()
    } catch (err) {
      if (errorCode(err) !== 'ENOENT') this.#problem(rel, err)
      return undefined
    }
  }

  #problem(rel: RelPath, cause: unknown): void {
    const path = `${this.#parent.path === '/' ? '' : this.#parent.path}/${joinRel(this.#name as RelPath, rel)}`
    const err = diskError('remove', rel === ROOT ? path.slice(0, -1) : path, cause)
    if (isFatal(err)) throw err
    this.#problems.push(problemOf(rel === ROOT ? path.slice(0, -1) : path, err))
  }
}

const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
