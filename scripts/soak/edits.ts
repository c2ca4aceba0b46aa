/** Random edits of a folder as people and programs make them, each told to the ledger. */
import {
  appendFileSync,
  chmodSync,
  closeSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
  writeSync
} from 'node:fs'
import { basename, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type ContentHash, hasCode } from '../../storage/base/index.js'
import { hashBytes } from '../../storage/content/index.js'
import { randomBytesFrom } from '../bench/trees.js'
import type { Ledger } from './ledger.js'

/** A folder of one device in which edits are made. */
export interface Place {
  readonly device: string
  readonly root: string
}

const KIB = 1024
const MIB = 1024 * KIB
/** The largest folder that an edit removes: guards against a mass deletion are not what is tried here. */
const MAX_REMOVED = 60
/** How long a slow writer holds a file half written. */
const HELD_MS = 20
/** The disk changed under an edit since a sync works there too: then there was no edit. */
const PASSED_BY = ['ENOENT', 'ENOTDIR', 'EISDIR', 'EEXIST', 'ENOTEMPTY', 'ELOOP', 'EINVAL', 'ETXTBSY']

export class Edits {
  readonly #ledger: Ledger
  readonly #random: () => number
  /** What is never touched: the folder of a git repository has an order of its own. */
  readonly #apart: ReadonlySet<string>
  readonly #kinds: readonly (readonly [weight: number, edit: (place: Place) => Promise<void> | void])[]
  #made = 0
  #names = 0

  constructor(ledger: Ledger, random: () => number, apart: readonly string[]) {
    this.#ledger = ledger
    this.#random = random
    this.#apart = new Set(apart)
    this.#kinds = [
      [20, p => this.#create(p)],
      [22, p => this.#overwrite(p)],
      [10, p => this.#saveAs(p)],
      [8, p => this.#append(p)],
      [4, p => this.#slowly(p)],
      [12, p => this.#remove(p)],
      [9, p => this.#rename(p)],
      [3, p => this.#renameFolder(p)],
      [2, p => this.#removeFolder(p)],
      [2, p => this.#grow(p)],
      [2, p => this.#link(p)],
      [2, p => this.#otherKind(p)],
      [3, p => this.#attributes(p)],
      [1, p => this.#insert(p)],
      [1, p => this.#swap(p)]
    ]
  }

  /** How many were made. */
  get made(): number {
    return this.#made
  }

  async one(place: Place): Promise<void> {
    let at = this.#random() * this.#kinds.reduce((sum, [weight]) => sum + weight, 0)
    const [, edit] = this.#kinds.find(([weight]) => {
      at -= weight
      return at < 0
    })!
    try {
      await edit(place)
      this.#made++
    } catch (err) {
      if (!PASSED_BY.some(code => hasCode(err, code))) throw err
    }
  }

  #create(place: Place): void {
    this.#write(place, join(this.#folder(place), this.#name()), this.#content())
  }

  #overwrite(place: Place): void {
    const path = this.#file(place)
    if (path !== undefined) this.#write(place, path, this.#content())
  }

  /** As editors do: beside it, then over it. */
  #saveAs(place: Place): void {
    const path = this.#file(place)
    if (path === undefined) return
    const content = this.#content()
    const beside = join(place.root, `${path}.saving`)
    writeFileSync(beside, content)
    const was = read(place, path)
    renameSync(beside, join(place.root, path))
    this.#ledger.wrote(place.device, path, hashBytes(content), was)
  }

  #append(place: Place): void {
    const path = this.#file(place)
    if (path === undefined || statSync(join(place.root, path)).size > 16 * MIB) return
    const was = read(place, path)
    appendFileSync(join(place.root, path), `${this.#name()}\n`)
    const now = read(place, path)
    if (now !== null) this.#ledger.wrote(place.device, path, now, was)
  }

  /** A writer that holds the file, half of it written, while a sync may look at it. */
  async #slowly(place: Place): Promise<void> {
    const path = this.#file(place)
    if (path === undefined) return
    const content = this.#content()
    const was = read(place, path)
    const fd = openSync(join(place.root, path), 'w')
    try {
      const half = content.length >> 1
      writeSync(fd, content, 0, half)
      await sleep(HELD_MS)
      writeSync(fd, content, half)
    } finally {
      closeSync(fd)
    }
    this.#ledger.wrote(place.device, path, hashBytes(content), was)
  }

  #remove(place: Place): void {
    const path = this.#file(place)
    if (path === undefined) return
    const was = read(place, path)
    rmSync(join(place.root, path))
    this.#ledger.removed(place.device, path, was)
  }

  #rename(place: Place): void {
    const path = this.#file(place)
    // Now and then onto what stands there.
    const to = this.#random() < 0.2 ? this.#file(place) : join(this.#folder(place), this.#name())
    if (path === undefined || to === undefined || to === path) return
    this.#move(place, path, to)
  }

  #move(place: Place, path: string, to: string): void {
    const was = read(place, to)
    renameSync(join(place.root, path), join(place.root, to))
    this.#ledger.removed(place.device, to, was)
    this.#ledger.moved(place.device, path, to)
  }

  #renameFolder(place: Place): void {
    const path = this.#folder(place)
    const into = this.#folder(place)
    if (path === '' || into === path || into.startsWith(`${path}/`)) return
    this.#move(place, path, join(into, this.#name()))
  }

  #removeFolder(place: Place): void {
    const path = this.#folder(place)
    if (path === '') return
    const inside = below(join(place.root, path))
    if (inside.length > MAX_REMOVED) return
    const was = inside.map(name => [join(path, name), read(place, join(path, name))] as const)
    rmSync(join(place.root, path), { recursive: true })
    for (const [name, hash] of was) this.#ledger.removed(place.device, name, hash)
  }

  /** A folder with many small files and folders in it, at once. */
  #grow(place: Place): void {
    const path = join(this.#folder(place), this.#name())
    for (let i = 0; i < 30; i++) {
      const folder = join(path, `part ${Math.floor(i / 10)}`)
      mkdirSync(join(place.root, folder), { recursive: true })
      this.#write(place, join(folder, this.#name()), this.#content())
    }
  }

  #link(place: Place): void {
    symlinkSync(this.#name(), join(place.root, this.#folder(place), this.#name()))
  }

  #otherKind(place: Place): void {
    const path = this.#file(place)
    if (path === undefined) return
    const was = read(place, path)
    rmSync(join(place.root, path))
    this.#ledger.removed(place.device, path, was)
    mkdirSync(join(place.root, path))
    this.#write(place, join(path, this.#name()), this.#content())
  }

  #attributes(place: Place): void {
    const path = this.#file(place)
    if (path === undefined) return
    if (this.#random() < 0.5) chmodSync(join(place.root, path), this.#random() < 0.5 ? 0o600 : 0o755)
    else utimesSync(join(place.root, path), 1_500_000_000 + this.#made, 1_500_000_000 + this.#made)
  }

  /** A large file that gets some bytes in the middle: most of it need not travel. */
  #insert(place: Place): void {
    const path = 'large.bin'
    const old = lstatSync(join(place.root, path), { throwIfNoEntry: false })?.isFile()
      ? readFileSync(join(place.root, path))
      : this.#bytes(8 * MIB)
    const at = Math.floor(this.#random() * old.length)
    this.#write(place, path, Buffer.concat([old.subarray(0, at), this.#bytes(100), old.subarray(at)]))
  }

  #swap(place: Place): void {
    const [a, b] = [this.#file(place), this.#file(place)]
    if (a === undefined || b === undefined || a === b) return
    const between = join(this.#folder(place), this.#name())
    this.#move(place, a, between)
    this.#move(place, b, a)
    this.#move(place, between, b)
  }

  #write(place: Place, path: string, content: Buffer): void {
    const was = read(place, path)
    writeFileSync(join(place.root, path), content)
    this.#ledger.wrote(place.device, path, hashBytes(content), was)
  }

  /** Never the same twice; mostly small. */
  #content(): Buffer {
    const large = this.#random() < 0.02
    const bytes = Math.ceil(this.#random() * (large ? 3 * MIB : 12 * KIB))
    return this.#random() < 0.5 ? this.#bytes(bytes) : Buffer.from(`${this.#name()}\n`.repeat(Math.ceil(bytes / 16)))
  }

  #bytes(length: number): Buffer {
    return randomBytesFrom(Math.floor(this.#random() * 2 ** 31))(length)
  }

  #name(): string {
    return `n${(this.#names++).toString(36)}-${Math.floor(this.#random() * 1e6).toString(36)}`
  }

  /** A random way down. */
  #descend(place: Place, stop: number): { folder: string; files: string[] } {
    let folder = ''
    for (;;) {
      const entries = readdirSync(join(place.root, folder), { withFileTypes: true }).filter(
        e => !e.name.startsWith('.spacedrive') && !(folder === '' && this.#apart.has(e.name))
      )
      const folders = entries.filter(e => e.isDirectory())
      if (folders.length === 0 || this.#random() < stop)
        return { folder, files: entries.filter(e => e.isFile()).map(e => e.name) }
      folder = join(folder, folders[Math.floor(this.#random() * folders.length)]!.name)
    }
  }

  #folder(place: Place): string {
    return this.#descend(place, 0.3).folder
  }

  #file(place: Place): string | undefined {
    const { folder, files } = this.#descend(place, 0.2)
    const name = files[Math.floor(this.#random() * files.length)]
    // What somebody is saving at this moment is nobody else's; names of conflict copies grow no further.
    return name === undefined || basename(name).endsWith('.saving') ? undefined : join(folder, name)
  }
}

/** What stands there: null where it is no file. */
export function read(place: Place, path: string): ContentHash | null {
  const at = join(place.root, path)
  return lstatSync(at, { throwIfNoEntry: false })?.isFile() ? hashBytes(readFileSync(at)) : null
}

function below(dir: string): string[] {
  return readdirSync(dir, { recursive: true, encoding: 'utf8' })
}
