import { defineTasks, toError } from '../base/index.js'
import { openSqlite, type Row, type Sql } from '../sql/index.js'

/** What cannot be found again by looking at the disk, in the order in which it is put back. */
const TABLES = ['hosts', 'locations', 'tags', 'labels', 'metadata', 'metadata_tags', 'metadata_labels'] as const
type Table = (typeof TABLES)[number]

export interface Salvaged {
  readonly library: string | undefined
  readonly tables: Readonly<Record<Table, Row[]>>
  /** In words: what could not be read. */
  readonly lost: string[]
}

export const salvaging = defineTasks(import.meta.url, {
  /** Reads a damaged database as far as it lets itself be read. */
  salvage({ file }: { file: string }): Salvaged {
    const tables = Object.fromEntries(TABLES.map(t => [t, [] as Row[]])) as Record<Table, Row[]>
    const lost: string[] = []
    let library: string | undefined
    let sql: Sql
    try {
      sql = openSqlite(file, { readonly: true })
    } catch (err) {
      return { library, tables, lost: [`nothing could be read: ${toError(err).message}`] }
    }
    try {
      library = attempt(
        () => sql.prepare<{ value: string }>("SELECT value FROM meta WHERE name = 'library'").get()?.value
      )
      for (const table of TABLES) tables[table] = readTable(sql, table, lost)
    } finally {
      sql.close()
    }
    return { library, tables, lost }
  },

  /** Puts it into a new database. A row that refers to a lost one is left out. */
  putBack(sql: Sql, { tables }: Salvaged): void {
    for (const table of TABLES) {
      for (const row of tables[table]) {
        if (table === 'locations') Object.assign(row, { entry: null, activity: 'pending', freshness: 'unknown' })
        if (table === 'metadata') row.entry = null
        const names = Object.keys(row)
        const text = `INSERT OR IGNORE INTO ${table} (${names.join(', ')}) VALUES (${names.map(() => '?').join(', ')})`
        attempt(() => sql.transaction(() => void sql.prepare(text).run(Object.values(row))))
      }
    }
  }
})

/** From the front and, where a page is damaged, from the back: only what lies between is lost. */
function readTable(sql: Sql, table: Table, lost: string[]): Row[] {
  const rows = new Map<string, Row>()
  const read = (order: string): boolean => {
    try {
      for (const row of sql.prepare<Row>(`SELECT * FROM ${table} ${order}`, { bigint: true }).iterate())
        rows.set(JSON.stringify(Object.values(row), key), row)
      return true
    } catch (err) {
      if (order === '') lost.push(`some of ${table}: ${toError(err).message}`)
      return false
    }
  }
  const by = table === 'metadata_tags' ? 'tag' : table === 'metadata_labels' ? 'label' : 'id'
  if (!read('')) read(`ORDER BY ${by} DESC`)
  return [...rows.values()]
}

const key = (_name: string, value: unknown): unknown => (typeof value === 'bigint' ? String(value) : value)

function attempt<T>(work: () => T): T | undefined {
  try {
    return work()
  } catch {
    return undefined
  }
}
