/**
 * Libraries: portable folders `Name.sdlibrary/` with `library.json`, `database.db`, `thumbnails/`, `backups/` and a lock
 * that dies with its process. Several are open at once; *current* is only the default of commands. One more, `own`, is kept
 * by the instance for itself in its data directory: always open, for synced folders, never portable.
 *
 *   const manager = libraries({ database: instance, pool, clock, events, log, device: () => ({ name, id }) })
 *   await manager.start()                         // opens `own` and what was open before
 *   const library = await manager.create({ name: 'Photos' })
 *   await library.database.write(task, input)     // writer thread; index writes carry `seqLimit: await library.reserveSeq()`
 *
 * A database that was made, put back, copied, opened on another device or failed its check has a new index id: whoever
 * remembered a seq of the old one compares everything (SYNC.md 1). Sequence numbers are reserved in the instance database
 * before they are used.
 */

import type { LibraryManager } from './library.js'
import { Libraries, type LibrariesInit } from './manager.js'

export { CONFIG_FILE, FOLDER_SUFFIX } from './config.js'
export type { CheckReport } from './libraries.worker.js'
export type { Library, LibraryInfo, LibraryManager, LibraryStatistics, RebuildReport } from './library.js'
export type { LibrariesInit } from './manager.js'

export const libraries = (init: LibrariesInit): LibraryManager => new Libraries(init)
