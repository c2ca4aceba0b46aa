import { lstatSync, readdirSync } from 'node:fs'
import { fsPath, type TaskContext, textFromBytes } from '../../storage/base/index.js'
import type { EntryKind } from '../../storage/files/index.js'

/** What one lstat says, as a plan keeps it. */
export interface Seen {
  readonly kind: EntryKind
  readonly sizeBytes: number
  readonly mtimeNs: bigint
  readonly ctimeNs: bigint
  readonly device: bigint
  readonly inode: bigint
  readonly links: number
}

/** @throws ENOENT, EACCES ... as the system says it */
export function look(path: string): Seen {
  const s = lstatSync(fsPath(path), { bigint: true })
  return {
    kind: s.isFile() ? 'file' : s.isDirectory() ? 'directory' : s.isSymbolicLink() ? 'symlink' : 'other',
    sizeBytes: Number(s.size),
    mtimeNs: s.mtimeNs,
    ctimeNs: s.ctimeNs,
    device: s.dev,
    inode: s.ino,
    links: Number(s.nlink)
  }
}

/** Between two looks at the signal and two tellings of how far it is. */
const NAMES_AT_ONCE = 2_000

/** Counts files and bytes below directories, without following links. What cannot be looked at is left out. */
export class Measuring {
  readonly sum = { files: 0, bytes: 0 }
  readonly #ctx: TaskContext
  #names = 0

  constructor(ctx: TaskContext) {
    this.#ctx = ctx
  }

  async one(bytes: number): Promise<{ files: number; bytes: number }> {
    this.sum.files++
    this.sum.bytes += bytes
    await this.#turn()
    return { files: 1, bytes }
  }

  async below(directory: string): Promise<{ files: number; bytes: number }> {
    const before = { ...this.sum }
    const waiting = [directory]
    for (let dir = waiting.pop(); dir !== undefined; dir = waiting.pop()) {
      for (const name of listNames(dir)) {
        const at = `${dir}/${name}`
        const stat = lstatSync(fsPath(at), { throwIfNoEntry: false })
        if (stat?.isDirectory()) waiting.push(at)
        else if (stat !== undefined) {
          this.sum.files++
          this.sum.bytes += stat.size
        }
        await this.#turn()
      }
    }
    return { files: this.sum.files - before.files, bytes: this.sum.bytes - before.bytes }
  }

  async #turn(): Promise<void> {
    if (++this.#names % NAMES_AT_ONCE !== 0) return
    this.#ctx.emit({ ...this.sum })
    await new Promise(resolve => setImmediate(resolve)) // the message that says "abort" can only arrive then
    this.#ctx.signal.throwIfAborted()
  }
}

function listNames(dir: string): string[] {
  try {
    return readdirSync(fsPath(dir), { encoding: 'buffer' }).map(textFromBytes)
  } catch {
    return []
  }
}
