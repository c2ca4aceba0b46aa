import {
  type AbsPath,
  displayPath,
  errorCode,
  joinRel,
  pathBytes,
  type RelPath,
  resolveRel,
  toError
} from '../base/index.js'
import { CONTENT_KINDS, FLAG, KIND, nameKey, restedSince, SEEN_FLAGS } from '../entries/index.js'
import { kindOfName } from '../file-types/index.js'
import { AREA_NAME, isTempName } from '../files/index.js'
import type { Sql } from '../sql/index.js'
import { buffersOf, type DirectoryStat, type Head, type HeadKind, mark } from './batch.js'
import { BatchBuilder } from './batch-builder.js'
import { inParts, listNames, type Part, unpack } from './listing.js'
import { isOurArea, type Look, lookAt } from './look.js'
import { Recorded } from './recorded.js'
import { type DirectoryRules, RuleBook } from './rules.js'
import type { SliceInput, SliceOutput, WalkItem } from './walk.worker.js'

/** Entries and milliseconds after which a slice ends: some 25 ms of a thread, or one slow directory. */
export const SLICE_ENTRIES = 4_096
const SLICE_MS = 60
const KIND_NUMBERS: ReadonlyMap<string, number> = new Map(CONTENT_KINDS.map((kind, i) => [kind, i]))

/** A directory that may be entered: its entry in the batch. */
interface Below {
  readonly name: string
  readonly entry: number
  readonly stat: DirectoryStat
  readonly flags: number
}

/** One slice of a walk: a stack of directories, taken from the end. */
export class Walk {
  readonly #recorded: Recorded
  readonly #input: SliceInput
  readonly #rules: RuleBook
  readonly #batch = new BatchBuilder()
  readonly #stack: WalkItem[]
  readonly #lost: RelPath[] = []
  readonly #seen = { entries: 0, directories: 0, same: 0, bytes: 0 }
  #nextRef: number

  constructor(sql: Sql, input: SliceInput) {
    this.#recorded = new Recorded(sql)
    this.#input = input
    this.#rules = new RuleBook(input.root as AbsPath, input.scopes)
    this.#stack = [...input.items]
    this.#nextRef = input.firstRef
  }

  run(): SliceOutput {
    const until = performance.now() + SLICE_MS
    let looked = 0
    for (let item = this.#stack.pop(); item !== undefined; item = this.#stack.pop()) {
      const before = this.#seen.entries
      if (item.kind === 'directory') this.#directory(item)
      else if (item.part === undefined) this.#names(item)
      else this.#part(item, item.part)
      looked += 1 + this.#seen.entries - before
      if (looked >= SLICE_ENTRIES || performance.now() > until) break
    }
    const batch = this.#batch.finish()
    return {
      batch,
      transfer: buffersOf(batch),
      rest: this.#stack,
      seen: this.#seen,
      lost: this.#lost
    }
  }

  #directory(item: WalkItem): void {
    const at = Date.now()
    const path = resolveRel(this.#input.root as AbsPath, item.rel)
    const self = lookAt(path)
    if (self.state !== 'seen' || self.kind !== KIND.DIRECTORY) {
      if (self.state === 'denied') this.#failed(item, at, null, self.code, self.message)
      else this.#lost.push(item.rel)
      return
    }
    // Something was mounted or unmounted here since its parent was listed.
    if (self.device !== this.#input.rootDevice) {
      this.#lost.push(item.rel)
      return
    }
    this.#seen.directories++
    const stat = this.#stable(self)
    let names: string[]
    try {
      names = listNames(path, self.directoryBytes)
    } catch (err) {
      const code = errorCode(err)
      if (code === 'ENOENT' || code === 'ENOTDIR') this.#lost.push(item.rel)
      else this.#failed(item, at, stat, code, toError(err).message)
      return
    }
    const parts = inParts(names)
    if (parts === undefined) this.#whole(item, names, at, stat)
    else {
      const listed = { at, self: stat }
      for (let i = parts.length - 1; i >= 0; i--) {
        const part = { ...item, kind: 'part', part: parts[i]! } as const
        this.#stack.push(i === parts.length - 1 ? { ...part, listed } : part)
      }
    }
  }

  #whole(item: WalkItem, names: readonly string[], at: number, self: DirectoryStat): void {
    const first = this.#batch.count
    const below = this.#lookAtAll(item, names)
    const digest = this.#batch.digest(first)
    const recorded = item.id > 0 && !this.#input.force ? this.#recorded.directory(item.id) : undefined
    if (recorded?.digest == null || Buffer.compare(recorded.digest, digest) !== 0) {
      this.#head(item, 'whole', { first, at, self, digest })
      this.#enter(item, below, this.#wantsKnown(item))
      return
    }
    this.#seen.same++
    this.#batch.rewind(first)
    // Touched, and yet the same: only its own times are to be noted, or that it has rested since.
    const touched = recorded.mtime_ns !== self.mtimeNs || recorded.ctime_ns !== self.ctimeNs
    const proves = restedSince(self.mtimeNs, at) && !restedSince(self.mtimeNs, Number(recorded.scanned_at))
    if (touched || proves) this.#head(item, 'names', { first, at, self })
    this.#enter(item, below, true)
  }

  #names(item: WalkItem): void {
    const at = Date.now()
    const first = this.#batch.count
    const absent: Uint8Array[] = []
    const below = this.#lookAtAll(item, item.names ?? [], absent)
    const self = this.#lookAtSelf(item, first)
    if (self === undefined) return
    this.#head(item, 'names', { first, at, self, absent })
    this.#enter(item, below, this.#wantsKnown(item))
  }

  /** A stretch of a huge directory: nothing is sent of one that is recorded so already. */
  #part(item: WalkItem, { packed, range }: Part): void {
    const at = Date.now()
    const first = this.#batch.count
    const below = this.#lookAtAll(item, unpack(packed))
    const self = this.#lookAtSelf(item, first)
    if (self === undefined) return
    const { columns, count } = this.#batch
    const same = item.id > 0 && !this.#input.force && this.#recorded.isSame(item.id, range, columns, first, count)
    if (same) this.#batch.rewind(first)
    else this.#head(item, 'range', { first, at, self, range })
    this.#enter(item, below, same || this.#wantsKnown(item))
    if (item.listed !== undefined) this.#head(item, 'listed', { first: this.#batch.count, ...item.listed })
  }

  /** The directory's own stat after its names were looked at; undefined when it is gone or something was mounted on it. */
  #lookAtSelf(item: WalkItem, first: number): DirectoryStat | null | undefined {
    const self = lookAt(resolveRel(this.#input.root as AbsPath, item.rel))
    if (self.state === 'denied') return null
    if (self.state === 'seen' && self.device === this.#input.rootDevice) return this.#stable(self)
    this.#batch.rewind(first)
    this.#lost.push(item.rel)
    return undefined
  }

  /** Directories below may be known: they are, where not all are entered. */
  #wantsKnown(item: WalkItem): boolean {
    return this.#input.recurse === 'new' && !item.all
  }

  #head(
    item: WalkItem,
    kind: HeadKind,
    facts: Partial<Head> & { first: number; at: number; self: DirectoryStat | null }
  ): void {
    this.#batch.head({
      kind,
      directory: item.id,
      rel: item.rel,
      count: this.#batch.count - facts.first,
      device: this.#input.rootDevice,
      digest: null,
      range: null,
      absent: [],
      problem: null,
      ...facts
    })
  }

  /** Looks at each name and adds what is there. @returns the directories that may be entered, as entries of the batch */
  #lookAtAll(item: WalkItem, names: readonly string[], absent: Uint8Array[] = []): Below[] {
    const below: Below[] = []
    const rules = this.#rules.of(item.rel, item.excluded)
    const directory = resolveRel(this.#input.root as AbsPath, item.rel)
    const prefix = directory === '/' ? '/' : `${directory}/`
    for (const name of names) {
      if (isTempName(name)) continue
      const path = prefix + name
      const look = lookAt(path)
      if (look.state === 'gone') {
        absent.push(pathBytes(name))
        continue
      }
      const flags = this.#flags(path, name, look, rules)
      const stat = this.#stable(look)
      const type = look.kind === KIND.FILE ? (KIND_NUMBERS.get(kindOfName(name) ?? 'unknown') ?? 0) : 0
      const entry = this.#batch.add(name, stat, look.sizeBytes, mark(look.kind, type, flags))
      this.#seen.entries++
      this.#seen.bytes += look.kind === KIND.FILE ? look.sizeBytes : 0
      if (look.kind === KIND.DIRECTORY && (flags & FLAG.NOT_ENTERED) === 0) below.push({ name, entry, stat, flags })
    }
    return below
  }

  #flags(path: string, name: string, look: Exclude<Look, { state: 'gone' }>, rules: DirectoryRules): number {
    let flags = rules.flags(name, look.kind, look.sizeBytes)
    if (look.state === 'denied') return flags | FLAG.STATLESS
    if (look.kind === KIND.OTHER) return flags | FLAG.UNKNOWN
    if (look.device !== this.#input.rootDevice) flags |= FLAG.UNKNOWN
    if (look.kind === KIND.DIRECTORY) {
      if (this.#input.ours.includes(path) || (name === AREA_NAME && isOurArea(path))) flags |= FLAG.UNKNOWN
      if (flags & FLAG.UNKNOWN || (flags & FLAG.EXCLUDED && !rules.enterExcluded)) flags |= FLAG.NOT_ENTERED
    }
    return flags & SEEN_FLAGS
  }

  /** @param look - directories that are recorded already are entered by their ids */
  #enter(item: WalkItem, below: readonly Below[], look: boolean): void {
    if (below.length === 0 || item.depth <= 0) return
    if (this.#input.recurse === 'none' && item.kind !== 'names') return
    const known = look ? this.#recorded.below(item.id, item.part?.range) : undefined
    // Backwards, so that the first name is taken from the stack first.
    for (let i = below.length - 1; i >= 0; i--) {
      const { name, entry, stat, flags } = below[i]!
      const row = known?.get(nameKey(pathBytes(name)))
      const same = row !== undefined && row.inode === stat.inode && row.birthNs === stat.birthNs
      const all = item.all || this.#input.recurse === 'all' || (!same && this.#input.recurse === 'new')
      if (!all && item.kind !== 'names') continue
      let id = same ? row.id : 0
      if (id === 0) {
        id = this.#nextRef--
        this.#batch.refer(entry, id)
      }
      this.#stack.push({
        kind: 'directory',
        id,
        rel: joinRel(item.rel, name),
        excluded: (flags & FLAG.EXCLUDED) !== 0,
        all,
        depth: item.depth - 1
      })
    }
  }

  #failed(item: WalkItem, at: number, self: DirectoryStat | null, code: string, message: string): void {
    const path = displayPath(resolveRel(this.#input.root as AbsPath, item.rel))
    const problem = { path, code, message: message.replace(/,? '.*$/s, '') }
    this.#head(item, 'failed', { first: this.#batch.count, at, self, problem })
  }

  #stable(stat: DirectoryStat): DirectoryStat {
    const { mtimeNs, ctimeNs, mode } = stat
    if (this.#input.nameless) return { mtimeNs, ctimeNs, birthNs: 0n, inode: 0n, mode }
    return this.#input.births ? stat : { mtimeNs, ctimeNs, birthNs: 0n, inode: stat.inode, mode }
  }
}
