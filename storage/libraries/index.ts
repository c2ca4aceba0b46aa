/**
 * Libraries: portable folders `Name.sdlibrary/` with `library.json`, `database.db`, `thumbnails/`, `backups/` and a lock
 * that dies with its process. Several are open at once; *current* is only the default of commands. One more, `own`, is kept
 * by the instance for itself in its data directory: always open, for synced folders, never portable.
 */
export type { Library, LibraryInfo, LibraryManager, LibraryStatistics } from './library.js'
