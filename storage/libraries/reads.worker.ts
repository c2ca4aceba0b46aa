import { defineTasks } from '../base/index.js'
import type { Sql } from '../sql/index.js'
import { withReader } from '../sql/index.js'
import type { LibraryStatistics } from './library.js'

/** Reads of a library's database, in the pool. */
export const libraryReads = defineTasks(import.meta.url, {
  statistics({ file }: { file: string }): Omit<LibraryStatistics, 'databaseBytes'> {
    return withReader(file, readStatistics)
  }
})

function readStatistics(sql: Sql): Omit<LibraryStatistics, 'databaseBytes'> {
  const number = (text: string): number => sql.prepare<{ n: number | null }>(text).get()?.n ?? 0
  const below = sql
    .prepare<{ files: number | null; dirs: number | null; bytes: number | null }>(
      'SELECT sum(files) AS files, sum(dirs) AS dirs, sum(bytes) AS bytes FROM directories WHERE parent < 0'
    )
    .get()
  return {
    files: below?.files ?? 0,
    directories: below?.dirs ?? 0,
    bytes: below?.bytes ?? 0,
    contents: number('SELECT count(*) AS n FROM contents'),
    locations: number('SELECT count(*) AS n FROM locations'),
    tags: number('SELECT count(*) AS n FROM tags')
  }
}
