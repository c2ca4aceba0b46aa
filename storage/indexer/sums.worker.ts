import { defineTasks } from '../base/index.js'
import { KIND } from '../entries/index.js'
import { type Sql, withReader } from '../sql/index.js'

interface Sums {
  readonly id: number
  readonly files: number
  readonly dirs: number
  readonly bytes: number
}

/** What directories hold in all, added up from the rows: to prove the sums that are kept, and to correct them. */
export const summing = defineTasks(import.meta.url, {
  findWrong({ databaseFile, root }: { databaseFile: string; root: number }): { wrong: Sums[] } {
    return withReader(databaseFile, (sql: Sql) => {
      const wrong: Sums[] = []
      sumBelow(sql, root, sums => {
        const kept = sql.prepare<Sums>('SELECT id, files, dirs, bytes FROM directories WHERE id = ?').get([sums.id])
        if (kept?.files !== sums.files || kept.dirs !== sums.dirs || kept.bytes !== sums.bytes) wrong.push(sums)
      })
      return { wrong }
    })
  },

  correct(sql: Sql, { wrong }: { wrong: readonly Sums[] }): void {
    const set = sql.prepare('UPDATE directories SET files = ?, dirs = ?, bytes = ? WHERE id = ?')
    for (const { id, files, dirs, bytes } of wrong) set.run([files, dirs, bytes, id])
  }
})

/** Depth first, so that no more than one chain of directories is held. */
function sumBelow(sql: Sql, root: number, tell: (sums: Sums) => void): void {
  const own = sql.prepare<{ files: number; bytes: number | null }>(
    `SELECT count(*) AS files, sum(CASE WHEN kind = ${KIND.FILE} THEN size END) AS bytes
     FROM entries WHERE parent = ? AND kind <> ${KIND.DIRECTORY}`
  )
  const below = sql.prepare<{ id: number }>('SELECT id FROM directories WHERE parent = ?')
  const open: { sums: { -readonly [K in keyof Sums]: Sums[K] }; left: number[] }[] = []
  const begin = (id: number): void => {
    const { files, bytes } = own.get([id])!
    const left = below.all([id]).map(r => r.id)
    open.push({ sums: { id, files, dirs: left.length, bytes: bytes ?? 0 }, left })
  }
  begin(root)
  while (open.length > 0) {
    const at = open.at(-1)!
    const next = at.left.pop()
    if (next !== undefined) {
      begin(next)
      continue
    }
    open.pop()
    tell(at.sums)
    const parent = open.at(-1)?.sums
    if (parent === undefined) continue
    parent.files += at.sums.files
    parent.dirs += at.sums.dirs
    parent.bytes += at.sums.bytes
  }
}
