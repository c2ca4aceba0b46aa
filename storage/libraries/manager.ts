import { randomUUID } from 'node:crypto'
import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import {
  type AbsPath,
  type Clock,
  displayPath,
  type EventBus,
  hasCode,
  type LibraryId,
  type Logger,
  type PlainError,
  SpacedriveError,
  toPlainError,
  type WorkerPool
} from '../base/index.js'
import type { InstanceDatabase } from '../instance/index.js'
import { Caretaker } from './caretaker.js'
import { folderName, writeNewLibrary } from './config.js'
import { discoverLibraries } from './discover.js'
import { lockFolder, makeFolder, removeLibraryFolder } from './folder.js'
import { type KnownLibrary, knownLibraries } from './instance.worker.js'
import { findKnown, folderOf, knownRows } from './known.js'
import { libraryTasks } from './libraries.worker.js'
import type { Library, LibraryInfo, LibraryManager, RebuildReport } from './library.js'
import { type Held, openFolder } from './open-folder.js'
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

export class Libraries implements LibraryManager {
  readonly #init: LibrariesInit
  readonly #open = new Map<string, Held>()
  readonly #problems = new Map<string, PlainError>()
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
    this.#installation = await this.#init.database.write(knownLibraries.installation, { fresh: randomUUID() })
    this.#own = await this.#openOwn()
    for (const row of knownRows(this.#init.database).filter(r => r.open === 1)) {
      try {
        await this.open(row.path)
      } catch (err) {
        this.#problems.set(row.path, toPlainError(err))
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
    const rows = knownRows(this.#init.database)
    const wanted = rows.find(r => r.current === 1)
    const problem = wanted === undefined ? undefined : this.#problems.get(wanted.path)
    if (wanted !== undefined && problem !== undefined) {
      throw new SpacedriveError(problem.code, `the library ${wanted.name} is not open: ${problem.message}`, {
        ...(problem.hint === undefined ? {} : { hint: problem.hint })
      })
    }
    const known = rows.length > 0
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
    const places = [join(this.#init.database.dataDir, 'libraries') as AbsPath, ...where]
    return (await discoverLibraries(places)).map(({ path, config }) => {
      const row = known.find(r => r.path === path)
      if (row !== undefined) return this.#info(row)
      return { id: config.id, name: config.name, path, open: false, current: false, missing: false }
    })
  }

  async rebuild(which: string): Promise<RebuildReport> {
    const folder = folderOf(this.#init.database, which)
    if (this.#open.has(folder)) await this.close(folder)
    const report = await this.#inTurn(() => this.#rebuildFolder(folder))
    await this.open(folder)
    return report
  }

  beforeClose(listener: (library: Library) => Promise<void>): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  #openFolder(folder: AbsPath, kind: 'portable' | 'own'): Promise<Held> {
    return openFolder({ ...this.#init, installation: this.#installation }, folder, kind, this.opened())
  }

  /** Nobody could ask for a rebuild while the program does not start, and what it holds is found again by looking. */
  async #openOwn(): Promise<Held> {
    const { database, clock, log } = this.#init
    const own = join(database.dataDir, 'own') as AbsPath
    mkdirSync(own, { recursive: true, mode: 0o700 })
    if (!existsSync(join(own, 'library.json'))) await writeNewLibrary(own, 'own', clock.nowMs())
    try {
      return await this.#openFolder(own, 'own')
    } catch (err) {
      if (!hasCode(err, 'DATABASE_CORRUPT')) throw err
      const { kept, lost } = await this.#rebuildFolder(own)
      log.warn('the index of synced folders was damaged and is built anew', { kept: displayPath(kept), lost })
      return await this.#openFolder(own, 'own')
    }
  }

  async #rebuildFolder(folder: AbsPath): Promise<RebuildReport> {
    const lock = lockFolder(folder)
    try {
      return await rebuildLibrary({ folder, pool: this.#init.pool, nowMs: this.#init.clock.nowMs() })
    } finally {
      lock.release()
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
