import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { SpacedriveError, toError } from '../base/index.js'
import type { Sql } from './open.js'

export interface Migration {
  readonly number: number
  readonly name: string
  readonly text: string
}

/** The kinds of database; each has a folder of numbered files below storage/migrations. */
export type Schema = 'instance' | 'library' | 'snapshot' | 'vectors'

/** Reads `NNN_name.sql` files in order. They are never edited after a release. */
export function readMigrations(schema: Schema): Migration[] {
  const dir = fileURLToPath(new URL(`../migrations/${schema}/`, import.meta.url))
  const found = readdirSync(dir)
    .filter(f => /^\d{3}_[a-z0-9_]+\.sql$/.test(f))
    .sort()
    .map(f => ({ number: Number(f.slice(0, 3)), name: f.slice(4, -4), text: readFileSync(join(dir, f), 'utf8') }))
  const twice = found.find((m, i) => found[i - 1]?.number === m.number)
  if (twice !== undefined) throw new TypeError(`two migrations of ${schema} bear the number ${twice.number}`)
  return found
}

export interface MigrateOptions {
  /** Where a copy of an existing database goes before it is changed. */
  backupDir?: string | undefined
}

/**
 * Brings a database to the newest version, each step in a transaction of its own. A new one is made in one transaction: whole
 * or not at all, and for one wait for the disk instead of one for each step.
 * @throws {SpacedriveError} DATABASE_NEWER when a later version of the program made it; MIGRATION_FAILED, with the database as it was before that step
 */
export function migrate(sql: Sql, migrations: readonly Migration[], { backupDir }: MigrateOptions = {}): void {
  const newest = migrations.at(-1)?.number ?? 0
  const version = Number(sql.pragma('user_version'))
  if (version > newest) {
    throw new SpacedriveError(
      'DATABASE_NEWER',
      `the database ${sql.file} was made by a newer version of spacedrive (${version}, this one knows ${newest})`,
      {
        hint: 'Install the newer version, or use another data directory.'
      }
    )
  }
  if (version === newest) return
  if (version > 0 && backupDir !== undefined) {
    mkdirSync(backupDir, { recursive: true, mode: 0o700 })
    const copy = join(backupDir, `${basename(sql.file)}.v${version}`)
    if (!existsSync(copy)) sql.copyTo(copy)
  }
  const steps = (): void => {
    sql.exec(`CREATE TABLE IF NOT EXISTS migrations (
      number INTEGER PRIMARY KEY, name TEXT NOT NULL, sha256 TEXT NOT NULL, applied_at INTEGER NOT NULL
    ) STRICT`)
    for (const migration of migrations) if (migration.number > version) step(sql, migration)
  }
  if (version === 0) sql.transaction(steps)
  else steps()
}

function step(sql: Sql, { number, name, text }: Migration): void {
  try {
    sql.transaction(() => {
      sql.exec(text)
      const sha256 = createHash('sha256').update(text).digest('hex')
      sql.prepare('INSERT INTO migrations VALUES (?, ?, ?, unixepoch() * 1000)').run([number, name, sha256])
      sql.pragma(`user_version = ${number}`)
    })
  } catch (cause) {
    const text = `could not bring ${sql.file} to version ${number} (${name}): ${toError(cause).message}`
    throw new SpacedriveError('MIGRATION_FAILED', text, { cause })
  }
}
