/** A simulated disk with the two folders of a sync, and what a person does in them. */
import assert from 'node:assert/strict'
import { isTempName } from '../../../storage/files/index.js'
import type { End } from '../../../sync/reconcile/index.js'
import { SimulatedDisk, type SimulatedDiskInit } from '../../storage/files/simulated-disk.js'
import { copyInode } from '../../storage/files/simulated-image.js'

/** Two pages, so that content can be torn. */
export const spread = (content: string): string => `${content}|`.repeat(Math.ceil(6_000 / (content.length + 1)))

const ENDS: readonly End[] = ['source', 'destination']

/** What a folder shows: path -> `content`, `-> target` or `folder`. */
export type Shown = Readonly<Record<string, string>>

export class SyncDisk extends SimulatedDisk {
  readonly #how: SimulatedDiskInit

  constructor(init: SimulatedDiskInit, empty = true) {
    super(init)
    this.#how = init
    if (empty) for (const end of ENDS) this.makeDir(this.openRoot('/'), end, 0o755)
  }

  /** Something besides the disk that a cut comes before or after: a write of a database. */
  step(): void {
    this.count()
  }

  get isCut(): boolean {
    return this.operations > this.cutAt
  }

  /** The same disk once more; nothing is open there. */
  copy(): SyncDisk {
    const copy = new SyncDisk(this.#how, false)
    copy.live = new Map([...this.live].map(([number, inode]) => [number, copyInode(inode)]))
    copy.durable = new Map([...this.durable].map(([number, inode]) => [number, copyInode(inode)]))
    Object.assign(copy, { pending: [...this.pending], nextNumber: this.nextNumber, nowNs: this.nowNs })
    return copy
  }

  /** All that was done is durable. */
  rest(): void {
    this.settleNames(() => true)
    for (const inode of this.live.values()) this.keep(inode)
  }

  /** The power comes back. @param ends - whose disk lost what was not durable; the other one is a disk of its own */
  lose(ends: readonly End[], random: () => number): void {
    for (const end of ENDS) {
      if (ends.includes(end)) continue
      const kept = this.#below(end)
      this.settleNames(change => change.keys.some(key => kept.has(Number(key.slice(0, key.indexOf('/'))))))
      for (const number of kept) {
        const inode = this.live.get(number)
        if (inode !== undefined) this.keep(inode)
      }
    }
    this.powerCut(random)
  }

  /** Every directory that is, or was, below an end, and what they hold. */
  #below(end: End): Set<number> {
    const found = new Set<number>()
    const visit = (number: number): void => {
      if (found.has(number)) return
      found.add(number)
      for (const image of [this.live, this.durable])
        for (const child of image.get(number)?.entries.values() ?? []) visit(child)
    }
    visit(this.find(this.openRoot('/'), end).number)
    return found
  }

  shown(end: End): Shown {
    const found: Record<string, string> = {}
    this.#walk(`/${end}`, '', (path, is) => {
      found[path] = is
    })
    return found
  }

  /** Every whole content that is anywhere below an end: at its name, in versions, or on its way. */
  contents(end: End): Set<string> {
    const found = new Set<string>()
    const visit = (at: string): void => {
      const dir = this.openRoot(at)
      for (const name of this.list(dir)) {
        const { kind } = this.lstat(dir, name)
        if (kind === 'directory') visit(`${at}/${name}`)
        if (kind !== 'file') continue
        const bytes = this.#read(at, name)
        if (bytes === spread(gathered(bytes))) found.add(gathered(bytes))
      }
      this.close(dir)
    }
    visit(`/${end}`)
    return found
  }

  /**
   * What of ours lies at an end besides the marker and the versions. What was tried out there right before a cut goes when the
   * next process looks.
   */
  left(end: End): string[] {
    const within = (at: string): string[] => {
      const dir = this.openRoot(at)
      const names = this.list(dir)
      this.close(dir)
      return names.map(name => `${at}/${name}`)
    }
    const area = `/${end}/.spacedrive`
    const inArea = within(`/${end}`).includes(area) ? within(area) : []
    const staged = inArea.includes(`${area}/staging`) ? within(`${area}/staging`) : []
    const temps = within(`/${end}`).filter(path => isTempName(nameOf(path)) && !path.includes('-0000-8000-8000-'))
    const known = ['root.json', '.gitignore', 'versions', 'staging']
    return [...temps, ...inArea.filter(path => !known.includes(nameOf(path))), ...staged]
  }

  #walk(at: string, prefix: string, tell: (path: string, is: string) => void): void {
    const dir = this.openRoot(at)
    for (const name of this.list(dir).sort()) {
      if (isTempName(name) || name === '.spacedrive') continue
      const { kind } = this.lstat(dir, name)
      const path = `${prefix}${name}`
      if (kind === 'directory') {
        tell(path, 'folder')
        this.#walk(`${at}/${name}`, `${path}/`, tell)
      } else if (kind === 'symlink') tell(path, `-> ${this.readlink(dir, name)}`)
      else {
        const bytes = this.#read(at, name)
        const content = gathered(bytes)
        assert.equal(bytes, content === '' ? '' : spread(content), `${at}/${name} is not whole`)
        tell(path, content)
      }
    }
    this.close(dir)
  }

  #read(at: string, name: string): string {
    const dir = this.openRoot(at)
    const fd = this.open(dir, name, 'read')
    const into = Buffer.alloc(this.stat(fd).sizeBytes)
    this.read(fd, into, 0)
    this.close(fd)
    this.close(dir)
    return into.toString()
  }

  /** What a person does at `/end/path`; where it cannot be done, nothing happens. */
  edit({ end, kind, path, to, text }: DiskEdit): void {
    const at = this.#place(`/${end}/${path}`, kind === 'write')
    if (at === undefined) return
    const there = at.dir === undefined ? undefined : this.list(at.dir).includes(at.name)
    if (kind === 'write') this.#write(at, text)
    else if (kind === 'folder' && there === false) this.makeDir(at.dir, at.name, 0o755)
    else if (kind === 'link' && there === false) this.symlink(text, at.dir, at.name)
    else if (there !== true) return
    else if (kind === 'delete') this.#remove(at)
    else if (kind === 'mode') this.setDirMode(at.dir, at.name, this.#isFolder(at) ? 0o750 : 0o640)
    else if (kind === 'move' || kind === 'swap') {
      const target = this.#place(`/${end}/${to}`, false)
      if (target === undefined || isWithin(to, path) || isWithin(path, to)) return
      const taken = this.list(target.dir).includes(target.name)
      if (taken !== (kind === 'swap')) return
      // Over a third name: not every disk can exchange.
      const top = this.openRoot(`/${end}`)
      if (taken) this.rename(target.dir, target.name, top, 'aside', 'replace')
      this.rename(at.dir, at.name, target.dir, target.name, 'replace')
      if (taken) this.rename(top, 'aside', at.dir, at.name, 'replace')
    }
  }

  #isFolder({ dir, name }: Place): boolean {
    return this.lstat(dir, name).kind === 'directory'
  }

  /** As a program saves: another file takes the name. A folder or link makes way. */
  #write(at: Place, text: string): void {
    const there = this.list(at.dir).includes(at.name)
    if (there) this.#remove(at)
    const fd = this.open(at.dir, at.name, 'create', 0o644)
    this.write(fd, Buffer.from(spread(text)), 0)
    this.close(fd)
  }

  #remove({ dir, name }: Place): void {
    if (this.lstat(dir, name).kind !== 'directory') {
      this.unlink(dir, name)
      return
    }
    const inside = this.openDir(dir, name)
    for (const child of this.list(inside)) this.#remove({ dir: inside, name: child })
    this.removeDir(dir, name)
  }

  /** @param make - the folders on the way */
  #place(path: string, make: boolean): Place | undefined {
    const parts = path.slice(1).split('/')
    const name = parts.pop()!
    let dir = this.openRoot('/')
    for (const part of parts) {
      const there = this.list(dir).includes(part)
      if (there && this.lstat(dir, part).kind !== 'directory') return undefined
      if (!there && !make) return undefined
      if (!there) this.makeDir(dir, part, 0o755)
      dir = this.openDir(dir, part)
    }
    return { dir, name }
  }
}

interface Place {
  readonly dir: ReturnType<SimulatedDisk['openRoot']>
  readonly name: string
}

export interface DiskEdit {
  readonly end: End
  readonly kind: 'write' | 'delete' | 'move' | 'swap' | 'folder' | 'link' | 'mode'
  readonly path: string
  readonly to: string
  readonly text: string
}

const nameOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1)
const gathered = (bytes: string): string => (bytes === '' ? '' : bytes.slice(0, bytes.indexOf('|')))
const isWithin = (path: string, above: string): boolean => path === above || path.startsWith(`${above}/`)
