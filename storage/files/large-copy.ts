import { createHasher, type Hasher, hashBytes, PIECE_BYTES } from '../content/index.js'
import { type DirHandle, type Disk, findStat } from './disk.js'
import type { EntryStat } from './fingerprint.js'

/** How a large file is copied, so that a copy that was cut short goes on where the disk has it. */
export interface Checkpoints {
  /** After each so many bytes what was copied is synced and noted; a file that is no larger is copied in one go. */
  readonly everyBytes: number
  /** Told once, before anything is copied: what an earlier try left there and need not be copied again. */
  found(bytes: number): void
}

export interface LargeCopyInit {
  /** Where it is staged: the same place in each try. What was noted lies beside it. */
  readonly into: DirHandle
  readonly name: string
  readonly source: EntryStat
  readonly everyBytes: number
  /** Its hash is wanted: what is there is read again, and compared with the hash of what was read from the source. */
  readonly hashed: boolean
  /** Between two pieces that are read; may throw to end it. */
  pause(): Promise<void>
}

/** The first so many bytes are on the disk. `hash`: of those bytes, as they were read from the source. */
interface Mark {
  readonly at: number
  readonly hash?: string | undefined
}

/** What makes a source the same one; `copy`: the inode of what was staged of it. All as text: JSON has no such numbers. */
type Whose = Readonly<Record<'size' | 'mtime' | 'ctime' | 'inode' | 'copy', string>>

interface Noted {
  readonly last: Mark
  /** Length of the notes that are whole. */
  readonly length: number
}

/** More than a file of 10 TiB has. */
const MAX_NOTES_BYTES = 16 * 1024 * 1024
/** The disk begins to write after each so much, so that a sync has little to wait for. */
const START_WRITING_BYTES = 8 * 1024 * 1024

/** The copy of one large file, open for writing, with notes of how much of it is on the disk. */
export class LargeCopy {
  readonly to: number
  /** What comes before is there. */
  readonly startBytes: number
  /** Of what comes before; to be updated by whoever copies. */
  readonly hasher: Hasher | undefined
  readonly #disk: Disk
  readonly #init: LargeCopyInit
  #notes: { fd: number; length: number } | undefined
  #unmarked = 0
  #started: number

  /** See `openLargeCopy`. */
  constructor(
    disk: Disk,
    init: LargeCopyInit,
    to: number,
    begun?: { at: number; hasher: Hasher | undefined; length: number }
  ) {
    this.#disk = disk
    this.#init = init
    this.to = to
    this.startBytes = begun?.at ?? 0
    this.hasher = begun === undefined ? (init.hashed ? createHasher() : undefined) : begun.hasher
    this.#started = this.startBytes
    if (begun !== undefined)
      this.#notes = { fd: disk.open(init.into, notesOf(init.name), 'write'), length: begun.length }
  }

  /** `bytes` more were written, up to `at`. */
  wrote(at: number, bytes: number): void {
    if (at - this.#started >= START_WRITING_BYTES) {
      this.#started += this.#disk.startWriting?.(this.to, this.#started, at - this.#started) ?? 0
    }
    this.#unmarked += bytes
    if (this.#unmarked < this.#init.everyBytes || at >= this.#init.source.sizeBytes) return
    this.#unmarked = 0
    // First the content, then the word that it is there.
    this.#disk.sync(this.to)
    this.#note({ at, hash: this.hasher?.digest() })
  }

  /** Nothing of it is left. */
  remove(): void {
    this.close()
    clear(this.#disk, this.#init)
  }

  close(): void {
    if (this.#notes !== undefined) this.#disk.close(this.#notes.fd)
    this.#notes = undefined
  }

  #note(mark: Mark): void {
    const { into, name, source } = this.#init
    const first = this.#notes === undefined
    this.#notes ??= { fd: this.#disk.open(into, notesOf(name), 'create'), length: 0 }
    const notes = this.#notes
    const head = first ? line(whose(source, this.#disk.stat(this.to))) : ''
    const bytes = Buffer.from(`${head}${line(mark)}`)
    this.#disk.write(notes.fd, bytes, notes.length)
    notes.length += bytes.length
    this.#disk.sync(notes.fd)
    if (first) this.#disk.sync(into)
  }
}

/** Goes on with what an earlier try has on the disk, if the source is still the same; else begins anew. */
export async function openLargeCopy(disk: Disk, init: LargeCopyInit, mode: number): Promise<LargeCopy> {
  const begun = await reopened(disk, init)
  if (begun !== undefined) return begun
  clear(disk, init)
  // Its own mode may forbid to open it again: that comes last.
  return new LargeCopy(disk, init, disk.open(init.into, init.name, 'create', mode | 0o600))
}

async function reopened(disk: Disk, init: LargeCopyInit): Promise<LargeCopy | undefined> {
  const { into, name, hashed } = init
  const there = findStat(disk, into, name)
  const noted = there?.kind === 'file' ? readNotes(disk, init, there) : undefined
  if (there === undefined || noted === undefined || (hashed && noted.last.hash === undefined)) return undefined
  // It was complete, with the mode of its source, and had no name yet.
  if ((there.mode & 0o600) !== 0o600) disk.setDirMode(into, name, 0o600)
  const to = disk.open(into, name, 'write')
  try {
    const hasher = hashed ? await hashOf(disk, to, noted.last.at, init.pause) : undefined
    if (hasher === undefined || hasher.digest() === noted.last.hash) {
      // What lies behind may be there or not.
      disk.truncate(to, noted.last.at)
      return new LargeCopy(disk, init, to, { at: noted.last.at, hasher, length: noted.length })
    }
  } catch (err) {
    disk.close(to)
    throw err
  }
  disk.close(to)
  return undefined
}

async function hashOf(disk: Disk, fd: number, length: number, pause: () => Promise<void>): Promise<Hasher> {
  const hasher = createHasher()
  const piece = new Uint8Array(PIECE_BYTES)
  for (let at = 0; at < length; ) {
    const n = disk.read(fd, piece.subarray(0, Math.min(piece.length, length - at)), at)
    if (n === 0) break
    hasher.update(piece.subarray(0, n))
    at += n
    await pause()
  }
  return hasher
}

/** What the notes say, where they belong to this source and this copy; one that was cut short counts nothing. */
function readNotes(disk: Disk, { into, name, source }: LargeCopyInit, there: EntryStat): Noted | undefined {
  const [head, ...marks] = readLines(disk, into, notesOf(name))
  if (head === undefined || JSON.stringify(head.value) !== JSON.stringify(whose(source, there))) return undefined
  let noted: Noted | undefined
  for (const { value, end } of marks) {
    const { at, hash } = value as Partial<Mark>
    if (!Number.isSafeInteger(at) || at! <= 0 || at! > Math.min(source.sizeBytes, there.sizeBytes)) break
    if (hash !== undefined && typeof hash !== 'string') break
    noted = { last: { at: at!, hash }, length: end }
  }
  return noted
}

function readLines(disk: Disk, into: DirHandle, name: string): { value: object; end: number }[] {
  const stat = findStat(disk, into, name)
  if (stat?.kind !== 'file' || stat.sizeBytes > MAX_NOTES_BYTES) return []
  const bytes = Buffer.alloc(stat.sizeBytes)
  const fd = disk.open(into, name, 'read')
  try {
    for (let at = 0; at < bytes.length; ) {
      const n = disk.read(fd, bytes.subarray(at), at)
      if (n === 0) break
      at += n
    }
  } finally {
    disk.close(fd)
  }
  const lines: { value: object; end: number }[] = []
  for (let at = 0; ; ) {
    const end = bytes.indexOf('\n', at)
    const value = end < 0 ? undefined : parsed(bytes.toString('utf8', at, end))
    if (value === undefined) return lines
    at = end + 1
    lines.push({ value, end: at })
  }
}

/** With a sum, so that half a line is none. */
const line = (value: object): string => {
  const text = JSON.stringify(value)
  return `${sumOf(text)} ${text}\n`
}

function parsed(text: string): object | undefined {
  const at = text.indexOf(' ')
  if (at < 0 || sumOf(text.slice(at + 1)) !== text.slice(0, at)) return undefined
  const value: unknown = JSON.parse(text.slice(at + 1))
  return typeof value === 'object' && value !== null ? value : undefined
}

const sumOf = (text: string): string => hashBytes(Buffer.from(text)).slice(0, 16)

const whose = (source: EntryStat, copy: EntryStat): Whose => ({
  size: String(source.sizeBytes),
  mtime: String(source.mtimeNs),
  ctime: String(source.ctimeNs),
  inode: String(source.inode),
  copy: String(copy.inode)
})

const notesOf = (name: string): string => `${name}.notes`

function clear(disk: Disk, { into, name }: Pick<LargeCopyInit, 'into' | 'name'>): void {
  for (const one of [notesOf(name), name]) if (findStat(disk, into, one) !== undefined) disk.unlink(into, one)
}
