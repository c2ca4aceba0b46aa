import { defineTasks, type TaskContext } from '../base/index.js'
import { CONTENT_KINDS, type ContentKind, pathTextOf } from '../entries/index.js'
import { readMediaFacts } from '../file-types/index.js'
import { type Sql, withReader } from '../sql/index.js'
import { belowRoot } from './content.worker.js'

export interface MediaCandidate {
  readonly content: number
  readonly path: string
  readonly kind: ContentKind
  readonly mime: string | null
}

const MEDIA_KINDS = (['image', 'video', 'audio'] as const).map(kind => CONTENT_KINDS.indexOf(kind)).join(', ')
/** Contents looked through by one call. */
const ROWS_AT_ONCE = 20_000

export const mediaTasks = defineTasks(import.meta.url, {
  /** Contents that files below the root have, of which no facts were read yet, with one such file each. */
  candidates(input: { databaseFile: string; root: number; host: number; after: number; limit: number }): {
    files: MediaCandidate[]
    next: number | undefined
  } {
    return withReader(input.databaseFile, (sql: Sql) => {
      const below = belowRoot(sql, input.root)
      const files: MediaCandidate[] = []
      const entries = sql.prepare<{ id: number; parent: number }>('SELECT id, parent FROM entries WHERE content = ?')
      const contents = sql
        .prepare<{ id: number; type: number; mime: string | null }>(
          `SELECT c.id, c.type, m.name AS mime FROM contents c LEFT JOIN mime_types m ON m.id = c.mime
           WHERE c.id > ? AND c.deep_at IS NULL AND c.type IN (${MEDIA_KINDS}) ORDER BY c.id LIMIT ${ROWS_AT_ONCE}`
        )
        .all([input.after])
      for (const { id, type, mime } of contents) {
        const entry = entries.all([id]).find(e => below(e.parent))
        const path = entry === undefined ? undefined : pathTextOf(sql, entry.id, input.host)
        if (path === undefined) continue
        files.push({ content: id, path, kind: CONTENT_KINDS[type] ?? 'unknown', mime })
        if (files.length === input.limit) return { files, next: id }
      }
      return { files, next: contents.length === ROWS_AT_ONCE ? contents.at(-1)!.id : undefined }
    })
  },

  async read(
    { files }: { files: readonly MediaCandidate[] },
    ctx: TaskContext
  ): Promise<{ content: number; media: string | null }[]> {
    const facts: { content: number; media: string | null }[] = []
    for (const { content, path, kind, mime } of files) {
      ctx.signal.throwIfAborted()
      const found = await readMediaFacts(path, kind, mime).catch(() => undefined)
      facts.push({ content, media: found === undefined ? null : JSON.stringify(found) })
    }
    return facts
  }
})
