import { opendirSync, readdirSync } from 'node:fs'
import {
  type AbsPath,
  displayPath,
  errorCode,
  fsPath,
  joinRel,
  pathBytes,
  type RelPath,
  resolveRel,
  textFromBytes,
  toError
} from '../base/index.js'
import { CONTENT_KINDS, FLAG, KIND, nameKey, SEEN_FLAGS } from '../entries/index.js'
import { kindOfName } from '../file-types/index.js'
import { AREA_NAME, isTempName } from '../files/index.js'
import type { Sql } from '../sql/index.js'
import { type DirectoryStat, type Head, mark } from './batch.js'
import { BatchBuilder } from './batch-builder.js'
import { isOurArea, type Look, lookAt } from './look.js'
import { type DirectoryRules, RuleBook } from './rules.js'
import type { SliceInput, SliceOutput, WalkItem } from './walk.worker.js'

/** Entries and milliseconds after which a slice ends: some 25 ms of a thread, or one slow directory. */
export const SLICE_ENTRIES = 4_096
const SLICE_MS = 60
/** A directory file of this size is listed first and looked at in parts (1 MiB: 30,000 names and more on ext4). */
const HUGE_DIRECTORY_BYTES = 1024n * 1024n
export const PART_NAMES = 8_192
const OPENDIR_BUFFER = 1_024

const KIND_NUMBERS: ReadonlyMap<string, number> = new Map(CONTENT_KINDS.map((kind, i) => [kind, i]))

interface Known {
  id: number
  inode: bigint
  birthNs: bigint
}

/** One slice of a walk: a stack of directories, taken from the end. */
export class Walk {
  readonly #sql: Sql
  readonly #input: SliceInput
  readonly #rules: RuleBook
  readonly #batch = new BatchBuilder()
  readonly #stack: WalkItem[]
  readonly #lost: RelPath[] = []
  readonly #seen = { entries: 0, directories: 0, same: 0, bytes: 0 }
  #nextRef: number

  constructor(sql: Sql, input: SliceInput) {
    this.#sql = sql
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
      else this.#names(item)
      looked += 1 + this.#seen.entries - before
      if (looked >= SLICE_ENTRIES || performance.now() > until) break
    }
    return {
      batch: this.#batch.finish(),
      rest: this.#stack,
      nextRef: this.#nextRef,
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
      names = self.directoryBytes > HUGE_DIRECTORY_BYTES ? listHuge(path) : list(path)
    } catch (err) {
      const code = errorCode(err)
      if (code === 'ENOENT' || code === 'ENOTDIR') this.#lost.push(item.rel)
      else this.#failed(item, at, stat, code, toError(err).message)
      return
    }
    if (names.length > 2 * PART_NAMES) {
      for (let end = names.length; end > 0; end -= PART_NAMES) {
        const packed = pathBytes(names.slice(Math.max(0, end - PART_NAMES), end).join('\0'))
        this.#stack.push({ ...item, kind: 'part', packed, last: end === names.length })
      }
      return
    }
    const first = this.#batch.count
    const below = this.#lookAtAll(item, names)
    const digest = this.#batch.digest(first)
    const recorded = item.id > 0 && !this.#input.force ? this.#recorded(item.id) : undefined
    const head: Head = {
      kind: 'whole',
      directory: item.id,
      rel: item.rel,
      first,
      count: this.#batch.count - first,
      at,
      self: stat,
      device: this.#input.rootDevice,
      digest,
      absent: [],
      problem: null
    }
    if (recorded?.digest != null && Buffer.compare(recorded.digest, digest) === 0) {
      this.#seen.same++
      this.#batch.rewind(first)
      if (recorded.mtime_ns !== stat.mtimeNs || recorded.ctime_ns !== stat.ctimeNs)
        this.#batch.head({ ...head, kind: 'names', count: 0 })
      this.#enter(item, below, this.#knownBelow(item.id))
    } else {
      this.#batch.head(head)
      this.#enter(item, below, this.#input.recurse === 'new' && !item.all ? this.#knownBelow(item.id) : undefined)
    }
  }

  /** Single names, or a stretch of a huge directory. */
  #names(item: WalkItem): void {
    const at = Date.now()
    const first = this.#batch.count
    const absent: Uint8Array[] = []
    const names = item.packed === undefined ? (item.names ?? []) : textFromBytes(item.packed).split('\0')
    const below = this.#lookAtAll(item, names, absent)
    const self = lookAt(resolveRel(this.#input.root as AbsPath, item.rel))
    if (self.state === 'gone' || (self.state === 'seen' && self.device !== this.#input.rootDevice)) {
      this.#batch.rewind(first)
      this.#lost.push(item.rel)
      return
    }
    this.#batch.head({
      kind: item.kind === 'names' ? 'names' : item.last ? 'last-part' : 'part',
      directory: item.id,
      rel: item.rel,
      first,
      count: this.#batch.count - first,
      at,
      self: self.state === 'seen' ? this.#stable(self) : null,
      device: this.#input.rootDevice,
      digest: null,
      absent: item.kind === 'names' ? absent : [],
      problem: null
    })
    this.#enter(item, below, this.#input.recurse === 'new' && !item.all ? this.#knownBelow(item.id) : undefined)
  }

  /** Looks at each name and adds what is there. @returns the directories that may be entered, as entries of the batch */
  #lookAtAll(
    item: WalkItem,
    names: readonly string[],
    absent: Uint8Array[] = []
  ): { name: string; entry: number; stat: DirectoryStat; flags: number }[] {
    const below: { name: string; entry: number; stat: DirectoryStat; flags: number }[] = []
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
      const entry = this.#batch.add(name, { ...stat, sizeBytes: look.sizeBytes }, mark(look.kind, type, flags))
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

  #enter(
    item: WalkItem,
    below: readonly { name: string; entry: number; stat: DirectoryStat; flags: number }[],
    known?: Map<string, Known>
  ): void {
    if (this.#input.recurse === 'none' && item.kind !== 'names') return
    if (item.depth <= 0) return
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
    const { rootDevice: device } = this.#input
    const first = this.#batch.count
    this.#batch.head({
      kind: 'failed',
      directory: item.id,
      rel: item.rel,
      first,
      count: 0,
      at,
      self,
      device,
      digest: null,
      absent: [],
      problem
    })
  }

  #stable(stat: DirectoryStat): DirectoryStat {
    const { mtimeNs, ctimeNs, mode } = stat
    if (this.#input.nameless) return { mtimeNs, ctimeNs, birthNs: 0n, inode: 0n, mode }
    return this.#input.births ? stat : { mtimeNs, ctimeNs, birthNs: 0n, inode: stat.inode, mode }
  }

  #recorded(id: number): { digest: Uint8Array | null; mtime_ns: bigint; ctime_ns: bigint } | undefined {
    return this.#sql
      .prepare<{ digest: Uint8Array | null; mtime_ns: bigint; ctime_ns: bigint }>(
        'SELECT digest, mtime_ns, ctime_ns FROM directories WHERE id = ? AND complete = 1',
        { bigint: true }
      )
      .get([id])
  }

  #knownBelow(id: number): Map<string, Known> {
    if (id <= 0) return new Map()
    const rows = this.#sql
      .prepare<{ id: bigint; name: Uint8Array; inode: bigint; birth_ns: bigint }>(
        `SELECT e.id, e.name, e.inode, e.birth_ns FROM directories d JOIN entries e ON e.id = d.id WHERE d.parent = ?`,
        { bigint: true }
      )
      .all([id])
    return new Map(rows.map(r => [nameKey(r.name), { id: Number(r.id), inode: r.inode, birthNs: r.birth_ns }]))
  }
}

/** The names in a directory, exactly: those that are not UTF-8 by their bytes. */
function list(path: string): string[] {
  const names = readdirSync(fsPath(path), 'utf8')
  // U+FFFD stands for bytes that are no UTF-8 (or for itself): read again as bytes.
  if (!names.some(name => name.includes('\ufffd'))) return names
  return readdirSync(fsPath(path), { encoding: 'buffer' }).map(textFromBytes)
}

/** The same for a huge one, without holding all of it in the form the system call gives. */
function listHuge(path: string): string[] {
  const names: string[] = []
  const dir = opendirSync(fsPath(path) as string, { encoding: 'buffer' as BufferEncoding, bufferSize: OPENDIR_BUFFER })
  try {
    for (let entry = dir.readSync(); entry !== null; entry = dir.readSync())
      names.push(textFromBytes(entry.name as unknown as Buffer))
  } finally {
    dir.closeSync()
  }
  return names.sort()
}
