import { randomUUID } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, realpathSync } from 'node:fs'
import { join } from 'node:path'
import {
  type AbsPath,
  type Clock,
  displayPath,
  type EventBus,
  type LibraryId,
  type Logger,
  SpacedriveError,
  toError,
  type WorkerPool
} from '../base/index.js'
import type { InstanceDatabase } from '../instance/index.js'
import type { FileLock } from '../sql/index.js'
import { Caretaker } from './caretaker.js'
import { FOLDER_SUFFIX, folderName, readLibraryConfig, writeNewLibrary } from './config.js'
import { lockFolder, makeFolder, removeLibraryFolder } from './folder.js'
import { type KnownLibrary, knownLibraries } from './instance.worker.js'
import { findKnown, folderOf, knownRow, knownRows } from './known.js'
import { libraryTasks } from './libraries.worker.js'
import type { Library, LibraryInfo, LibraryManager, RebuildReport } from './library.js'
import { OpenLibrary, SEQ_BLOCK } from './open-library.js'
import { openLibraryDatabase } from './opening.js'
import { rebuildLibrary } from './rebuild.js'

export interface LibrariesInit {
  database: InstanceDatabase
  pool: WorkerPool
  clock: Clock
  events: EventBus
  log: Logger
  /** What this device calls itself, and its id once it has one. */
  device(): { name: string; id: string | null }
}

interface Held {
  readonly library: OpenLibrary
  readonly lock: FileLock
}

/** Folders looked through by `discover` in one place. */
const MAX_DISCOVERED = 1_000

export class Libraries implements LibraryManager {
  readonly #init: LibrariesInit
  readonly #open = new Map<string, Held>()
  readonly #problems = new Map<string, string>()
  readonly #listeners = new Set<(library: Library) => Promise<void>>()
  readonly #caretaker: Caretaker
  #own: Held | undefined
  #installation = ''
  /** Opening and closing take turns. */
  #turn: Promise<unknown> = Promise.resolve()

  constructor(init: LibrariesInit) {
    this.#init = init
    this.#caretaker = new Caretaker({
      clock: init.clock,
      log: init.log,
      libraries: () => [...(this.#own === undefined ? [] : [this.#own.library]), ...this.opened()]
    })
  }

  get own(): Library {
    if (this.#own === undefined) throw new SpacedriveError('STOPPED', 'libraries are not open')
    return this.#own.library
  }

  async start(): Promise<void> {
    const { database, clock } = this.#init
    this.#installation = await database.write(knownLibraries.installation, { fresh: randomUUID() })
    const own = join(database.dataDir, 'own') as AbsPath
    mkdirSync(own, { recursive: true, mode: 0o700 })
    if (!existsSync(join(own, 'library.json'))) await writeNewLibrary(own, 'own', clock.nowMs())
    this.#own = await this.#openFolder(own, 'own')
    for (const row of knownRows(this.#init.database).filter(r => r.open === 1)) {
      try {
        await this.open(row.path)
      } catch (err) {
        this.#problems.set(row.path, toError(err).message)
        this.#init.log.warn('a library could not be opened', { path: row.path, err })
      }
    }
    this.#caretaker.start()
  }

  async stop(): Promise<void> {
    await this.#caretaker.stop()
    await this.#inTurn(async () => {
      for (const held of [...this.#open.values()]) await this.#shut(held, true)
      if (this.#own !== undefined) await this.#shut(this.#own, true)
      this.#own = undefined
    })
  }

  opened(): readonly Library[] {
    return [...this.#open.values()].map(h => h.library)
  }

  list(): readonly LibraryInfo[] {
    return knownRows(this.#init.database).map(row => this.#info(row))
  }

  get(which: string): Library {
    const held = this.#open.get(findKnown(this.#init.database, which).path)
    if (held !== undefined) return held.library
    throw new SpacedriveError('LIBRARY_NOT_OPEN', `the library ${displayPath(which)} is not open`, {
      hint: `Open it: spacedrive library open ${JSON.stringify(which)}`
    })
  }

  findCurrent(): Library | undefined {
    const current = knownRows(this.#init.database).find(r => r.current === 1 && this.#open.has(r.path))
    if (current !== undefined) return this.#open.get(current.path)?.library
    return this.#open.size === 1 ? [...this.#open.values()][0]!.library : undefined
  }

  current(): Library {
    const library = this.findCurrent()
    if (library !== undefined) return library
    const known = knownRows(this.#init.database).length > 0
    throw new SpacedriveError('NO_LIBRARY', known ? 'no library is current' : 'there is no library yet', {
      hint: known ? 'Choose one: spacedrive library switch NAME (see: library list)' : 'spacedrive library create NAME'
    })
  }

  async switch(which: string): Promise<Library> {
    const library = await this.open(which)
    await this.#init.database.write(knownLibraries.switchTo, { path: library.path })
    return library
  }

  async create({ name, path }: { name: string; path?: AbsPath }): Promise<Library> {
    const parent = path ?? (join(this.#init.database.dataDir, 'libraries') as AbsPath)
    if (path === undefined) mkdirSync(parent, { recursive: true, mode: 0o700 })
    const folder = join(parent, folderName(name)) as AbsPath
    makeFolder(folder)
    await writeNewLibrary(folder, name, this.#init.clock.nowMs())
    const library = await this.open(folder)
    await this.#init.database.write(knownLibraries.switchTo, { path: library.path })
    this.#init.events.emit('library:created', { library: library.id, name, path: library.path })
    return library
  }

  open(which: string): Promise<Library> {
    return this.#inTurn(async () => {
      const folder = folderOf(this.#init.database, which)
      const there = this.#open.get(folder)
      if (there !== undefined) return there.library
      const held = await this.#openFolder(folder, 'portable')
      this.#open.set(folder, held)
      this.#problems.delete(folder)
      const { id, name } = held.library
      this.#init.events.emit('library:opened', { library: id, name, path: folder })
      return held.library
    })
  }

  close(which: string): Promise<void> {
    return this.#inTurn(async () => {
      const held = this.#open.get(findKnown(this.#init.database, which).path)
      if (held === undefined) throw new SpacedriveError('LIBRARY_NOT_OPEN', `the library ${which} is not open`)
      await this.#shut(held, false)
    })
  }

  async delete(which: string): Promise<readonly string[]> {
    const row = findKnown(this.#init.database, which)
    if (this.#open.has(row.path)) await this.close(row.path)
    return await this.#inTurn(async () => {
      let left: string[] = []
      if (existsSync(row.path)) {
        // Nobody else may have it open while it goes.
        lockFolder(row.path as AbsPath).release()
        left = await removeLibraryFolder(row.path as AbsPath)
      }
      await this.#init.database.write(knownLibraries.forget, { path: row.path })
      this.#init.events.emit('library:deleted', { library: row.library, name: row.name })
      return left
    })
  }

  async discover(where: readonly AbsPath[] = []): Promise<readonly LibraryInfo[]> {
    const known = knownRows(this.#init.database)
    const found: LibraryInfo[] = []
    for (const place of [join(this.#init.database.dataDir, 'libraries') as AbsPath, ...where]) {
      if (!existsSync(place)) continue
      const names = place.endsWith(FOLDER_SUFFIX) ? [''] : readdirSync(place).filter(n => n.endsWith(FOLDER_SUFFIX))
      for (const name of names.slice(0, MAX_DISCOVERED)) {
        const path = realpathSync(join(place, name)) as AbsPath
        const row = known.find(r => r.path === path)
        const config = await readLibraryConfig(path).catch(() => undefined)
        if (row !== undefined) found.push(this.#info(row))
        else if (config !== undefined)
          found.push({ id: config.id, name: config.name, path, open: false, current: false, missing: false })
      }
    }
    return found
  }

  async rebuild(which: string): Promise<RebuildReport> {
    const folder = folderOf(this.#init.database, which)
    if (this.#open.has(folder)) await this.close(folder)
    const report = await this.#inTurn(async () => {
      const lock = lockFolder(folder)
      try {
        return await rebuildLibrary({ folder, pool: this.#init.pool, nowMs: this.#init.clock.nowMs() })
      } finally {
        lock.release()
      }
    })
    await this.open(folder)
    return report
  }

  beforeClose(listener: (library: Library) => Promise<void>): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  async #openFolder(folder: AbsPath, kind: 'portable' | 'own'): Promise<Held> {
    const { database: instance, clock, pool, device } = this.#init
    const config = await readLibraryConfig(folder)
    const twin = [...this.#open.values()].find(h => h.library.id === config.id)
    if (twin !== undefined) {
      throw new SpacedriveError(
        'LIBRARY_OPEN',
        `the library "${config.name}" is open already, from ${twin.library.path}`,
        {
          hint: `${displayPath(folder)} is a copy of it: close the other one first.`
        }
      )
    }
    const lock = lockFolder(folder)
    try {
      const database = await openLibraryDatabase(folder, clock.nowMs())
      const before = knownRow(instance, folder) ?? knownRows(instance, 'any').find(r => r.library === config.id)
      const nextSession = randomUUID()
      const { name: deviceName, id } = device()
      const opened = await database.write(libraryTasks.open, {
        library: config.id,
        installation: this.#installation,
        device: id,
        deviceName,
        nowMs: clock.nowMs(),
        firstSeq: (before?.reserved_seq ?? 0) + 1,
        session: before?.session ?? null,
        indexId: before?.index_id ?? null,
        closedSeq: before?.closed_seq ?? 0,
        nextSession
      })
      if (opened.renewed !== undefined) this.#init.log.info('new index id', { path: folder, why: opened.renewed })
      const lastSeq =
        Number(database.get<{ value: string }>("SELECT value FROM meta WHERE name = 'next_seq'")!.value) - 1
      const reservedSeq = lastSeq + SEQ_BLOCK
      await instance.write(knownLibraries.remember, {
        path: folder,
        library: config.id,
        name: config.name,
        kind,
        index_id: opened.indexId,
        session: nextSession,
        reserved_seq: reservedSeq,
        closed_seq: Math.min(lastSeq, before?.closed_seq ?? 0),
        open: kind === 'own' ? 0 : 1,
        current: before?.current ?? 0,
        opened_at: clock.nowMs()
      })
      const library = new OpenLibrary({
        ...{ id: config.id, name: config.name, path: folder, kind, database, host: opened.host, pool, reservedSeq },
        indexId: opened.indexId,
        nowMs: () => clock.nowMs(),
        reserve: upto => instance.write(knownLibraries.reserve, { path: folder, upto }),
        reindexed: indexId => instance.write(knownLibraries.reindexed, { path: folder, indexId })
      })
      return { library, lock }
    } catch (err) {
      lock.release()
      throw err
    }
  }

  async #shut({ library, lock }: Held, keepOpen: boolean): Promise<void> {
    for (const listener of this.#listeners) await listener(library)
    this.#open.delete(library.path)
    const seq = library.lastSeq()
    try {
      await library.database.maintain(libraryTasks.optimize, undefined)
      await library.database.close()
      await this.#init.database.write(knownLibraries.closed, { path: library.path, seq, keepOpen })
    } finally {
      lock.release()
    }
    if (library.kind === 'portable')
      this.#init.events.emit('library:closed', { library: library.id, name: library.name })
  }

  #info(row: KnownLibrary): LibraryInfo {
    const open = this.#open.has(row.path)
    const problem = this.#problems.get(row.path)
    return {
      id: row.library as LibraryId,
      name: row.name,
      path: row.path as AbsPath,
      open,
      current: open && this.findCurrent()?.path === row.path,
      missing: !open && !existsSync(row.path),
      ...(problem === undefined ? {} : { problem })
    }
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const next = this.#turn.then(work)
    this.#turn = next.catch(() => {})
    return next
  }
}
