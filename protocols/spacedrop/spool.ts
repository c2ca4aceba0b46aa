import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { type AbsPath, hasCode } from '../../storage/base/index.js'
import { removeEmptyDir, removeFile } from '../../storage/files/index.js'
import type { Offer } from './store.js'

/** A command that spools is done with it, or has failed, well within a day. */
const MAX_AGE_MS = 24 * 60 * 60 * 1000

/** Removes what commands spooled and nobody came for: they were killed in between. */
export async function cleanSpool(spoolDir: AbsPath, open: readonly Offer[], nowMs: number): Promise<void> {
  const wanted = new Set(open.map(o => o.spool))
  for (const dir of await list(spoolDir)) {
    for (const name of await list(join(spoolDir, dir))) {
      const path = join(spoolDir, dir, name) as AbsPath
      if (!wanted.has(path) && nowMs - (await stat(path)).mtimeMs > MAX_AGE_MS) await removeFile(path)
    }
    await removeEmptyDir(join(spoolDir, dir))
  }
}

async function list(dir: string): Promise<string[]> {
  try {
    return await readdir(dir)
  } catch (err) {
    if (hasCode(err, 'ENOENT', 'ENOTDIR')) return []
    throw err
  }
}
