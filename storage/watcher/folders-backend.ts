import { existsSync, readdirSync, readFileSync, watch } from 'node:fs'
import { setImmediate as nextTurn } from 'node:timers/promises'
import {
  type AbsPath,
  displayPath,
  errorCode,
  fsPath,
  nameOf,
  type RelPath,
  ROOT,
  resolveRel,
  SpacedriveError,
  textFromBytes
} from '../base/index.js'
import { MARKER_NAME } from '../files/index.js'
import {
  type Backend,
  type BackendSink,
  COVERED,
  type DirectoryIdentity,
  directoryAt,
  isLimit,
  limitProblem,
  sameDirectory,
  uncoveredReport
} from './backend.js'
import { Folder } from './folder.js'
import { FOLDERS_AT_ONCE, MAX_WAIT_MS, QUIET_MS, WALK_INTERVAL_MS } from './limits.js'
import { isNoise, maybeOurs } from './noise.js'

/** What the kernel keeps for a watcher that does not read (its own default). Beyond it events are dropped. */
const DEFAULT_QUEUE = 16_384

/**
 * One inotify watch a directory, by fs.watch with names as bytes. Rests on three things:
 * - a directory is watched first and listed then, so nothing made in it falls between;
 * - whatever happened to the name of a directory, its whole subtree is taken off and put on again: watches follow the inode
 *   of a directory that was renamed, names do not;
 * - libuv does not tell that the kernel's queue ran over, but then hands out all that was in it at once. Half a queue in one
 *   turn of the loop is taken for an overflow: everything is watched anew and looked at.
 */
export class FoldersBackend implements Backend {
  readonly #root: AbsPath
  readonly #sink: BackendSink
  readonly #queue: number
  #identity: DirectoryIdentity | undefined
  #top = new Folder('', undefined)
  #pending = new Map<Folder, Map<string, boolean>>()
  #timer: NodeJS.Timeout | undefined
  #firstAtMs = 0
  #working = Promise.resolve()
  #turn = 0
  #overflowed = false
  #stopped = false
  readonly #unwatched = new Set<Folder>()
  #walkTimer: NodeJS.Timeout | undefined
  #told = true

  constructor(root: AbsPath, sink: BackendSink, queue = queueLength()) {
    this.#root = root
    this.#sink = sink
    this.#queue = queue
  }

  async start(): Promise<void> {
    this.#identity = directoryAt(this.#root)
    if (this.#identity === undefined) {
      throw new SpacedriveError('LOCATION_OFFLINE', `the folder ${displayPath(this.#root)} is not there`)
    }
    this.#working = this.#cover(this.#top)
    await this.#working
    this.#tellCoverage()
    this.#walkTimer = setInterval(() => this.#enqueue(() => this.#walkUnwatched()), WALK_INTERVAL_MS)
  }

  async stop(): Promise<void> {
    this.#stopped = true
    clearTimeout(this.#timer)
    clearInterval(this.#walkTimer)
    await this.#working
    this.#top.drop(() => {})
  }

  /** Puts watches on a folder and everything below it. */
  async #cover(top: Folder): Promise<void> {
    const stack = [top]
    for (let n = 1; stack.length > 0 && !this.#stopped; n++) {
      const folder = stack.pop()!
      if (folder.dropped) continue
      if (this.#watch(folder)) stack.push(...this.#list(folder))
      if (n % FOLDERS_AT_ONCE === 0) await nextTurn()
    }
  }

  #watch(folder: Folder): boolean {
    const path = resolveRel(this.#root, folder.path)
    try {
      const watcher = watch(fsPath(path), { encoding: 'buffer' }, (type, name) => this.#saw(folder, type, name))
      watcher.on('error', () => this.#saw(folder, 'rename', null))
      folder.watcher = watcher
      this.#unwatched.delete(folder)
      folder.unwatched = undefined
      return true
    } catch (err) {
      const code = errorCode(err)
      if (code === 'ENOENT' || code === 'ENOTDIR') return false // its parent's watch tells what came of it
      folder.unwatched = code
      this.#unwatched.add(folder)
      this.#told = false
      return false
    }
  }

  #list(folder: Folder): Folder[] {
    const base = resolveRel(this.#root, folder.path)
    const found: Folder[] = []
    try {
      for (const entry of readdirSync(fsPath(base), { withFileTypes: true, encoding: 'buffer' })) {
        // A file system that gives no kinds (parentPath aside, all questions are false): the look decides.
        const typed = entry.isDirectory() || entry.isFile() || entry.isSymbolicLink()
        if (typed && !entry.isDirectory()) continue
        const name = textFromBytes(entry.name as unknown as Buffer)
        if (!this.#wanted(base, name)) continue
        const child = new Folder(name, folder)
        folder.children.set(name, child)
        found.push(child)
      }
    } catch {
      // Unreadable or gone: the index says so, and the parent's watch tells when that changes.
    }
    return found
  }

  /** False for what is no directory of this file system, or ours. */
  #wanted(base: string, name: string): boolean {
    if (isNoise(name)) return false
    const path = base === '/' ? `/${name}` : `${base}/${name}`
    if (directoryAt(path)?.device !== this.#identity!.device) return false
    return !(maybeOurs(name) && existsSync(fsPath(`${path}/${MARKER_NAME}`)))
  }

  /** RACE: a handler runs between any two steps of `#cover`; it only notes, and everything else is done in order. */
  #saw(folder: Folder, type: 'rename' | 'change', name: Buffer | null): void {
    if (this.#stopped || folder.dropped) return
    if (this.#turn++ === 0) {
      setImmediate(() => {
        this.#turn = 0
      })
    }
    if (this.#turn >= this.#queue / 2) this.#overflowed = true
    const text = name === null ? '' : textFromBytes(name)
    if (isNoise(text)) return
    if (this.#pending.size === 0) this.#firstAtMs = performance.now()
    const names = this.#pending.get(folder) ?? new Map<string, boolean>()
    this.#pending.set(folder, names)
    names.set(text, names.get(text) === true || type === 'rename' || name === null)
    this.#schedule()
  }

  /** Not at once: a folder that is being unpacked would be put under watch again and again. */
  #schedule(): void {
    clearTimeout(this.#timer)
    const latest = this.#firstAtMs + MAX_WAIT_MS / 2 - performance.now()
    this.#timer = setTimeout(() => this.#enqueue(() => this.#work()), Math.max(0, Math.min(QUIET_MS / 2, latest)))
  }

  #enqueue(work: () => Promise<void>): void {
    this.#working = this.#working.then(async () => {
      if (!this.#stopped) await work()
      if (!this.#told) this.#tellCoverage()
    })
  }

  async #work(): Promise<void> {
    const pending = this.#pending
    this.#pending = new Map()
    if (this.#overflowed) return this.#beginAnew()
    for (const [folder, names] of pending) {
      if (folder.dropped) continue // what took its place was looked at whole
      for (const [name, renamed] of names) {
        if (name === '' || this.#isOwnName(folder, name)) {
          if (!this.#selfChanged(folder)) return
          if (name === '') continue
        }
        await this.#changed(folder, name, renamed)
        if (folder.dropped) break
      }
    }
  }

  async #changed(folder: Folder, name: string, renamed: boolean): Promise<void> {
    const base = resolveRel(this.#root, folder.path)
    const known = folder.children.get(name)
    const path = folder.path === ROOT ? (name as RelPath) : (`${folder.path}/${name}` as RelPath)
    if (!renamed && known?.unwatched === undefined) return this.#sink.hint(path, false)
    known?.drop(f => this.#unwatched.delete(f))
    if (maybeOurs(folder.name) && name === MARKER_NAME) return this.#recover(folder)
    if (!this.#wanted(base, name)) return this.#sink.hint(path, false)
    const child = new Folder(name, folder)
    folder.children.set(name, child)
    await this.#cover(child)
    this.#sink.hint(path, true)
  }

  /** A folder became ours, or is no longer. */
  async #recover(folder: Folder): Promise<void> {
    if (folder.parent !== undefined) await this.#changed(folder.parent, folder.name, true)
  }

  /** An event that a directory had itself bears its own name, like one of a child that is called the same. */
  #isOwnName(folder: Folder, name: string): boolean {
    return name === (folder.parent === undefined ? nameOf(this.#root as string as RelPath) : folder.name)
  }

  /** @returns false when the root is lost */
  #selfChanged(folder: Folder): boolean {
    if (folder.parent !== undefined) {
      this.#sink.hint(folder.path, false)
      return true
    }
    if (sameDirectory(this.#identity!, directoryAt(this.#root))) {
      this.#sink.hint(ROOT, false)
      return true
    }
    this.#stopped = true
    this.#sink.rootLost()
    return false
  }

  async #beginAnew(): Promise<void> {
    this.#overflowed = false
    this.#top.drop(f => this.#unwatched.delete(f))
    this.#top = new Folder('', undefined)
    if (!sameDirectory(this.#identity!, directoryAt(this.#root))) {
      this.#stopped = true
      return this.#sink.rootLost()
    }
    await this.#cover(this.#top)
    this.#sink.hint(ROOT, true)
  }

  async #walkUnwatched(): Promise<void> {
    for (const folder of [...this.#unwatched]) {
      if (folder.dropped) continue
      const limited = isLimit({ code: folder.unwatched })
      await this.#cover(folder) // others may have given watches back
      if (limited) this.#sink.hint(folder.path, true)
    }
    this.#told = false
  }

  #tellCoverage(): void {
    this.#told = true
    const limited = [...this.#unwatched].filter(f => !f.dropped && isLimit({ code: f.unwatched }))
    const [first] = limited
    const paths = limited.map(f => f.path)
    this.#sink.coverage(first === undefined ? COVERED : uncoveredReport(paths, limitProblem(first.unwatched!)))
  }
}

function queueLength(): number {
  try {
    return Number(readFileSync('/proc/sys/fs/inotify/max_queued_events', 'utf8')) || DEFAULT_QUEUE
  } catch {
    return DEFAULT_QUEUE
  }
}
