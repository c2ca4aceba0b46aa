import { randomUUID } from 'node:crypto'
import { type AbsPath, displayPath, SpacedriveError } from '../base/index.js'
import type { FileLock } from '../sql/index.js'
import { readLibraryConfig } from './config.js'
import { lockFolder } from './folder.js'
import { knownLibraries } from './instance.worker.js'
import { knownRow, knownRows } from './known.js'
import { libraryTasks } from './libraries.worker.js'
import type { Library } from './library.js'
import type { LibrariesInit } from './manager.js'
import { OpenLibrary, SEQ_BLOCK } from './open-library.js'
import { openLibraryDatabase } from './opening.js'

export interface Held {
  readonly library: OpenLibrary
  readonly lock: FileLock
}

export interface OpenFolderInit extends LibrariesInit {
  /** The random id of this data directory. */
  readonly installation: string
}

/**
 * Locks a library's folder, opens its database, and begins a session in it, remembered here.
 * @param opened - the others that are open: two copies of one library are not
 * @throws LIBRARY_NOT_FOUND, LIBRARY_OPEN, LOCKED, DATABASE_NEWER, LIBRARY_NEWER, DATABASE_CORRUPT
 */
export async function openFolder(
  init: OpenFolderInit,
  folder: AbsPath,
  kind: 'portable' | 'own',
  opened: readonly Library[]
): Promise<Held> {
  const { database: instance, clock, pool, device, log } = init
  const config = await readLibraryConfig(folder)
  const twin = opened.find(l => l.id === config.id)
  if (twin !== undefined) {
    throw new SpacedriveError('LIBRARY_OPEN', `the library "${config.name}" is open already, from ${twin.path}`, {
      hint: `${displayPath(folder)} is a copy of it: close the other one first.`
    })
  }
  const lock = lockFolder(folder)
  try {
    const database = await openLibraryDatabase(folder, clock.nowMs())
    const before = knownRow(instance, folder) ?? knownRows(instance, 'any').find(r => r.library === config.id)
    const nextSession = randomUUID()
    const { name: deviceName, id } = device()
    const begun = await database.write(libraryTasks.open, {
      library: config.id,
      installation: init.installation,
      device: id,
      deviceName,
      nowMs: clock.nowMs(),
      firstSeq: (before?.reserved_seq ?? 0) + 1,
      session: before?.session ?? null,
      indexId: before?.index_id ?? null,
      closedSeq: before?.closed_seq ?? 0,
      nextSession
    })
    if (begun.renewed !== undefined) log.info('new index id', { path: folder, why: begun.renewed })
    const lastSeq = Number(database.get<{ value: string }>("SELECT value FROM meta WHERE name = 'next_seq'")!.value) - 1
    const reservedSeq = lastSeq + SEQ_BLOCK
    await instance.write(knownLibraries.remember, {
      path: folder,
      library: config.id,
      name: config.name,
      kind,
      index_id: begun.indexId,
      session: nextSession,
      reserved_seq: reservedSeq,
      closed_seq: Math.min(lastSeq, before?.closed_seq ?? 0),
      open: kind === 'own' ? 0 : 1,
      current: before?.current ?? 0,
      opened_at: clock.nowMs()
    })
    const library = new OpenLibrary({
      ...{ id: config.id, name: config.name, path: folder, kind, database, host: begun.host, pool, reservedSeq },
      indexId: begun.indexId,
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
