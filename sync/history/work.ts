import { join } from 'node:path'
import type { AbsPath } from '../../storage/base/index.js'
import { removeFile } from '../../storage/files/index.js'
import { type Database, openDatabase } from '../../storage/sql/index.js'
import { working } from './work.worker.js'

/** The databases of one restore or undo: gone when it ends. */
export interface Work {
  readonly db: Database
  /** In which they lie. */
  readonly dir: AbsPath
  /** What both agree on, for the planner; a file of its own, since it reads two. */
  readonly archiveFile: string
  readonly planFile: string
}

/** In the folder of a sync; left behind by a crash, they are made anew the next time. */
export const WORK_FILES: readonly string[] = ['history.db', 'history-archive.db', 'history-plan.db'].flatMap(name =>
  ['', '-wal', '-shm', '-journal'].map(end => `${name}${end}`)
)

export async function withWork<T>(dir: AbsPath, use: (work: Work) => Promise<T>): Promise<T> {
  const clean = async (): Promise<void> => {
    for (const name of WORK_FILES) await removeFile(join(dir, name))
  }
  await clean()
  const archiveFile = join(dir, 'history-archive.db')
  const db = await openDatabase({
    ...{ file: join(dir, 'history.db'), schema: 'snapshot', synchronous: 'NORMAL', sharesThread: true }
  })
  try {
    await db.maintain(working.prepare, { archiveFile })
    return await use({ db, dir, archiveFile, planFile: join(dir, 'history-plan.db') })
  } finally {
    await db.close()
    await clean()
  }
}
