/** A driver that follows a folder in memory, with both databases real: what it holds is compared with the folder. */
import assert from 'node:assert/strict'
import { cpSync, existsSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import {
  type AbsPath,
  type RelPath,
  ROOT,
  systemClock,
  systemRandom,
  type WorkerPool
} from '../../../storage/base/index.js'
import type { PlaceStep } from '../../../storage/files/index.js'
import { type Database, openDatabase } from '../../../storage/sql/index.js'
import {
  type Endpoint,
  type EndpointSync,
  type FollowedPage,
  type FollowOptions,
  toContentColumns
} from '../../../sync/endpoints/index.js'
import { ServedScans } from '../../../sync/serving/index.js'
import { type Hint, keyPath, Scan, snapshotting } from '../../../sync/session/index.js'
import { MemoryDisk } from '../endpoints/memory/disk.js'
import { entryAt, walked } from '../endpoints/memory/looking.js'
import { MemoryEndpoint } from '../endpoints/memory/memory-endpoint.js'
import { type MemoryState, MemoryTree } from '../endpoints/memory/tree.js'

const SYNC = '01890000-0000-7000-8000-000000000000'
const AT = 'destination'

/** What of the three is put back to an earlier state. */
export type Part = 'disk' | 'server' | 'driver'

export class Follower {
  readonly end: MemoryTree
  readonly #dir: string
  readonly #pool: WorkerPool
  #scans!: ServedScans
  #snapshot!: Database
  /** What the driver's clock shows. */
  nowMs = 1_800_000_000_000
  /** Where something may have changed since all was followed; undefined: anywhere. */
  hints: Hint[] | undefined
  /** Pages of the last answer. */
  pages: FollowedPage[] = []
  #saved: MemoryState | undefined

  private constructor(end: MemoryTree, dir: string, pool: WorkerPool) {
    this.end = end
    this.#dir = dir
    this.#pool = pool
  }

  static async open(end: MemoryTree, dir: string, pool: WorkerPool): Promise<Follower> {
    const follower = new Follower(end, dir, pool)
    await follower.#open()
    return follower
  }

  async #open(): Promise<void> {
    const dataDir = join(this.#dir, 'server') as AbsPath
    for (const sub of ['server', 'driver']) mkdirSync(join(this.#dir, sub), { recursive: true })
    this.#scans = new ServedScans({ dataDir, clock: systemClock, random: systemRandom, pool: this.#pool })
    this.#snapshot = await openDatabase({ file: join(this.#dir, 'driver', 'snapshot.db'), schema: 'snapshot' })
  }

  async close(): Promise<void> {
    await this.#scans.close()
    await this.#snapshot.close()
  }

  /** Both daemons end and start: the watch is lost with them. */
  async restart(): Promise<void> {
    await this.close()
    await this.#open()
    this.hints = undefined
  }

  /** As a backup would have it. */
  async save(): Promise<void> {
    await this.close()
    for (const part of ['server', 'driver']) {
      rmSync(join(this.#dir, `${part}.saved`), { recursive: true, force: true })
      cpSync(join(this.#dir, part), join(this.#dir, `${part}.saved`), { recursive: true })
    }
    this.#saved = this.end.save()
    await this.#open()
    this.hints = undefined
  }

  async putBack(parts: readonly Part[]): Promise<void> {
    if (this.#saved === undefined) return
    await this.close()
    for (const part of parts) {
      if (part === 'disk') {
        this.end.putBack(this.#saved)
        continue
      }
      rmSync(join(this.#dir, part), { recursive: true, force: true })
      if (existsSync(join(this.#dir, `${part}.saved`)))
        cpSync(join(this.#dir, `${part}.saved`), join(this.#dir, part), { recursive: true })
    }
    await this.#open()
    this.hints = undefined
  }

  /** The database of an end is gone. */
  async lose(part: 'server' | 'driver'): Promise<void> {
    await this.close()
    rmSync(join(this.#dir, part), { recursive: true, force: true })
    await this.#open()
    this.hints = undefined
  }

  /** Brings the driver up to date. @param cutAfter - the link goes after so many pages */
  async follow({ whole = false, cutAfter = Number.POSITIVE_INFINITY } = {}): Promise<boolean> {
    const hints = whole ? undefined : this.hints
    this.pages = []
    const endpoint = endpointOf(this.end, { follow: (o = {}) => this.#cut(o, cutAfter) })
    const clock = { nowMs: () => this.nowMs }
    const init = { at: AT, endpoint, snapshot: this.#snapshot, pool: this.#pool, clock } as const
    try {
      const scan = new Scan({ ...init, hints })
      await scan.look()
      await scan.hash()
    } catch (err) {
      if (!(err instanceof Cut)) throw err
      this.hints = undefined
      return false
    }
    await this.#snapshot.write(snapshotting.compared, { basis: '1 x', odd: [] })
    this.hints = []
    return true
  }

  async *#cut(options: FollowOptions, after: number): AsyncGenerator<FollowedPage> {
    let count = 0
    for await (const page of this.#scans.follow(SYNC, endpointOf(this.end), options)) {
      for (const part of split(page)) {
        if (++count > after) throw new Cut()
        this.pages.push(part)
        yield part
      }
    }
  }

  /** The driver does something there itself. @param learns - false: it ends before it wrote down what came of it */
  async place(step: PlaceStep, act: () => void, learns: boolean): Promise<void> {
    await this.#scans.placing(SYNC, [step])
    act()
    const at = step.kind === 'move' ? step.to : step.path
    const stat = entryAt(viewOf(this.end), at)?.stat
    await this.#scans.placed(SYNC, [step], [{ done: true, path: step.path, ...(stat && { stat }) }])
    if (!learns) {
      this.hints = undefined
      return
    }
    const moved = step.kind === 'move' ? [{ path: step.path, to: step.to }] : []
    const file = stat?.kind === 'file' && step.kind !== 'move'
    const rows = toContentColumns(
      stat === undefined ? [] : [{ path: at, stat, racy: false, ...(file && { hash: this.end.hashOf(at) }) } as never]
    )
    const gone = step.kind === 'remove' || step.kind === 'remove-directory' ? [step.path] : []
    await this.#snapshot.write(snapshotting.placed, { at: AT, rows, moved, gone })
  }

  /** Its rows, as a listing would be. @param exact - times of directories, too, of which no watch tells */
  rows(exact: boolean): string[] {
    const found = this.#snapshot.all<Record<string, bigint | string | Uint8Array | null>>(
      'SELECT * FROM seen WHERE at = 1 ORDER BY path',
      [],
      { bigint: true }
    )
    return found.map(row => {
      const text = (value: unknown): string =>
        value instanceof Uint8Array ? Buffer.from(value).toString('hex') : `${value}`
      const isDirectory = row.kind === 1n || row.directory === 1n
      const times = isDirectory && !exact ? '' : `${row.mtime} ${row.ctime}`
      const facts = [
        row.kind,
        row.size,
        row.birth,
        row.inode,
        row.mode,
        row.hash,
        row.target,
        row.reason,
        row.directory
      ]
      return [keyPath(row.path as Uint8Array), times, ...facts.map(text)].join(' ')
    })
  }

  /** A row of the driver is lost without anybody's noticing. */
  async loseRow(path: RelPath): Promise<void> {
    await this.#snapshot.write(snapshotting.gone, { at: AT, paths: [path] })
  }

  /** What the rows should be. */
  truth(exact: boolean): string[] {
    return [...walked(viewOf(this.end), ROOT, {})]
      .filter(({ path }) => path !== ROOT)
      .map(({ path, stat, target, unknown }) => {
        const kind = unknown === undefined ? ['file', 'directory', 'symlink'].indexOf(stat.kind) : 3
        const isDirectory = stat.kind === 'directory'
        const times = isDirectory && !exact ? '' : `${stat.mtimeNs} ${stat.ctimeNs}`
        const hash = kind === 0 ? this.end.hashOf(path) : null
        const link = target === undefined ? null : Buffer.from(target).toString('hex')
        const why = [unknown ?? null, kind === 3 && isDirectory ? 1 : 0]
        const facts = [kind, stat.sizeBytes, stat.birthNs, stat.inode, stat.mode, hash, link, ...why]
        return [path, times, ...facts].map(String).join(' ')
      })
  }

  check(exact: boolean): void {
    assert.deepEqual(this.rows(exact), this.truth(exact))
  }

  hint(path: RelPath, subtree = false): void {
    this.hints?.push({ path, subtree })
  }
}

class Cut extends Error {}

/** Its clock goes on by one step with each change: no stat is too near the reading to vouch for a hash. */
export const steadyTree = (): MemoryTree => new MemoryTree(new MemoryDisk(() => 0n))

const viewOf = ({ root }: MemoryTree) => ({ root, ours: [] })

/** Pages are small: much of what is told lies in several. */
const endpointOf = (tree: MemoryTree, sync?: Pick<EndpointSync, 'follow'>): Endpoint =>
  new MemoryEndpoint(tree, { pageEntries: 3, ...(sync && { sync: () => sync as EndpointSync }) })

/** Each entry and each name a page of its own: a cut comes anywhere. */
function split(page: FollowedPage): FollowedPage[] {
  if (page.kind === 'entries') return page.entries.map(entry => ({ kind: 'entries', entries: [entry] }))
  if (page.kind === 'gone') return page.paths.map(path => ({ kind: 'gone', paths: [path] }))
  return [page]
}
